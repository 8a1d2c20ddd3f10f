"""What the measurements have in common: a figure with its limit, and the dated results."""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured thing: its name, the value (median of `runs`, if not said otherwise), unit, and limit."""

    name: str
    value: float
    unit: str
    runs: int
    limit: float | None = None

    @property
    def held(self) -> bool:
        return self.limit is None or self.value <= self.limit


def median(runs: int, measure: Callable[[int], float]) -> float:
    return statistics.median(measure(number) for number in range(runs))


def write(subject: str, figures: list[Figure]) -> Path:
    """Write the figures of a subject as JSON and as a table with today's date; return the table's file."""
    RESULTS.mkdir(exist_ok=True)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    content = {"date": today, "machine": machine, "figures": [asdict(figure) for figure in figures]}
    name = today if subject == "ships" else f"{subject}-{today}"
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    rows = [
        f"| {figure.name} | {figure.value:.3g} {figure.unit} | {limit(figure)} | {figure.runs} |" for figure in figures
    ]
    head = [
        f"# {subject}, {today}",
        "",
        f"`make bench` on {os.cpu_count()} cores, Python {platform.python_version()}, loopback.",
        "",
    ]
    table = ["| what | median | wanted at most | runs |", "|---|---|---|---|", *rows, ""]
    page = RESULTS / f"{name}.md"
    page.write_text("\n".join(head + table), encoding="utf-8")
    return page


def limit(figure: Figure) -> str:
    return "" if figure.limit is None else f"{figure.limit:g} {figure.unit}".strip()
