"""The project's own commands around a switch: run on the server like a migration, or by the client that was asked to.

What a hook is told is in variables named SHIPPER_*; the values of the app's environment come from systemd, as always.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from . import engine, journal, release
from .errors import AgentError
from .layout import Layout
from .once import once_unit, run_command

if TYPE_CHECKING:
    from .steps import Run

BEFORE, AFTER, FAILURE = "before-switch", "after-switch", "on-failure"
# The client ends its hook at the time limit; its answer takes a moment more.
_ANSWER_SECONDS = 30.0
_LONGEST_REASON = 500

Say = Callable[[str, str, str], None]


def take(run: Run, arguments: Mapping[str, Any]) -> str:
    """Do the step of one hook, on the server or over there; return how it is called. Raises AgentError."""
    try:
        if arguments["on"] == "here":
            _ask(run, arguments)
        else:
            _run(
                run.layout,
                arguments,
                {"SHIPPER_PREVIOUS": run.previous, **arguments["variables"]},
                lambda line: run.say("output", arguments["step"], line),
            )
    except AgentError:
        run.failed_hooks.append(arguments["step"])
        raise
    return str(arguments["shown"])


def _ask(run: Run, arguments: Mapping[str, Any]) -> None:
    """Let the client run its hook. One that has left cannot: then the release does not go live."""
    told = run.channel.ask("hook", {"step": arguments["step"]}, timeout=arguments["timeout"] + _ANSWER_SECONDS)
    if not isinstance(told, dict):
        raise AgentError(
            "release",
            f"The hook `{arguments['shown']}` was not run to its end on the machine that ships.",
            "It has left, or was stopped.",
            "Ship again; the old release is still serving.",
        )
    if not told.get("ok"):
        raise AgentError("release", str(told.get("what")), str(told.get("why") or ""), str(told.get("fix") or ""))


def _run(
    layout: Layout, arguments: Mapping[str, Any], variables: Mapping[str, str], on_line: Callable[[str], None]
) -> None:
    unit = once_unit(layout, arguments["step"], arguments["slot"])
    if not arguments["container"]:
        run_command(unit, arguments, on_line, _FIX[_kind(arguments)], variables)
        return
    # A container inherits nothing from what starts it, so it is given its variables by name and value: none is secret.
    given = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    container = unit[: -len(".service")]
    command = [*arguments["container"], "--name", container, *given, *arguments["command"]]
    try:
        run_command(unit, {**arguments, "command": command}, on_line, _FIX[_kind(arguments)])
    except AgentError:
        # At the time limit only Compose is ended, not what it had started.
        with suppress(AgentError):
            engine.ask("DELETE", f"/containers/{container}", {"force": "true"})
        raise


def _kind(arguments: Mapping[str, Any]) -> str:
    return str(arguments["step"]).partition(".")[0]


_FIX = {
    BEFORE: "The lines above are its output. Mend it and ship again; the old release is still serving.",
    AFTER: "The release is live. The lines above are the hook's output; do by hand what it was to do, or ship again.",
    FAILURE: "The lines above are its output.",
}


def after_failure(layout: Layout, hooks: Sequence[Mapping[str, Any]], reason: str, previous: str, say: Say) -> None:
    """Run the hooks of a failure, in the slot of what is live. Whatever becomes of them, nothing is raised.

    The end of the activation is in the journal by then: hooks that bring the server down are not run again and again.
    `reason` is what failed, with no secret in it.
    """
    text = " ".join(reason.split())[:_LONGEST_REASON]
    for arguments in hooks:
        step, began = str(arguments["step"]), time.monotonic()
        variables = {**arguments["variables"], "SHIPPER_PREVIOUS": previous, "SHIPPER_REASON": text}
        state = "done"
        say("start", step, "")
        try:
            if not os.path.isdir(layout.slot(arguments["slot"])):
                raise AgentError("release", "The slot in which it was to run is not there any more.")
            _run(layout, arguments, variables, partial(say, "output", step))
            say("done", step, str(arguments["shown"]))
        except Exception as error:  # whatever it is: what failed first is what is told
            state = "failed"
            say("failed", step, error.what if isinstance(error, AgentError) else str(error))
        with suppress(OSError):
            seconds = round(time.monotonic() - began, 3)
            journal.write(layout, kind="hook", step=step, state=state, seconds=seconds, live=release.live(layout))
