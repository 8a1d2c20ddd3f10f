"""Makes the table of a whole run of the fault matrix: `python tests/faults/table.py <junit xml> <folder>`."""

from __future__ import annotations

import datetime
import json
import os
import re
import statistics
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

Cell = dict[str, Any]

_CELL = re.compile(r"test_cell\[(ship|rollback|stop-first|containers)-(before-.+?)-([a-z]+-(?:[a-z]+|out-of-memory))\]")
_NUMBERS = ("place", "usual", "said", "begun", "seconds", "load")
# Issue 3: after a killed client the next ship begins, or says that it waits, within 5 s; after a network that is gone
# without a word it begins within 60 s.
_LIMITS = {"client-killed": ("begins or says so", 5.0), "network-cut": ("begins", 60.0)}


def read(file: Path) -> list[Cell]:
    """Return the cells of a run, each with course, boundary, fault, what failed ("" for nothing) and numbers.

    These are the place among all cells, by which they are sorted, the load of the machine, the seconds that a ship
    before the fault took until it had begun ("usual"), and those from the fault until the next ship `said` that it
    waits (None: it did not), until it had `begun`, and until it was done ("seconds").
    """
    cells: list[Cell] = []
    for case in ElementTree.parse(file).iter("testcase"):
        match = _CELL.fullmatch(case.get("name") or "")
        if not match:
            continue
        failure = case.find("failure") if case.find("failure") is not None else case.find("error")
        values = {entry.get("name"): entry.get("value") for entry in case.iter("property")}
        numbers = {name: float(text) if (text := values.get(name)) else None for name in _NUMBERS}
        words = "" if failure is None else str(failure.get("message")).splitlines()[0][:200]
        names = dict(zip(("course", "boundary", "fault"), match.groups(), strict=True))
        cells.append({**names, "failure": words, **numbers})
    return sorted(cells, key=lambda cell: cell["place"] or 0)  # several servers end theirs in any order


def markdown(cells: list[Cell], day: str) -> str:
    """Return the cells as a table: a row for each boundary, a column for each fault; then how soon the next begins."""
    faults = list(dict.fromkeys(cell["fault"] for cell in cells))
    rows = list(dict.fromkeys((cell["course"], cell["boundary"]) for cell in cells))
    found = {(cell["course"], cell["boundary"], cell["fault"]): cell for cell in cells}
    good = sum(not cell["failure"] for cell in cells)
    lines = [
        f"# Faults, {day}",
        "",
        f"`make faults`: {good} of {len(cells)} cells hold. A number is the seconds from the fault to the end of a",
        "plain `ship` that somebody typed right after it; an empty cell cannot happen, or is not tried on this way.",
        "",
        "| | " + " | ".join(faults) + " |",
        "|---" * (len(faults) + 1) + "|",
    ]
    for course, boundary in rows:
        marks = [_mark(found.get((course, boundary, fault))) for fault in faults]
        lines.append(f"| {course}, {boundary.replace('-', ' ', 1)} | " + " | ".join(marks) + " |")
    failed = [f"- {c['course']}, {c['boundary']}, {c['fault']}: {c['failure']}" for c in cells if c["failure"]]
    return "\n".join([*lines, *(["", *failed] if failed else []), "", *_starts(cells, faults)]) + "\n"


def _mark(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return "**failed**" if cell["failure"] else f"{cell['seconds']}"


def _starts(cells: list[Cell], faults: list[str]) -> list[str]:
    """Return the lines about how soon the next ship begins, with nothing done by hand in between."""
    lines = [
        "## How soon the next ship begins",
        "",
        "Seconds from the fault, the slowest of each column: until a ship that had nothing to wait for began to change",
        "the server (the start of the program and the build are in it); for one that had to wait for the end of what",
        "was cut off, until it said so, and until it began. Nobody typed anything in between. The load of the machine",
        f"(runnable processes, median over the cells) was {_load(cells)}; the first ship of each cell, before which",
        f"nothing happened, began after {_usual(cells)}.",
        "",
        "| fault | began at once | waited: said so | waited: began | promised | kept |",
        "|---|---|---|---|---|---|",
    ]
    for fault in faults:
        column = [cell for cell in cells if cell["fault"] == fault and cell["begun"] is not None]
        at_once = [cell["begun"] for cell in column if cell["said"] is None]
        waited = [cell for cell in column if cell["said"] is not None]
        numbers = [at_once, [cell["said"] for cell in waited], [cell["begun"] for cell in waited]]
        slowest = [f"{max(values)} ({len(values)} cells)" if values else "" for values in numbers]
        promised, kept = _kept(fault, column)
        lines.append(f"| {fault} | " + " | ".join([*slowest, promised, kept]) + " |")
    return lines


def _load(cells: list[Cell]) -> str:
    loads = [cell["load"] for cell in cells if cell["load"] is not None]
    return f"{statistics.median(loads):.1f}, on {os.cpu_count()} cores" if loads else "not recorded"


def _usual(cells: list[Cell]) -> str:
    usual = [cell["usual"] for cell in cells if cell["usual"] is not None]
    return f"{statistics.median(usual):.1f} s (median; slowest {max(usual)} s)" if usual else "a time not recorded"


def _kept(fault: str, column: list[Cell]) -> tuple[str, str]:
    if fault not in _LIMITS:
        return "", ""
    words, limit = _LIMITS[fault]
    saying = words != "begins"
    late = [c for c in column if (c["said"] if saying and c["said"] is not None else c["begun"]) > limit]
    kept = "yes" if not late else f"**no**, {len(late)} of {len(column)} later"
    return f"{words} within {limit:.0f} s", kept


if __name__ == "__main__":
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    made = read(Path(sys.argv[1]))
    folder = Path(sys.argv[2])
    (folder / f"faults-{day}.md").write_text(markdown(made, day), encoding="utf-8")
    (folder / f"faults-{day}.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
