"""What the pages of the measurements over a slow line have in common: how they begin, what is wanted, where they go."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Check:
    """One thing that is wanted: its name, the value, what it is wanted to be at most, and what would be the reason for
    more.
    """

    name: str
    value: float
    limit: float
    reason: str = ""

    @property
    def held(self) -> bool:
        return self.value <= self.limit


class Measured(Protocol):
    """All that a run found, a dataclass: among it, the machine's load average before and after, and what the line is:
    bits per second each way, and seconds of a round trip.
    """

    load: tuple[float, float]
    rate: float
    round_trip: float


def today() -> str:
    """Return the day under which results are kept."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def beginning(subject: str, title: str, measured: Measured) -> list[str]:
    """Return the first lines of a page: what was measured, with which command, on which machine and line."""
    return [
        f"# {title}, {today()}",
        "",
        f"`python -m benchmarks {subject}` on {os.cpu_count()} cores, Python {platform.python_version()}, load average",
        f"{measured.load[0]:.2f} before and {measured.load[1]:.2f} after. The line (benchmarks/link.py):",
        f"{measured.round_trip * 1000:.0f} ms round trip, {measured.rate / 1e6:.0f} Mbit/s each way.",
    ]


def wanted(checks: Iterable[Check]) -> list[str]:
    """Return the table of what is wanted."""
    held = {True: "held", False: "**not held**"}
    rows = [f"| {cell(one.name)} | {one.value:.3g} | {one.limit:.3g} | {held[one.held]} |" for one in checks]
    return ["| wanted | found | at most | |", "|---|---|---|---|", *rows]


def cell(text: str) -> str:
    """Return text that ends no cell of a table."""
    return text.replace("|", "\\|")


def write_page(
    subject: str, measured: Any, checks: Sequence[Check], lines: Iterable[str], folder: Path, chart: str = ""
) -> Path:
    """Write all of it as JSON, the chart as SVG if there is one, and the page; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    found = {"date": today(), "machine": machine, **asdict(measured), "checks": [asdict(check) for check in checks]}
    page = folder / f"{subject}-{today()}.md"
    page.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if chart:
        page.with_suffix(".svg").write_text(chart, encoding="utf-8")
    page.write_text("\n".join(lines), encoding="utf-8")
    return page


def tell(page: Path, checks: Iterable[Check]) -> int:
    """Print the page, and what of the wanted was missed; return the exit code: 1 when something was."""
    print(page.read_text(encoding="utf-8"))
    missed = [check.name for check in checks if not check.held]
    for name in missed:
        print(f"not held: {name}")
    return 1 if missed else 0
