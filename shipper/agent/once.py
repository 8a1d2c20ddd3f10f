"""Commands of the app that run once, to their end, in a unit of their own: migrations, collected files, hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

from . import causes, diagnosis, systemd
from .errors import AgentError
from .layout import Layout

# The cause stands near the end of what a command wrote.
_READ_LINES = 40


def services_unit(layout: Layout) -> str:
    """Return the name of the unit in which Compose brings up what outlives releases."""
    return f"{layout.app}-services.service"


def once_unit(layout: Layout, step: str, slot_name: str) -> str:
    """Return the name of the unit in which a command of the app runs once for a slot."""
    return f"{layout.app}-{step}-{slot_name}.service"


def run_command(
    unit: str,
    arguments: Mapping[str, Any],
    on_line: Callable[[str], None],
    fix: str,
    variables: Optional[Mapping[str, str]] = None,
) -> None:
    """Run `arguments["command"]` with the systemd properties `arguments["properties"]`, `arguments["timeout"]` seconds
    at most, and with more `variables` than the app's own.

    Raises AgentError that says how it ended, and `fix` where the cause is not a known one.
    """
    command = list(arguments["command"])
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        on_line(line)

    outcome = systemd.run_once(
        unit, command, arguments["properties"], variables or {}, timeout=arguments["timeout"], on_line=keep
    )
    if not outcome.ok:
        shown = arguments.get("shown") or " ".join(command)
        known = causes.known_cause("\n".join(lines[-_READ_LINES:]))
        raise AgentError(
            "release",
            f"`{shown}` failed: {diagnosis.ending(outcome, arguments['timeout'])}.",
            known[0] if known else "",
            known[1] if known else fix,
        )
