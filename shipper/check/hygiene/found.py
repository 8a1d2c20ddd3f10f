"""What a rule says about a file. The git side adds which file of which commit it is, and how it gets out of there."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.findings import Severity


@dataclass(frozen=True)
class Found:
    """One result of one rule about one file.

    `line` counts from 1 and is None for a rule about the name. `message` says what is there: of a value only its kind,
    its length in characters and at most its first two characters. `why` says what it leads to, `fix` how the secret
    gets out of the text and what to renew.
    """

    rule: str
    severity: Severity
    line: int | None
    message: str
    why: str
    fix: str
