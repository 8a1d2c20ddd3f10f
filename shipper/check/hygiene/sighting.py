"""A value that a rule has seen, before it is told: with its place in the text, so that no value is told twice."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipper.check.hygiene.rules import Words
from shipper.findings import Severity


@dataclass(frozen=True)
class Sighting:
    """`start` and `end` are offsets in the text; `value` is the secret itself and never leaves this package."""

    rule: str
    severity: Severity
    start: int
    end: int
    value: str = field(repr=False)
    words: Words
