"""Makes the page of a run in which two ship at once: `python tests/host/rounds.py <junit xml> <folder>`."""

from __future__ import annotations

import datetime
import json
import os
import statistics
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

_TEST = "test_of_two_who_ship_at_once_one_wins_and_the_other_is_told"


def read(file: Path) -> dict[str, Any]:
    """Return how many rounds held, how often the second one was refused or came later, seconds, and what failed."""
    case = next(case for case in ElementTree.parse(file).iter("testcase") if case.get("name") == _TEST)
    values = [str(entry.get("value")) for entry in case.iter("property") if entry.get("name") == "round"]
    ends = Counter(value.rpartition(" ")[0] for value in values)
    seconds = [float(value.rpartition(" ")[2]) for value in values]
    failure = case.find("failure") if case.find("failure") is not None else case.find("error")
    return {
        "rounds": len(values),
        "refused": ends["refused"],
        "came_later": ends["came later"],
        "median_seconds": round(statistics.median(seconds), 1) if seconds else None,
        "slowest_seconds": max(seconds, default=None),
        "failure": "" if failure is None else str(failure.get("message")).splitlines()[0][:200],
    }


def markdown(run: dict[str, Any], day: str) -> str:
    """Return the page."""
    failed = ["", f"The next round failed: {run['failure']}"] if run["failure"] else []
    lines = [
        f"# Two who ship at once, {day}",
        "",
        "`make rounds`: two clients ship the same change to the same server in the same moment, again and again. In",
        "every round exactly one of them switches, the other ends with exit code 5 and the name of who is at it, or it",
        "comes when the first one is done and finds nothing left to do; visitors see the change.",
        "",
        "| rounds that hold | the other one was refused (exit 5) | came later | median | slowest | cores |",
        "|---|---|---|---|---|---|",
        f"| {run['rounds']} | {run['refused']} | {run['came_later']} | {run['median_seconds']} s "
        f"| {run['slowest_seconds']} s | {os.cpu_count()} |",
        *failed,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    made = read(Path(sys.argv[1]))
    folder = Path(sys.argv[2])
    (folder / f"at-once-{day}.md").write_text(markdown(made, day), encoding="utf-8")
    (folder / f"at-once-{day}.json").write_text(json.dumps({"date": day, **made}, indent=1) + "\n", encoding="utf-8")
