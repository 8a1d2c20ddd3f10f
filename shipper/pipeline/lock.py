"""Freezing an app on its server, lifting the freeze, and asking who is at work there."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from shipper.errors import ConfigError
from shipper.events import Emit
from shipper.pipeline.job import Job
from shipper.pipeline.server import connect_each

_SPAN = re.compile(r"([1-9][0-9]*)(min|h|d|w)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EXAMPLES = "--until 2h, --until 3d, --until monday, --until 2026-11-23 or --until '2026-11-23 08:00'"


def parse_until(text: str, now: datetime.datetime) -> datetime.datetime:
    """Return the moment that somebody means by "2h", "monday" (its first minute) or a date with or without a time.

    `now` and the result are local times. Raises ConfigError, also for a moment that is over.
    """
    word = text.strip().lower()
    span = _SPAN.fullmatch(word)
    if span:
        return now + datetime.timedelta(**{_UNITS[span[2]]: int(span[1])})
    if word in _WEEKDAYS:
        days = (_WEEKDAYS.index(word) - now.weekday() - 1) % 7 + 1
        return (now + datetime.timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(f"{text!r} is no moment that shipper understands.", fix=f"Type it as {_EXAMPLES}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise ConfigError(f"{text} is over already.", why=f"It is {now:%Y-%m-%d %H:%M} here.", fix=_EXAMPLES)
    return moment


def freeze(job: Job, reason: str, until: str, emit: Emit) -> datetime.datetime | None:
    """Freeze the app: nobody ships until then. Returns the end, None for a freeze without one."""
    now = datetime.datetime.now().astimezone()
    end = parse_until(until, now) if until else None
    # As a span, so that the clock of the server does not matter.
    seconds = (end - now).total_seconds() if end else None
    with connect_each(job, emit) as sessions:
        for one, session in sessions:
            session.call("lock.freeze", {**one.change, "reason": reason, "seconds": seconds})
    return end


def lift(job: Job, emit: Emit) -> list[tuple[str, Mapping[str, Any]]]:
    """Lift the freeze; return for each server {"lifted": the freeze or None, "holder": who holds the lock or None}."""
    with connect_each(job, emit) as sessions:
        return [(one.server, session.call("lock.lift", one.change)) for one, session in sessions]


def show(job: Job, emit: Emit) -> list[tuple[str, Mapping[str, Any]]]:
    """Return for each server {"holder": who holds the lock or None, "freeze": the freeze or None}."""
    with connect_each(job, emit) as sessions:
        return [(one.server, session.call("lock.show", {"app": job.app})) for one, session in sessions]
