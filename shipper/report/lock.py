"""Who holds the lock of an app, and whether it is frozen, for people."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from shipper.report.console import console


def show_lock(holder: Mapping[str, Any] | None, freeze: Mapping[str, Any] | None, app: str) -> None:
    """Print both."""
    if holder is None and freeze is None:
        console.print(f"{app} is free: nobody ships, and nothing is frozen.", markup=False)
    if freeze is not None:
        end = "until somebody lifts it" if freeze["left"] is None else f"until {_moment(freeze['left'])}"
        console.print(f"{app} is frozen {end}: {freeze['reason']}", markup=False, style="yellow")
        _show_person(freeze)
        console.print("[green]->[/green] inv lock.release   (a rollback goes through)")
    if holder is not None:
        show_holder(holder, app)


def show_holder(holder: Mapping[str, Any], app: str) -> None:
    """Print who holds the lock, or who held it when it was killed."""
    if holder["gone"]:
        reason = holder.get("reason", "unknown")
        console.print(f"{app} is free; {holder.get('who')} was killed ({reason}). The next ship takes over by itself.")
        return
    console.print(f"{app} is held: {holder.get('reason')}, since {_span(holder['age'])}", markup=False)
    _show_person(holder)
    state = "gone; it ends by itself" if holder.get("client") == "gone" else f"heard of {_span(holder['quiet'])} ago"
    console.print(f"  client: {state}", markup=False)


def _show_person(entry: Mapping[str, Any]) -> None:
    for name, key in (("by", "who"), ("author", "author"), ("run", "run")):
        if entry.get(key):
            console.print(f"  {name}: {entry[key]}", markup=False)


def _moment(left: float) -> str:
    return f"{datetime.datetime.now() + datetime.timedelta(seconds=left):%a %Y-%m-%d %H:%M}"


def _span(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))
