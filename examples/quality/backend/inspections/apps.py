"""The inspections app: what was looked at on the shop floor, and with what result."""

from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    name = "inspections"
