"""The errors that reach people: one type per boundary, each with its exit code.

Every error says what happened, why (when that is known) and what to type next. The renderings are in
`shipper.report`; no other module prints an error.

ShipperError                  1  a step failed; the old release is still serving
├── BuildError                1  a build on this machine failed
├── ReleaseError              1  the server could not bring the release up and kept the old one
├── HookError                 1  a hook of the project failed before the switch
├── RepositoryError           1  git could not read what was to be checked
├── ConfigError               2  usage, or something in ship.toml
├── FindingsError             3  findings of severity "error" block the ship
├── HostError                 4  the server could not be reached or is not fit to be shipped to
│   ├── ConnectionLostError   4  it was reached, and then the connection was gone
│   └── StaleError            4  it is not what this machine took it for; seen before anything was changed
├── LockHeldError             5  somebody else is shipping
├── AfterSwitchError          6  the new release is live, but a hook after the switch failed
└── StoppedError            130  somebody pressed Ctrl-C, and the server ended in order
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipper.events import Event
    from shipper.findings import Finding


class ShipperError(Exception):
    """An expected failure, shown to people without a traceback.

    `what` is one sentence about what happened, `why` its cause or the evidence (may have several lines), `fix` the
    next command or edit. `exit_code` is the exit code of the process (docs/architecture.md, "Exit codes"). `stages` are
    the steps that had ended before, for reports.
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        self.stages: tuple[Event, ...] = ()

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.fix) if part)


class BuildError(ShipperError):
    """A build on this machine failed; the server was not touched."""


class ReleaseError(ShipperError):
    """The server could not bring the release up; it undid its steps and the old release is still serving."""


class RepositoryError(ShipperError):
    """Git could not read what was to be checked: a check that did not see everything is not a pass."""


class ConfigError(ShipperError):
    """Wrong usage, or something in `ship.toml` (or another file of the project) that cannot be right."""

    exit_code = 2


class FindingsError(ShipperError):
    """Findings of severity "error" block the ship."""

    exit_code = 3

    def __init__(self, findings: Sequence[Finding]) -> None:
        count = len(findings)
        super().__init__(f"{count} finding{'s' if count != 1 else ''} must be settled before this can be shipped.")
        self.findings = tuple(findings)


class HostError(ShipperError):
    """The server could not be reached, would not let us in, or lacks something without which nothing works."""

    exit_code = 4


class ConnectionLostError(HostError):
    """The connection was there and is gone; what is safe to repeat may be tried again."""


class StaleError(HostError):
    """The server is not what this machine took it for, which was seen before anything was changed there."""


class HookError(ShipperError):
    """A hook of the project failed before the switch, or was ended; the old release is still serving."""


class AfterSwitchError(ShipperError):
    """The new release is live and stays, but a hook after the switch failed: what it does is not done."""

    exit_code = 6


class LockHeldError(ShipperError):
    """Somebody else is changing this app on the server right now."""

    exit_code = 5


class StoppedError(ShipperError):
    """Somebody pressed Ctrl-C; what was begun on the server ended in order."""

    exit_code = 130


class StoppedTooLateError(StoppedError):
    """Somebody pressed Ctrl-C when what was begun on the server could only end well: it is done."""
