"""Bringing a release live: runs the steps that the client planned, and puts everything back when one fails.

As long as the old backend runs, any failure makes the server what it was. From then on the new release is live for
good; what follows (stop, prune) only tidies up, and a failure there is told, not undone. Nothing here waits for the
client: one that has left misses the events, and the journal has them. The journal is written before a step acts, so
that whoever comes after a killed agent can finish or undo its work (shipper.agent.recovery).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from . import hooks, journal, limit, release, steps, store
from .channel import Channel
from .errors import AgentError
from .layout import Layout
from .settle import settle
from .steps import Run, Step


def activate(layout: Layout, request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run `request["steps"]`, each `{"step": name, ...}`, for the release whose record is `request["release"]`.

    `action` is "ship" or "rollback" and `who` a person, both for the journal; `limit` is in seconds, for each step, on
    top of what its own arguments allow. Returns the live release, the seconds it took, the troubles after the switch,
    and the hooks among them. The steps in `request["on_failure"]` are run after a failure was undone. Raises AgentError
    when the old release was kept.
    """
    record = dict(request["release"])
    previous = release.live(layout)
    before = release.find(layout, previous) or {}
    run = Run(layout, record, channel, previous, str(before.get("slot") or ""), limit=request["limit"])
    started = time.monotonic()
    entry = {
        "kind": request["action"],
        "release": record["id"],
        "previous": run.previous,
        "who": request["holder"]["who"],
    }
    failing = request.get("on_failure") or []
    try:
        begin = {**entry, "kind": "begin", "action": request["action"], "slot": run.slot}
        after = [one["step"] for one in request["steps"] if one["step"].partition(".")[0] == hooks.AFTER]
        journal.write(layout, **begin, on_failure=failing, after=after)
        rest = _until_verified(run, request["steps"])
        journal.write(layout, kind="verified", release=record["id"])
    except BaseException as error:
        undone = settle(layout, run.previous, run.say)
        reason = run.mask(str(error))
        with suppress(OSError):  # a full disk may be what failed; the client is told in any case
            release.mark_bad(layout, record["id"])
            journal.write(layout, **entry, result="failed", seconds=_since(started), reason=reason, undone=undone)
        hooks.after_failure(layout, failing, run.mask(_what(error)), run.previous, run.say)
        if isinstance(error, OSError):
            raise store.write_error(error, layout.root) from error
        raise
    with suppress(OSError):  # a full disk: tidying up makes room
        _mark_good(run)
    _tidy(run, rest)
    try:
        _mark_good(run)
        journal.write(layout, **entry, result="live", seconds=_since(started), trouble=run.trouble)
    except OSError as error:  # it is live for good; who finds no end in the journal writes both (recovery)
        run.trouble.append(store.write_error(error, layout.root).what)
    return {"live": release.live(layout), "seconds": _since(started), "trouble": run.trouble, "hooks": run.failed_hooks}


def _until_verified(run: Run, planned: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    for index, arguments in enumerate(planned):
        step = steps.named(arguments["step"])
        if step.tidies:
            return planned[index:]
        steps.stop_if_asked(run)
        _take(run, step, arguments)
    return ()


def _mark_good(run: Run) -> None:
    if release.record(run.layout, run.record["id"])["state"] != "good":
        release.mark(run.layout, run.record["id"], "good")
    release.drop_prepared(run.layout)


def _take(run: Run, step: Step, arguments: dict[str, Any]) -> None:
    name = str(arguments["step"])
    began = time.monotonic()
    run.say("start", name)
    journal.write(run.layout, kind="step", step=name, state="begin")
    try:
        with limit.within(limit.seconds_of(arguments, run.limit), name):
            text = step.act(run, arguments)
    except BaseException as error:
        run.say("failed", name, _what(error), seconds=_since(began))
        with suppress(OSError):  # a full disk must not hide what failed first
            journal.write(run.layout, kind="step", step=name, state="failed", seconds=_since(began))
        raise
    journal.write(run.layout, kind="step", step=name, state="done", seconds=_since(began))
    run.say("done", name, text, seconds=_since(began))


def _what(error: BaseException) -> str:
    return error.what if isinstance(error, AgentError) else str(error) or type(error).__name__


def _tidy(run: Run, planned: Sequence[dict[str, Any]]) -> None:
    for arguments in planned:
        step = steps.named(arguments["step"])
        try:
            _take(run, step, arguments)
        except (AgentError, OSError) as error:
            run.trouble.append(run.mask(f"{arguments['step']}: {error}"))


def _since(moment: float) -> float:
    return round(time.monotonic() - moment, 3)
