"""The one table of the app."""

from django.db import models
from django.utils import timezone


class Inspection(models.Model):
    """One look at one part on one production line."""

    class Result(models.TextChoices):
        """What an inspection can come to."""

        PASS = "pass", "Pass"
        REWORK = "rework", "Rework"
        FAIL = "fail", "Fail"

    part = models.CharField(max_length=80)
    line = models.CharField(max_length=20)
    result = models.CharField(max_length=6, choices=Result.choices)
    note = models.TextField(max_length=500, blank=True, default="")
    created = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        ordering = ("-created", "-id")

    def __str__(self) -> str:
        return f"{self.part} on {self.line}: {self.get_result_display()}"
