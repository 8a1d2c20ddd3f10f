"""The addresses of the API and of Django's admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("inspections.urls")),
    # The frontend has pages under /admin/; Django's admin there would hide them or send browsers in circles.
    path("django-admin/", admin.site.urls),
]
