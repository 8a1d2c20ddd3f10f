"""The table of inspections."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Inspection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.CharField(max_length=80)),
                ("line", models.CharField(max_length=20)),
                (
                    "result",
                    models.CharField(choices=[("pass", "Pass"), ("rework", "Rework"), ("fail", "Fail")], max_length=6),
                ),
                (
                    "created",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={"ordering": ("-created", "-id")},
        ),
    ]
