"""What the measurement of whole ships is judged by, and how it is written down: JSON, a page, a chart."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.page import Check, beginning, today, wanted, write_page
from benchmarks.visitors import Visits

RESULTS = Path(__file__).parent / "results"
BY_HAND, SHIPPER = "by hand", "shipper"
FIRST, CHANGE, SAME = "first ship", "change", "without change"
WAYS, KINDS = (BY_HAND, SHIPPER), (FIRST, CHANGE, SAME)


@dataclass(frozen=True)
class Stage:
    """One step of a ship: when it began, in seconds after the command, and how long it took."""

    name: str
    began: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """One ship: its way and kind, when it began (time.time()), seconds, steps, the visitors, bytes up and down.

    `late` are the seconds from the command's end until the new state was served.
    """

    way: str
    kind: str
    began: float
    seconds: float
    stages: tuple[Stage, ...]
    visits: Visits | None = None
    sent: int = 0
    received: int = 0
    late: float = 0.0


@dataclass(frozen=True)
class Measured:
    """All ships; the machine's load average before and after; the line's rate (bits per second) and round trip (s)."""

    runs: tuple[Run, ...]
    load: tuple[float, float]
    rate: float
    round_trip: float

    def of(self, way: str, kind: str) -> list[Run]:
        """Return the ships of one way and kind."""
        return [run for run in self.runs if (run.way, run.kind) == (way, kind)]

    def typical(self, way: str, kind: str) -> Run:
        """Return the ship whose time is the median of its kind; of an even number, the quicker one in the middle."""
        found = sorted(self.of(way, kind), key=lambda run: run.seconds)
        return found[(len(found) - 1) // 2]

    def visits(self, way: str, kind: str) -> list[Visits]:
        return [run.visits for run in self.of(way, kind) if run.visits]


def judge(measured: Measured) -> list[Check]:
    """Return what is wanted of shipper: no visitor meets an error, and nobody waits longer than by hand.

    The first ships are not compared: by hand, the server was given its programs and all packages beforehand.
    """
    checks = []
    for kind in (CHANGE, SAME):
        failed = sum(visits.failed for visits in measured.visits(SHIPPER, kind))
        checks.append(Check(f"shipper, {kind}: failed requests", failed, 0))
    for kind in (CHANGE, SAME):
        ratio = _seconds(measured, SHIPPER, kind) / _seconds(measured, BY_HAND, kind)
        checks.append(Check(f"{kind}: time / {BY_HAND}", ratio, 1.0))
    return checks


def _seconds(measured: Measured, way: str, kind: str) -> float:
    return statistics.median(run.seconds for run in measured.of(way, kind))


def write(measured: Measured, folder: Path) -> Path:
    """Write the figures as JSON, the chart as SVG, and a page with both; return the page."""
    return write_page("ship", measured, judge(measured), _lines(measured), folder, chart(measured))


def _lines(measured: Measured) -> Iterator[str]:
    yield from beginning("ship", "A whole ship beside the hand-written sequence", measured)
    yield from (
        "The app is examples/quality; the hand-written sequence is benchmarks/by_hand. The first ship was done once:",
        "by hand, the server has git, uv and all packages before it, with shipper nothing. Other times are medians,",
        "failed requests are those of all runs together. How it is measured stands in benchmarks/ship.py.",
        "",
        f"![the steps of a change in both ways, and when visitors met errors](ship-{today()}.svg)",
        "",
        "| | way | runs | time | slowest | served after the end | sent | failed requests "
        "| seconds with errors, each run | slowest answer |",
        "|---|---|---|---|---|---|---|---|---|---|",
    )
    for kind in KINDS:
        for way in WAYS:
            yield _row(measured, way, kind)
    yield from ("", "Seconds with errors: tenths of a second in which at least one visitor got a wrong answer or none.")
    yield from ("", "## What the errors were", "")
    yield from _errors(measured)
    for kind in KINDS:
        yield from _stage_lines(measured, kind)
    yield from ("## Wanted", "", *wanted(judge(measured)))
    yield ""


def _row(measured: Measured, way: str, kind: str) -> str:
    runs, visits = measured.of(way, kind), measured.visits(way, kind)
    sent = statistics.median(run.sent for run in runs)
    cells = [kind, way, str(len(runs)), f"{_seconds(measured, way, kind):.2f} s"]
    cells += [f"{max(run.seconds for run in runs):.2f} s", f"{statistics.median(run.late for run in runs):.2f} s"]
    cells += [f"{sent / 1e6:.2f} MB"]
    if visits:
        requests = sum(one.requests for one in visits)
        cells += [f"{sum(one.failed for one in visits):,} of {requests:,}"]
        cells += [", ".join(f"{one.bad_seconds:.1f}" for one in visits)]
        cells += [f"{max(one.slowest for one in visits):.2f} s"]
    else:
        cells += ["nobody was there yet", "", ""]
    return f"| {' | '.join(cells)} |"


def _errors(measured: Measured) -> Iterator[str]:
    for way in WAYS:
        failures: dict[str, int] = {}
        idle = 0
        for visits in (one for kind in KINDS for one in measured.visits(way, kind)):
            idle += visits.idle_closes
            for words, count in visits.failures.items():
                failures[words] = failures.get(words, 0) + count
        told = ", ".join(f"{words} ({count:,})" for words, count in sorted(failures.items(), key=lambda one: -one[1]))
        closed = f"; besides, {idle} idle connections were closed, after which a browser asks again" if idle else ""
        yield f"- {way}: {told or 'none'}{closed}"
    yield ""


def _stage_lines(measured: Measured, kind: str) -> Iterator[str]:
    """Yield the steps of the median run of both ways, side by side."""
    title = "the one run" if kind == FIRST else "the median run of each way"
    yield from (f"## {kind}, step by step: {title}", "")
    yield from ("| by hand | began at | took | | shipper | began at | took |", "|---|---|---|---|---|---|---|")
    hand, own = (_cells(measured.typical(way, kind)) for way in WAYS)
    empty = " | | "
    for number in range(max(len(hand), len(own))):
        left, right = (cells[number] if number < len(cells) else empty for cells in (hand, own))
        yield f"| {left} | | {right} |"
    yield ""


def _cells(run: Run) -> list[str]:
    cells = [f"{stage.name} | {stage.began:.2f} s | {stage.seconds:.2f} s" for stage in run.stages]
    return [*cells, f"**whole command** | | **{run.seconds:.2f} s**"]


_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.quiet { fill: #57606a }
.bar { fill: #8c959f }
.own { fill: #0969da }
.bad { fill: #cf222e }
.track { fill: #8c959f; fill-opacity: 0.15 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #8d96a0 } .bar { fill: #6e7681 } .own { fill: #4493f8 } .bad { fill: #f85149 }
}
</style>"""
_WIDTH, _NAME_WIDTH, _ROW, _END = 760, 190, 20, 80
_ERRORS_AFTER = 1.0


