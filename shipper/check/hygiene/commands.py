"""Finds passwords in command lines, calls and phrases, where nothing but their place says what they are."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from shipper.check.hygiene.naming import severity_of
from shipper.check.hygiene.rules import Shape, load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.tokens import find_near
from shipper.check.hygiene.values import grade

_GROUPS = ("value", "value2", "value3")
_ENCODED = re.compile(
    r"""(?:basic[ ]{1,3}|_auth[ ]{0,2}=[ ]{0,2}["']?|"auth"\s{0,4}:\s{0,4}")(?P<value>[A-Za-z0-9+/]{8,300}={0,2})""",
    re.IGNORECASE,
)
# A header (RFC 7617), npm's .npmrc, Docker's config.json.
_ANNOUNCE = ("basic ", "_auth", '"auth"')
_BASIC_RULE = "secret.basic-header"


def find_in_commands(source: Source) -> Iterator[Sighting]:
    """Yield what stands where a program takes a password."""
    for shape, offset in find_near(source, load_rules().lines):
        sighting = _at(source, shape, offset)
        if sighting:
            yield sighting


def find_basic_headers(source: Source) -> Iterator[Sighting]:
    """Yield what stands where base64 of a user and a password does (RFC 7617), if it is that."""
    for near in _ANNOUNCE:
        at = source.lower.find(near) if source.has(near) else -1
        while at >= 0:
            sighting = _encoded_at(source, at)
            if sighting:
                yield sighting
            at = source.lower.find(near, at + len(near))


def _encoded_at(source: Source, at: int) -> Sighting | None:
    found = source.match(_ENCODED, at, 330)
    if not found:
        return None
    password = _password_of(found["value"])
    worth = grade(password, "password")
    severity = severity_of(worth, "password", password, source.place)
    if severity is None or worth == "word":
        return None
    words = load_rules().texts[_BASIC_RULE]
    return Sighting(_BASIC_RULE, severity, found.start("value"), found.end("value"), found["value"], words)


def _at(source: Source, shape: Shape, offset: int) -> Sighting | None:
    announced = source.search_before(shape.before, offset, 200) if shape.before else None
    if shape.before and not announced:
        return None
    found = source.match(shape.pattern, offset, shape.reach)
    holder = announced if announced and "value" in announced.re.groupindex else found
    if not found or not holder:
        return None
    group = next((name for name in _GROUPS if holder.groupdict().get(name)), "")
    if not group:
        return None
    value = holder[group].strip("\"'").rstrip(",;.)*`")
    worth = grade(value, shape.kind)
    severity = severity_of(worth, shape.kind, value, source.place)
    if severity is None or worth == "word":
        return None
    start = source.text.find(value, max(0, offset - 200) if holder is announced else offset)
    return Sighting(shape.rule, severity, start, start + len(value), value, shape.words)


def _password_of(encoded: str) -> str:
    try:
        user, colon, password = (
            b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode("utf-8").partition(":")
        )
    except (Error, UnicodeDecodeError):
        return ""
    return password if colon and user.isprintable() and password.isprintable() else ""
