"""The addresses below /api/."""

from django.urls import path

from . import views

urlpatterns = [
    path("health", views.health),
    path("inspections", views.inspections),
    path("summary", views.summary),
    path("slow", views.slow),
]