def chart(measured: Measured) -> str:
    """Return the steps of a change in both ways on one scale of time, with the moments at which visitors met errors."""
    runs = [measured.typical(way, CHANGE) for way in WAYS]
    scale = (_WIDTH - _NAME_WIDTH - _END) / max(_length(run) for run in runs)
    line = f"{measured.round_trip * 1000:.0f} ms, {measured.rate / 1e6:.0f} Mbit/s"
    rows = [f'<text class="title" x="10" y="20">A change in frontend and backend, shipped over {line}</text>']
    height = 30
    for run in runs:
        height, drawn = _draw(run, scale, height + 16)
        rows += drawn
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            "<title>The steps of a change by hand and with shipper, and when visitors met errors</title>",
            _STYLE,
            *rows,
            "</svg>",
            "",
        ]
    )


def _length(run: Run) -> float:
    return run.seconds + run.late + _ERRORS_AFTER


def _draw(run: Run, scale: float, height: int) -> tuple[int, list[str]]:
    """Return the height below it, and the elements of one ship."""
    visits = run.visits
    failed = f"{visits.failed:,} of {visits.requests:,} requests failed" if visits else ""
    rows = [f'<text class="title" x="10" y="{height}">{run.way}: {run.seconds:.1f} s, {failed}</text>']
    for stage in run.stages:
        height += _ROW
        rows += _named(stage.name, height)
        rows += _bars("own" if run.way == SHIPPER else "bar", [(stage.began, stage.seconds)], scale, height)
        end = _NAME_WIDTH + (stage.began + stage.seconds) * scale + 6
        rows.append(f'<text x="{end:.1f}" y="{height}">{stage.seconds:.2f} s</text>')
    height += _ROW
    rows += [*_named("visitors' errors", height), *_bars("track", [(0.0, _length(run))], scale, height)]
    bad = [(max(0.0, moment - run.began), 0.1) for moment in (visits.bad if visits else ())]
    return height + 14, [*rows, *_bars("bad", bad, scale, height)]


def _named(name: str, y: int) -> Sequence[str]:
    return [f'<text class="quiet" x="{_NAME_WIDTH - 8}" y="{y}" text-anchor="end">{escape(name)}</text>']


def _bars(kind: str, pieces: Iterable[tuple[float, float]], scale: float, y: int) -> Iterator[str]:
    for began, seconds in pieces:
        x, width = _NAME_WIDTH + began * scale, max(1.0, seconds * scale)
        yield f'<rect class="{kind}" x="{x:.1f}" y="{y - 11}" width="{width:.1f}" height="13" rx="2"/>'
