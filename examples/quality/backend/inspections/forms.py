"""What the API accepts: the body of a new inspection and the query of the list."""

from django import forms

from .models import Inspection

LIMIT = 200


class InspectionForm(forms.ModelForm):
    """The body of `POST /api/inspections`."""

    class Meta:
        model = Inspection
        fields = ("part", "line", "result", "note")


class InspectionQuery(forms.Form):
    """The query of `GET /api/inspections`."""

    result = forms.ChoiceField(choices=Inspection.Result.choices, required=False)
    limit = forms.IntegerField(min_value=1, max_value=LIMIT, required=False)
