"""What a rule about names or contents has to say about one file; where the file was found is added by others."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.findings import Severity


@dataclass(frozen=True)
class Found:
    """One result of one rule; `line` counts from 1 and is None when the whole file is meant."""

    rule: str
    severity: Severity
    line: int | None
    message: str
    why: str
    fix: str
