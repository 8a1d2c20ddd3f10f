"""Ending what a killed agent or a server that went down had begun: it is finished when it can be, else undone.

Only who holds the lock may do this: an activation without an end in the journal is then one that nobody is at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from . import environment, health, hooks, journal, release, systemd
from .errors import AgentError
from .layout import Layout
from .once import once_unit, services_unit
from .settle import settle, wait_healthy

_POLL_SECONDS = 0.2
# The longest a one-off command may run is its own limit in systemd (RuntimeMaxSec); this only bounds the waiting.
_PROGRAM_SECONDS = 3900.0
_HEALTHY_SECONDS = 30.0

Note = Callable[[str], None]


def unfinished(layout: Layout) -> Optional[list[journal.Entry]]:
    """Return the journal's entries of an activation that has no end, None when all have one."""
    entries = journal.latest_activation(layout)
    ended = any(entry.get("kind") in journal.ENDS for entry in entries)
    return entries if entries and not ended else None


def recover(layout: Layout, note: Note) -> None:
    """Finish or undo an activation that was cut off, and say so; nothing when there is none."""
    entries = unfinished(layout)
    if entries is None:
        return
    began = time.monotonic()
    begin = entries[0]
    where = _last_step(entries)
    about = f"The {begin.get('action')} of {begin.get('release')} by {begin.get('who')} was cut off {where}"
    note(f"{about}; it is being ended now.")
    _await_programs(layout, entries, note)
    forward = _goes_forward(layout, entries)
    target = str(begin["release"] if forward else _before(layout, begin))
    if forward:
        release.mark(layout, target, "good")
    undone = settle(layout, target, lambda kind, step, text: note(text) if kind == "failed" else None)
    if not forward:
        release.mark_bad(layout, str(begin["release"]))
    ending = "it was finished" if forward else "it was undone"
    journal.write(
        layout,
        kind=begin.get("action"),
        release=begin["release"],
        previous=begin.get("previous"),
        who=begin.get("who"),
        result="live" if forward else "failed",
        seconds=round(time.monotonic() - began, 3),
        reason=f"cut off {where}; {ending} later",
        undone=[] if forward else undone,
    )
    note(f"{about}; {ending}. {release.live(layout) or 'Nothing'} is live.")
    if forward:
        for step in _hooks_not_run(entries):
            note(f"The hook {step} did not run to its end; do by hand what it was to do.")
    else:
        _run_failure_hooks(layout, begin, f"The {begin.get('action')} was cut off {where}.", note)


def _last_step(entries: Sequence[journal.Entry]) -> str:
    named = [entry for entry in entries if entry.get("kind") == "step"]
    if not named:
        return "at its beginning"
    word = "during" if named[-1].get("state") == "begin" else "after"
    return f"{word} the step {named[-1].get('step')}"


def _hooks_not_run(entries: Sequence[journal.Entry]) -> list[str]:
    """Return the hooks after the switch that were planned and not done; older journals name none."""
    done = {entry.get("step") for entry in entries if entry.get("kind") == "step" and entry.get("state") == "done"}
    return [step for step in entries[0].get("after") or [] if step not in done]


def _before(layout: Layout, begin: Mapping[str, Any]) -> str:
    """Return the release to keep: what is live, unless that is the one that was to become live."""
    alive = release.live(layout)
    return alive if alive != begin["release"] else str(begin.get("previous") or "")


def _goes_forward(layout: Layout, entries: Sequence[journal.Entry]) -> bool:
    """Whether the new release stays: it was seen to work, or it is live and works now."""
    wanted = str(entries[0]["release"])
    record = release.find(layout, wanted)
    if record is None or release.live(layout) != wanted:
        return False
    if any(entry.get("kind") == "verified" for entry in entries):
        return True
    if record.get("slot") and not _comes_up(layout, record):
        return False
    return all(health.ask_nginx(path, record["host"]).ok for path in (health.RELEASE_PATH, *record["paths"]))


def _comes_up(layout: Layout, record: Mapping[str, Any]) -> bool:
    """Whether the backend of a release runs, or can be started, and answers."""
    try:
        systemd.start(layout.unit(str(record["slot"])))  # nothing, where it runs
    except AgentError:  # its slot is gone, or systemd has seen it fail too often: nobody could ship while this raised
        return False
    return wait_healthy(layout, record, _HEALTHY_SECONDS).ok


def _await_programs(layout: Layout, entries: Sequence[journal.Entry], note: Note) -> None:
    """Wait for a migration, a hook or Compose that still runs, in a unit of its own: to kill it would be worse."""
    begun = [str(entry.get("step")) for entry in entries if entry.get("kind") == "step"]
    if not begun:
        return
    step = begun[-1]
    unit = services_unit(layout) if step == "services" else once_unit(layout, step, str(entries[0].get("slot")))
    deadline = time.monotonic() + _PROGRAM_SECONDS
    told = 0.0
    while systemd.state_of(unit).busy and time.monotonic() < deadline:
        if time.monotonic() - told > 10:
            told = time.monotonic()
            note(f"{unit} still runs; waiting for its end.")
        time.sleep(_POLL_SECONDS)


def _run_failure_hooks(layout: Layout, begin: Mapping[str, Any], reason: str, note: Note) -> None:
    """Run the hooks of a failure, which who was killed did not come to."""
    waiting = begin.get("on_failure") or []
    mask = environment.mask_of(layout.env, *(f"{layout.slot(str(hook['slot']))}/env" for hook in waiting))

    def say(kind: str, step: str, text: str) -> None:
        if kind in ("output", "failed"):
            note(mask(f"{step}: {text}"))

    hooks.after_failure(layout, waiting, reason, str(begin.get("previous") or ""), say)
