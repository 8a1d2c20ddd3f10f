"""A note for every inspection, and a dozen rows so that a new installation has something to show."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

# Minutes before the migration, part, line, result, note.
FIRST_ROWS = (
    (12, "Bracket BR-204", "A1", "pass", ""),
    (34, "Housing HS-118", "B1", "rework", "Burr on the inner edge, deburr and measure again."),
    (58, "Gasket GK-031", "A2", "pass", ""),
    (95, "Shaft SH-077", "C1", "fail", "Diameter 12.07 mm, the limit is 12.05 mm. Lot held."),
    (140, "Bracket BR-204", "A1", "pass", ""),
    (205, "Cover CV-015", "B1", "pass", "First piece after the tool change."),
    (260, "Housing HS-118", "B1", "pass", ""),
    (330, "Gasket GK-031", "A2", "fail", "Two of five samples leak at 3 bar."),
    (410, "Shaft SH-077", "C1", "pass", ""),
    (505, "Spring SP-142", "A2", "rework", "Free length 0.4 mm short, sort the box."),
    (620, "Cover CV-015", "C1", "pass", ""),
    (745, "브래킷 BR-310", "A1", "pass", "초품 검사 완료"),
)


def add_first_rows(apps, schema_editor):
    inspection = apps.get_model("inspections", "Inspection")
    now = timezone.now()
    inspection.objects.bulk_create(
        inspection(part=part, line=line, result=result, note=note, created=now - timedelta(minutes=minutes))
        for minutes, part, line, result, note in FIRST_ROWS
    )


class Migration(migrations.Migration):
    dependencies = [("inspections", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="inspection",
            name="note",
            field=models.TextField(blank=True, default="", max_length=500),
        ),
        # Going back drops the column but keeps the rows: by then people have worked with them.
        migrations.RunPython(add_first_rows, migrations.RunPython.noop),
    ]
