"""Finds passwords and keys that SQL puts into a table: `INSERT INTO users (name, password) VALUES ('kim', '...')`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.check.hygiene.labels import kind_of_label
from shipper.check.hygiene.naming import severity_of
from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import grade

_COLUMNS = re.compile(
    r"""insert\s{1,8}(?:or\s{1,4}\w{1,10}\s{1,4}|ignore\s{1,4})?into\s{1,8}[\w."`\[\]\\]{1,80}\s{0,8}"""
    r"""\((?P<columns>[^()]{1,600})\)\s{0,8}(?:overriding\s{1,4}\w{1,8}\s{1,4}value\s{1,8})?values?\s{0,8}""",
    re.IGNORECASE,
)
_ROW = re.compile(r"\s{0,40},?\s{0,40}\(")
# A text of SQL doubles its quotes; anything else is a number, a call or a parameter.
_CELL = re.compile(
    r"""\s{0,40}(?:[en]?'(?P<text>(?:[^'\n]|''){0,300})'|[^,'()]{0,120}(?:\([^()]{0,200}\))?[^,'()]{0,40})"""
    r"""\s{0,40}(?P<end>[,)])""",
    re.IGNORECASE,
)
_REACH = 900
_MOST_ROWS = 400
_MOST_COLUMNS = 60


def find_in_inserts(source: Source) -> Iterator[Sighting]:
    """Yield the plain texts in those columns whose names say that they hold a secret."""
    at = source.lower.find("insert") if source.has("insert") else -1
    while at >= 0:
        head = source.match(_COLUMNS, at, _REACH)
        kinds = _kinds(head["columns"]) if head else []
        end = head.end() if head else at + 6
        if any(kinds):
            for cell, kind in _cells(source, kinds, end):
                sighting = _judge(source, cell, kind)
                if sighting:
                    yield sighting
        at = source.lower.find("insert", end)


def _kinds(columns: str) -> list[str | None]:
    names = [name.strip().strip('"`[]\\') for name in columns.split(",")]
    return [kind_of_label(name) for name in names[:_MOST_COLUMNS]]


def _cells(source: Source, kinds: list[str | None], at: int) -> Iterator[tuple[re.Match[str], str]]:
    """Yield every text in a column that holds a secret, with what the column holds."""
    for _ in range(_MOST_ROWS):
        row = source.match(_ROW, at, 90)
        if row is None:
            return
        at = row.end()
        for kind in kinds:
            cell = source.match(_CELL, at, 720)
            if cell is None:
                return
            at = cell.end()
            if kind and cell["text"]:
                yield cell, kind
            if cell["end"] == ")":
                break
        else:
            return


def _judge(source: Source, cell: re.Match[str], kind: str) -> Sighting | None:
    value = cell["text"].replace("''", "'")
    severity = severity_of(grade(value, kind), kind, value, source.place)
    # `('password')` in a list of fields is no password; what people really use is told all the same.
    if severity is None or grade(value, kind) == "word":
        return None
    return Sighting(f"secret.{kind}", severity, *cell.span("text"), cell["text"], load_rules().texts[kind])
