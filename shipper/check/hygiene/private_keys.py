"""Finds private keys in PEM and its relatives: as files, in JSON, in one line of an env file, in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import is_made_up
from shipper.findings import Severity

_RULE = "secret.private-key"
_STEM = "private key"
_BEGIN = re.compile(r"-{3,6} ?BEGIN [A-Z0-9 ]{0,24}$")
_END_OF_HEAD = re.compile(r"PRIVATE KEY(?: BLOCK)? ?-{3,6}")
# RFC 7468: lines of 64 characters; an Ed25519 key is the shortest, one line. `\n` may be spelled out.
_BODY = re.compile(r"(?=[^\s]{0,60}\d)(?=[^\s]{0,60}[A-Z])[A-Za-z0-9+/=]{30,}")
_REACH = 900
# Between head and body there may be `Proc-Type:`, `DEK-Info:` (RFC 1421), `Version:`, `Comment:` (RFC 4880).
_FARTHEST_BODY = 240
_LEAST_LETTERS = 14


def find_private_keys(source: Source) -> Iterator[Sighting]:
    """Yield private keys with a body; a header alone is what programs look for."""
    lower = source.lower
    at = lower.find(_STEM) if source.has("key") else -1
    while at >= 0:
        sighting = _at(source, at)
        if sighting:
            yield sighting
        at = lower.find(_STEM, at + len(_STEM))


def _at(source: Source, at: int) -> Sighting | None:
    head = source.match(_END_OF_HEAD, at, 40)
    if not head or not source.search_before(_BEGIN, at, 40):
        return None
    window = source.text[head.end() : head.end() + _REACH]
    source.spent += len(window)
    window = window.partition("---END")[0].replace("\\n", "\n").replace("\\r", "")
    body = _BODY.search(window)
    # Documentation shows the first line and "...".
    if not body or "..." in window or body.start() > _FARTHEST_BODY:
        return None
    if is_made_up(body[0]) or len(set(body[0])) < _LEAST_LETTERS:
        return None
    severity: Severity = "warning" if source.place.test else "error"
    start = head.end()
    return Sighting(_RULE, severity, start, start + len(body[0]), body[0], load_rules().texts[_RULE])
