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
    """One measured thing: its name, the value, its unit, the number of runs, and the limit.

    `chosen` says which of the runs' values it is.
    """

    name: str
    value: float
    unit: str
    runs: int
    limit: float | None = None
    chosen: str = "median"

    @property
    def held(self) -> bool:
        return self.limit is None or self.value <= self.limit


def median(runs: int, measure: Callable[[int], float]) -> float:
    return statistics.median(measure(number) for number in range(runs))


def measure_and_write(subject: str, measure: Callable[[], list[Figure]]) -> int:
    """Measure a subject and write its figures; return 1 when one is above its limit."""
    load = os.getloadavg()[0]
    figures = measure()
    print(write(subject, figures, load, RESULTS).read_text(encoding="utf-8"))
    missed = [figure.name for figure in figures if not figure.held]
    for name in missed:
        print(f"above its limit: {name}")
    return 1 if missed else 0


def write(subject: str, figures: list[Figure], load: float, folder: Path) -> Path:
    """Write the figures of a subject into a folder, as JSON and as a table with today's date; return the table's file.

    `load` is the machine's load average before the measurement.
    """
    folder.mkdir(exist_ok=True)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    loads = (load, os.getloadavg()[0])
    content = {"date": today, "machine": machine, "load": loads, "figures": [asdict(figure) for figure in figures]}
    name = today if subject == "ships" else f"{subject}-{today}"
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    head = [
        f"# {subject}, {today}",
        "",
        f"`python -m benchmarks {subject}` (`make bench` runs all) on {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, loopback,",
        f"load average {loads[0]:.2f} before and {loads[1]:.2f} after.",
        "",
    ]
    rows = [
        f"| {figure.name} | {figure.value:.3g} {figure.unit} | {limit(figure)} | {runs(figure)} |" for figure in figures
    ]
    table = ["| what | found | wanted at most | of the runs |", "|---|---|---|---|", *rows, ""]
    page = folder / f"{name}.md"
    page.write_text("\n".join(head + table), encoding="utf-8")
    return page


def limit(figure: Figure) -> str:
    return "" if figure.limit is None else f"{figure.limit:g} {figure.unit}".strip()


def runs(figure: Figure) -> str:
    """Return which value it is of how many runs."""
    return "once" if figure.runs == 1 else f"{figure.chosen} of {figure.runs}"
