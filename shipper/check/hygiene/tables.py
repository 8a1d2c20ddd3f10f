"""Finds secrets in the columns of tables: Markdown, HTML and CSV, where only the head names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.check.hygiene.labels import OTHER_STEMS, kind_of_label
from shipper.check.hygiene.naming import severity_of
from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import grade

# The line between the head and the rows.
_RULE_OF_TABLE = re.compile(r"\|[ ]?:?-")
_LONGEST_ROW = 4000
_HTML_CELL = re.compile(r"<t[hd]\b[^<>]{0,200}>(?P<cell>[^\n]{0,300}?)</t[hd]>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,100}>")
_MOST_ROWS = 400
_LONGEST_LINE = 2000
_NAME = re.compile(r"[A-Za-zñ][\w .-]{0,40}")


def find_in_markdown_tables(source: Source) -> Iterator[Sighting]:
    """Yield secrets below a head such as `| Server | ID | Password |`."""
    text = source.text
    rule = _RULE_OF_TABLE.search(text)
    while rule:
        begin = text.rfind("\n", 0, rule.start()) + 1
        head_begin = text.rfind("\n", 0, max(0, begin - 1)) + 1
        end = text.find("\n", rule.start())
        if end < 0:
            return
        kinds: list[str | None] = []
        if begin and begin - head_begin <= _LONGEST_LINE:
            source.spent += begin - head_begin
            kinds = [kind_of_head(cell) for cell in _cells(text[head_begin : begin - 1])]
        if any(kinds):
            rows = list(_rows(source, end + 1))
            for row_begin, line in rows:
                yield from _cells_of_row(source, kinds, _cells(line), row_begin)
            # No row is read twice, whatever stands in it.
            end = rows[-1][0] + len(rows[-1][1]) if rows else end
        rule = _RULE_OF_TABLE.search(text, end)


def find_in_html_tables(source: Source) -> Iterator[Sighting]:
    """Yield secrets below a row of `<th>`, as wikis export their tables."""
    if not source.has("<th"):
        return
    kinds: list[str | None] = []
    at = source.lower.find("<tr")
    while at >= 0:
        following = source.lower.find("<tr", at + 3)
        end = min(following if following >= 0 else len(source.text), at + _LONGEST_ROW)
        row = source.text[at:end]
        source.spent += len(row)
        cells = [_TAG.sub("", cell["cell"]) for cell in _HTML_CELL.finditer(row)]
        if "<td" not in row.lower():
            kinds = [kind_of_head(cell) for cell in cells]
        elif any(kinds):
            yield from _cells_of_row(source, kinds, cells, at)
        at = following


def _rows(source: Source, begin: int) -> Iterator[tuple[int, str]]:
    """Yield where each row begins and its text, up to the first line that is none."""
    text = source.text
    for _ in range(_MOST_ROWS):
        end = text.find("\n", begin)
        line = text[begin : end if end >= 0 else len(text)]
        source.spent += len(line)
        if "|" not in line or len(line) > _LONGEST_LINE:
            return
        yield begin, line
        if end < 0:
            return
        begin = end + 1


def _cells_of_row(source: Source, kinds: list[str | None], cells: list[str], begin: int) -> Iterator[Sighting]:
    for kind, cell in zip(kinds, cells, strict=False):
        value = cell.strip().strip("*`_ ").rpartition(" / ")[2]
        severity = (
            severity_of(grade(value, "phrase" if kind == "password" else kind), kind, value, source.place)
            if kind
            else None
        )
        if kind and severity:
            start = max(begin, source.text.find(value, begin))
            yield Sighting(f"secret.{kind}", severity, start, start + len(value), value, load_rules().texts[kind])


def _cells(line: str) -> list[str]:
    return line.strip().strip("|").split("|")


def kind_of_head(head: str) -> str | None:
    """Return what stands below a head (of a column, of a block): `Password`, `ID / PW`, `초기 비밀번호`."""
    bare = head.strip().strip("\"'*`_ ").rpartition("/")[2].strip()
    if bare.isascii() or "ñ" in bare:
        return kind_of_label(bare.replace(" ", "_")) if _NAME.fullmatch(bare) else None
    if len(bare) > 20:
        return None
    return next(
        (kind for stem, kind in OTHER_STEMS.items() if bare.replace(" ", "").endswith((stem, stem + "값"))), None
    )


def find_in_csv(source: Source) -> Iterator[Sighting]:
    """Yield one sighting for a table of values whose first line names a secret column, with the first value of it."""
    import csv

    head = source.text.partition("\n")[0]
    if len(head) > _LONGEST_LINE:
        return
    delimiter = max("\t;,|", key=head.count)
    kinds = [kind_of_head(cell) for cell in next(csv.reader([head], delimiter=delimiter), [])]
    if not any(kinds):
        return
    begin = len(head) + 1
    for _ in range(_MOST_ROWS):
        end = source.text.find("\n", begin)
        line = source.text[begin : end if end >= 0 else len(source.text)]
        source.spent += len(line)
        if len(line) <= _LONGEST_LINE:
            for kind, cell in zip(kinds, _read_row(line, delimiter), strict=False):
                if kind and grade(cell.strip(), kind) in ("real", "common"):
                    words = load_rules().texts["secret.csv-column"]
                    severity = severity_of("real", kind, cell.strip(), source.place)
                    if severity:
                        yield Sighting("secret.csv-column", severity, begin, begin + len(line), cell.strip(), words)
                        return
        if end < 0:
            return
        begin = end + 1


def _read_row(line: str, delimiter: str) -> list[str]:
    import csv

    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
