"""Inspections in Django's admin, for corrections."""

from django.contrib import admin

from .models import Inspection


@admin.register(Inspection)
class InspectionAdmin(admin.ModelAdmin):
    list_display = ("part", "line", "result", "created")
    list_filter = ("result", "line")
    search_fields = ("part", "note")
