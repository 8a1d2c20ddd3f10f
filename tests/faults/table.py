"""Makes the table of a whole run of the fault matrix: `python tests/faults/table.py <junit xml> <folder>`."""

from __future__ import annotations

import datetime
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

_CELL = re.compile(r"test_cell\[(ship|rollback)-(before-.+?)-([a-z]+-(?:[a-z]+|out-of-memory))\]")


def read(file: Path) -> list[dict[str, object]]:
    """Return the cells of a run, each with action, boundary, fault, what failed ("" for nothing) and seconds."""
    cells: list[dict[str, object]] = []
    for case in ElementTree.parse(file).iter("testcase"):
        match = _CELL.fullmatch(case.get("name") or "")
        if not match:
            continue
        failure = case.find("failure") if case.find("failure") is not None else case.find("error")
        seconds = {entry.get("name"): entry.get("value") for entry in case.iter("property")}.get("seconds")
        words = "" if failure is None else str(failure.get("message")).splitlines()[0][:200]
        names = dict(zip(("action", "boundary", "fault"), match.groups(), strict=True))
        cells.append({**names, "failure": words, "seconds": float(seconds) if seconds else None})
    return cells


def markdown(cells: list[dict[str, object]], day: str) -> str:
    """Return the cells as a table: a row for each boundary, a column for each fault."""
    faults = list(dict.fromkeys(str(cell["fault"]) for cell in cells))
    rows = list(dict.fromkeys((str(cell["action"]), str(cell["boundary"])) for cell in cells))
    found = {(cell["action"], cell["boundary"], cell["fault"]): cell for cell in cells}
    good = sum(not cell["failure"] for cell in cells)
    lines = [
        f"# Faults, {day}",
        "",
        f"`make faults`: {good} of {len(cells)} cells hold. A number is the seconds from the fault to the end of a",
        "plain `ship` that somebody typed right after it; an empty cell cannot happen.",
        "",
        "| | " + " | ".join(faults) + " |",
        "|---" * (len(faults) + 1) + "|",
    ]
    for action, boundary in rows:
        marks = [_mark(found.get((action, boundary, fault))) for fault in faults]
        lines.append(f"| {action}, {boundary.replace('-', ' ', 1)} | " + " | ".join(marks) + " |")
    failed = [f"- {c['action']}, {c['boundary']}, {c['fault']}: {c['failure']}" for c in cells if c["failure"]]
    return "\n".join([*lines, *(["", *failed] if failed else [])]) + "\n"


def _mark(cell: dict[str, object] | None) -> str:
    if cell is None:
        return ""
    return "**failed**" if cell["failure"] else f"{cell['seconds']}"


if __name__ == "__main__":
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    made = read(Path(sys.argv[1]))
    folder = Path(sys.argv[2])
    (folder / f"faults-{day}.md").write_text(markdown(made, day), encoding="utf-8")
    (folder / f"faults-{day}.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
