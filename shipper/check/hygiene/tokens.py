"""Values with a shape of their own: tokens of known providers, signed tokens, and what a fixed text announces."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from bisect import bisect_right
from collections.abc import Iterator
from hashlib import sha256
from itertools import accumulate
from typing import Any

from shipper.check.hygiene.rules import Gated, Shape, load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import is_made_up
from shipper.findings import Severity

# Every token has a run of this many letters, digits, "_" and "-" in it; hardly a word does.
_NEEDLE = b"a" * 20
_IN_RUN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_RUNS = bytes(ord("a") if byte in _IN_RUN else ord(" ") for byte in range(256))
_DIGITS = bytes(ord("1") if chr(byte).isdigit() and byte < 128 else ord(" ") for byte in range(256))
# ... and may begin with a short word and a dot: SG.x.y, hvs.x, dp.audit.x, pat and 14 letters.
_BEFORE_RUN = 18
# "\\n" and "%20" before a word are spellings of a blank or a mark, not part of the word.
_BLANK = re.compile(r"\\[nrt]|%[0-9A-Fa-f]{2}")
# Keys that documentation prints, as SHA-256 (the keys themselves would alarm the push protection of others): two test
# keys of Stripe, the signature on jwt.io, the well-known account key of Azurite.
_DOCUMENTED = frozenset(
    [
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
        "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",
        "051d093c4bdedbf23f905ad01d9c6111414d54e2170e1d7f76657c4e76e3e65b",
        "df5f4ab60dbe64375706c7920f52407e82d6482213f3ddb20596302b3d9e6567",
    ]
)


def find_tokens(source: Source) -> Iterator[Sighting]:
    """Yield the tokens of known providers, looked for only where there is a long run of letters and digits."""
    windows, origins = _windows(source)
    # One search over all of them: a search for each would cost more than what it looks at.
    joined = " ".join(windows)
    source.spent += len(joined)
    rules, taken = load_rules(), 0
    begins: list[int] = []
    for found in rules.starts.finditer(joined):
        if not begins:
            begins = list(accumulate((len(window) + 1 for window in windows[:-1]), initial=0))
        window = bisect_right(begins, found.start()) - 1
        offset = origins[window] + found.start() - begins[window]
        # A window may begin within a word.
        within = found.start() == begins[window] and source.text[offset - 1 : offset].isalnum()
        for shape in rules.tokens[found[0]] if offset >= taken and not within else ():
            sighting = _token_at(source, shape, offset)
            if sighting:
                taken = sighting.end
                yield sighting
                break


def _windows(source: Source) -> tuple[list[str], list[int]]:
    """Return the texts in which tokens may begin, and where each stands."""
    text, runs, digits = source.text, source.raw.translate(_RUNS), source.raw.translate(_DIGITS)
    windows, origins, end = [], [], 0
    at = runs.find(_NEEDLE)
    while at >= 0:
        start = runs.rfind(b" ", 0, at) + 1
        first = max(end, start - _BEFORE_RUN)
        end = runs.find(b" ", at)
        end = len(runs) if end < 0 else end
        at = runs.find(_NEEDLE, end)
        window = text[first:end]
        # The long names in programs: no token is without both digits and capitals.
        if digits.find(b"1", start, end) < 0 and window.islower():
            continue
        windows.append(_BLANK.sub(_as_blanks, window) if "\\" in window or "%" in window else window)
        origins.append(first)
    return windows, origins


def _as_blanks(spelled: re.Match[str]) -> str:
    return " " * len(spelled[0])


def find_announced(source: Source) -> Iterator[Sighting]:
    """Yield values that a fixed text stands before: webhooks, connection strings, key files, hashes of passwords."""
    for shape, offset in find_near(source, load_rules().places):
        is_hash = shape.rule == "secret.password-hash"
        if is_hash and (source.shaped_only or source.place.test or source.place.document):
            continue
        found = source.match(shape.pattern, offset, shape.reach)
        if found and (is_hash or not _is_known(found["value"])):
            severity: Severity = "warning" if source.place.test else shape.severity
            yield Sighting(shape.rule, severity, found.start("value"), found.end("value"), found["value"], shape.words)


def find_near(source: Source, rules: Gated) -> Iterator[tuple[Shape, int]]:
    """Yield every rule with every offset at which one of its texts stands."""
    place = source.place
    shows_code = place.code or place.document or place.suffix == "ipynb"
    for (where, needs, gates), shapes in rules.items():
        if (where == "code" and not shows_code) or (where == "text" and place.code):
            continue
        if (shapes[0].documents and not place.document) or (needs and not source.has(needs)):
            continue
        if gates and not any(map(source.has, gates)):
            continue
        for shape in shapes:
            if shape.documents and not place.document:
                continue
            for near in shape.near:
                at = source.lower.find(near) if source.has(near) else -1
                while at >= 0:
                    yield shape, at
                    at = source.lower.find(near, at + len(near))


def _token_at(source: Source, shape: Shape, offset: int) -> Sighting | None:
    head = source.search_before(shape.before, offset, 60) if shape.before else None
    if shape.before and not head:
        return None
    found = source.match(shape.pattern, offset, shape.reach)
    if not found:
        return None
    value = f"{head['head']}{found[0]}" if head else found[0]
    severity = _severity(source, shape, value, offset)
    if severity is None:
        return None
    return Sighting(shape.rule, severity, found.end() - len(value), found.end(), value, shape.words)


def _severity(source: Source, shape: Shape, value: str, offset: int) -> Severity | None:
    if shape.rule == "secret.jwt":
        return _severity_of_jwt(source, value)
    if _is_known(value):
        return None
    if shape.severity == "warning" and source.place.test:
        return None
    if shape.rule == "secret.google-api-key" and _is_firebase(source, offset):
        return "warning"
    return shape.severity


def _is_known(value: str) -> bool:
    return is_made_up(value) or sha256(value.encode()).hexdigest() in _DOCUMENTED


def _is_firebase(source: Source, offset: int) -> bool:
    """Tell the key of a Firebase web or mobile app: it is in every copy of the app, and only its restrictions count.

    https://firebase.google.com/docs/projects/api-keys
    """
    around = source.lower[max(0, offset - 500) : offset + 500]
    name = source.place.path.rpartition("/")[2].lower()
    return (
        "authdomain" in around
        or "firebaseapp" in around
        or name in ("google-services.json", "googleservice-info.plist")
    )


def _severity_of_jwt(source: Source, value: str) -> Severity | None:
    header, payload, signature = value.split(".", 2)
    head, claims = _read_part(header), _read_part(payload)
    if "alg" not in head or sha256(signature.encode()).hexdigest() in _DOCUMENTED:
        return None
    # The subject of every example since RFC 7519; the key that Supabase gives to every browser.
    if claims.get("sub") == "1234567890" or claims.get("name") == "John Doe" or claims.get("role") == "anon":
        return None
    place = source.place
    return "warning" if place.test or place.document or place.example else "error"


def _read_part(part: str) -> dict[str, Any]:
    try:
        read = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
