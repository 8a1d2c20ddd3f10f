"""A finding: what a rule has to say about one place. Rules yield findings; `shipper.report` renders them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shipper.errors import FindingsError

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One result of one rule.

    `rule` is the rule's id such as `bake.loopback-url`; `path` is relative to the project and empty when no file is
    meant; `line` counts from 1. `message` says what is wrong, `why` what it leads to, `fix` the exact way out.
    Only severity "error" blocks a ship.
    """

    rule: str
    severity: Severity
    message: str
    why: str = ""
    fix: str = ""
    path: str = ""
    line: int | None = None
    commit: str = ""

    @property
    def where(self) -> str:
        """The place as people write it: `path:line`, `path`, a commit, or nothing."""
        place = f"{self.path}:{self.line}" if self.path and self.line else self.path
        return place or self.commit


def refuse_errors(findings: Iterable[Finding]) -> None:
    """Raise FindingsError with those of severity "error", if there are any."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise FindingsError(errors)
