"""Finds values that stand alone in a fenced block of a document, below a line that only names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.check.hygiene.naming import severity_of
from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.tables import kind_of_head
from shipper.check.hygiene.values import grade

# CommonMark 4.5: a fence may be indented; here one line of text without a blank in it is all that stands inside.
_BLOCK = re.compile(
    r"[ \t]{0,8}(?:```|~~~)[^\n`]{0,20}\r?\n[ \t]{0,8}(?P<value>[!-~]{4,200})[ \t]{0,4}\r?\n[ \t]{0,8}(?:```|~~~)"
)
_LABEL = re.compile(r"(?P<label>[^\n]{2,60}?)[ \t]{0,4}(?:\r?\n[ \t]{0,8}){1,2}\Z")
_REACH_BACK = 80
_REACH = 260


def find_in_fences(source: Source) -> Iterator[Sighting]:
    """Yield the value of every block of one line whose line above is the name of a secret, with or without a colon."""
    for fence in ("```", "~~~"):
        at = source.text.find(fence)
        while at >= 0:
            begin = source.text.rfind("\n", 0, at) + 1
            block = source.match(_BLOCK, begin, _REACH)
            if block is None:
                at = source.text.find(fence, at + 3)
                continue
            sighting = _judge(source, begin, block)
            if sighting:
                yield sighting
            at = source.text.find(fence, block.end())


def _judge(source: Source, begin: int, block: re.Match[str]) -> Sighting | None:
    above = source.text[max(0, begin - _REACH_BACK) : begin]
    source.spent += len(above)
    label = _LABEL.search(above.rpartition("\n\n\n")[2])
    kind = kind_of_head(_bare(label["label"])) if label else None
    if kind is None:
        return None
    value = block["value"]
    # A line alone is judged as strictly as a value in a sentence.
    severity = severity_of(grade(value, "phrase" if kind == "password" else kind), kind, value, source.place)
    if severity is None:
        return None
    return Sighting(f"secret.{kind}", severity, *block.span("value"), value, load_rules().texts[kind])


def _bare(label: str) -> str:
    return re.sub(r"^[#>*\-\d.\s]{0,12}", "", label).strip("*_`:： \t")
