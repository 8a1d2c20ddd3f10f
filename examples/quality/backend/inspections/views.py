"""The JSON API. Every answer is an object; a refused request is a 400 with `{"errors": {field: message}}`."""

import asyncio
import json
import logging

from django import forms
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from .forms import LIMIT, InspectionForm, InspectionQuery
from .models import Inspection

SLOWEST_SECONDS = 5
logger = logging.getLogger(__name__)


@never_cache
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 and the release when the database can be asked, otherwise 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("the database does not answer")
        return JsonResponse({"status": "database unavailable", "release": settings.RELEASE}, status=503)
    return JsonResponse({"status": "ok", "release": settings.RELEASE})


# The API has no session and no cookie to abuse, so there is nothing that a CSRF token would protect.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def inspections(request: HttpRequest) -> JsonResponse:
    """List the newest inspections, or record a new one."""
    return record_inspection(request) if request.method == "POST" else list_inspections(request)


def list_inspections(request: HttpRequest) -> JsonResponse:
    """Return the newest inspections of the wanted result, and how many there are of it in all."""
    query = InspectionQuery(request.GET)
    if not query.is_valid():
        return refusal(query)
    rows = Inspection.objects.all()
    if result := query.cleaned_data["result"]:
        rows = rows.filter(result=result)
    newest = rows[: query.cleaned_data["limit"] or LIMIT]
    return JsonResponse({"count": rows.count(), "items": [as_json(row) for row in newest]})


def record_inspection(request: HttpRequest) -> JsonResponse:
    """Store the inspection that is in the body and return it with its id and time."""
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return JsonResponse({"errors": {"body": "Expected a JSON object."}}, status=400)
    form = InspectionForm(body)
    if not form.is_valid():
        return refusal(form)
    return JsonResponse(as_json(form.save()), status=201)


@never_cache
@require_GET
def summary(request: HttpRequest) -> JsonResponse:
    """Return how many inspections of each result every line has."""
    counts = {result: Count("id", filter=Q(result=result)) for result in Inspection.Result.values}
    lines = Inspection.objects.order_by("line").values("line").annotate(**counts)
    return JsonResponse({"lines": list(lines)})


@never_cache
@require_GET
async def slow(request: HttpRequest) -> JsonResponse:
    """Answer after `?seconds=` (0 to 5): a request that is still open while a release is being switched."""
    try:
        seconds = float(request.GET.get("seconds", "1"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= SLOWEST_SECONDS:
        message = f"Expected a number from 0 to {SLOWEST_SECONDS}."
        return JsonResponse({"errors": {"seconds": message}}, status=400)
    await asyncio.sleep(seconds)
    return JsonResponse({"seconds": seconds, "release": settings.RELEASE})


def as_json(row: Inspection) -> dict[str, object]:
    """Return the inspection as the API shows it."""
    return {
        "id": row.pk,
        "part": row.part,
        "line": row.line,
        "result": row.result,
        "note": row.note,
        "created": row.created.isoformat(),
    }


def refusal(form: forms.BaseForm) -> JsonResponse:
    """Return the first message of every field that is wrong."""
    return JsonResponse({"errors": {field: messages[0] for field, messages in form.errors.items()}}, status=400)
