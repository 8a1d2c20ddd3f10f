"""Finds the values in manifests of kind Secret, where base64 hides them from people and from nobody else."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from shipper.check.hygiene.labels import kind_of_label
from shipper.check.hygiene.naming import severity_of
from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import Grade, grade, is_made_up

_RULE = "secret.kubernetes-secret"
_KIND = re.compile(r"""["']?kind["']?\s{0,4}:\s{0,4}["']?secret["']?[ \t]{0,4}(?:[,}\r\n#]|$)""")
_DATA = re.compile(
    r"""^(?P<indent>[ \t]{0,12})["']?(?P<what>data|stringData)["']?[ \t]{0,4}:[ \t]{0,4}\{?[ \t]{0,4}\r?$""",
    re.MULTILINE,
)
_ENTRY = re.compile(
    r"""(?P<indent>[ \t]{1,24})["']?(?P<name>[\w.-]{1,100})["']?[ \t]{0,4}:[ \t]{0,4}(?P<value>[^\n]{0,4000})"""
)
_MOST_LINES = 300


def find_in_manifests(source: Source) -> Iterator[Sighting]:
    """Yield the values below `data:` and `stringData:` of every document of kind Secret."""
    if "secret" not in source.lower or "kind" not in source.lower or source.place.code or source.place.document:
        return
    for begin, end in _documents(source.text):
        text = source.lower[begin:end]
        if "secret" not in text:
            continue
        source.spent += 2 * len(text)
        if _KIND.search(text):
            for data in _DATA.finditer(source.text, begin, end):
                yield from _entries(source, data, end)


def _documents(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    while True:
        end = text.find("\n---", begin)
        if end < 0:
            yield begin, len(text)
            return
        yield begin, end
        begin = end + 4


def _entries(source: Source, data: re.Match[str], limit: int) -> Iterator[Sighting]:
    begin = data.end() + 1
    for _ in range(_MOST_LINES):
        end = source.text.find("\n", begin, limit)
        end = limit if end < 0 else end
        entry = source.match(_ENTRY, begin, min(end - begin, 4200))
        if not entry or len(entry["indent"]) <= len(data["indent"]):
            return
        yield from _entry(source, entry, encoded=data["what"] == "data")
        begin = end + 1
        if begin >= limit:
            return


def _entry(source: Source, entry: re.Match[str], *, encoded: bool) -> Iterator[Sighting]:
    value = entry["value"].partition(" #")[0].strip().rstrip(",").strip("\"'")
    plain = _decode(value) if encoded else value
    worth: Grade = "none"
    if plain:
        kind = kind_of_label(entry["name"])
        kind = "secret" if kind in ("token", "key") else kind or "phrase"
        whole = "-----BEGIN" in plain or len(plain) >= 200 or (encoded and _holds_secret(entry["name"], plain))
        worth = "real" if whole else grade(plain, kind)
        worth = "none" if is_made_up(plain) else worth
    severity = severity_of(worth, "password", plain, source.place) if plain else None
    if severity:
        start = entry.start("value")
        yield Sighting(_RULE, severity, start, start + len(entry["value"]), value, load_rules().texts[_RULE])


def _holds_secret(name: str, plain: str) -> bool:
    """Tell a whole file with a secret in it: `.dockerconfigjson`, `application.properties`."""
    if not any(mark in plain for mark in "\n={:"):
        return False
    from shipper.check.hygiene.contents import check_contents

    return any(found.severity == "error" for found in check_contents(name, plain.encode()))


def _decode(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode("utf-8", "replace").strip()
    except (Error, ValueError):
        return ""
