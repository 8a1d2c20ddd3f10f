"""What the measurement of transfers is judged by, and how it is written down: JSON, a page, and a chart."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

SHIPPER = "shipper"
_TITLES = {
    "first": "first ship",
    "text": "a text changed",
    "component": "a shared component changed",
    "same": "rebuilt",
}
# Wanted of shipper: the time of a first ship, times and bytes of a change, the time without one, against the best peer
# or the best rsync; and how many times faster than file by file.
_FIRST, _CHANGE, _CHANGE_BYTES, _SAME, _FILE_BY_FILE = 1.05, 0.75, 0.3, 0.5, 40.0
# How cost grows: from one to another, as many times more; "linear" allows for what is noise.
_STEPS = (
    ("1,500 files of 10 kB", "15,000 files of 10 kB", 10),
    ("50 files of 1,000 kB", "50 files of 10,000 kB", 10),
)
_LINEAR, _AGENT_MEGABYTES = 1.25, 64.0


@dataclass
class Passage:
    """One folder's way to the server.

    `line` is "slow" or "loopback", `kept` whether the connection was open before. `sent` and `received` are bytes and
    `turns` round trips, counted on the slow line alone; `processor` the server's seconds. Where memory was watched, in
    bytes: `memory` is how far the server's rose, `agent_memory` the peak of shipper's agent, and `client_memory` how
    far that of shipper's own process rose here. `parts` are seconds.
    """

    site: str
    way: str
    line: str
    kept: bool
    kind: str
    seconds: float = 0.0
    sent: int = 0
    received: int = 0
    turns: int = 0
    processor: float = 0.0
    memory: int = 0
    agent_memory: int = 0
    client_memory: int = 0
    parts: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        connection = "kept" if self.kept else "fresh"
        return (
            f"{self.site:14} {self.line:8} {connection:5} {self.kind:9} {self.seconds:7.3f} s {self.sent:12,} bytes "
            f"{self.turns:4} turns  {self.way}"
        )


@dataclass(frozen=True)
class Check:
    """One thing that is wanted: its name, the value, what it is wanted to be at most."""

    name: str
    value: float
    limit: float

    @property
    def held(self) -> bool:
        return self.value <= self.limit


@dataclass(frozen=True)
class Measured:
    """All that a run found.

    The passages of the sites, those whose memory was watched, those file by file, and those that show how cost grows;
    the machine's load before and after; the slow line's rate in bits per second and round trip in seconds.
    """

    passages: tuple[Passage, ...]
    weighed: tuple[Passage, ...]
    slow: tuple[Passage, ...]
    growth: tuple[Passage, ...]
    load: tuple[float, float]
    rate: float
    round_trip: float

    @property
    def sites(self) -> list[str]:
        return list(dict.fromkeys(passage.site for passage in self.passages))

    @property
    def ways(self) -> list[str]:
        return list(dict.fromkeys(passage.way for passage in self.passages))

    def best(self, site: str, way: str, line: str, kept: bool, kind: str) -> Passage:
        """Return the quickest of the runs of one kind."""
        found = [
            passage
            for passage in self.passages
            if (passage.site, passage.way, passage.line, passage.kept, passage.kind) == (site, way, line, kept, kind)
        ]
        return min(found, key=lambda passage: passage.seconds)


def judge(measured: Measured) -> list[Check]:
    """Return what is wanted of shipper, on the slow line, with what was found for each site and kind of connection."""
    checks = [check for site in measured.sites for kept in (True, False) for check in _checks(measured, site, kept)]
    own_time = next((passage.seconds for passage in measured.slow if passage.way == SHIPPER), 0.0)
    for passage in measured.slow:
        if passage.way != SHIPPER:
            name = f"{passage.site}, open connection: first ship, time / {passage.way}"
            checks.append(Check(name, own_time / passage.seconds, 1 / _FILE_BY_FILE))
    return [*checks, *_growth_checks(measured)]


def _checks(measured: Measured, site: str, kept: bool) -> Iterator[Check]:
    """Yield what is wanted for one site and one kind of connection."""
    peers = [way for way in measured.ways if way != SHIPPER]
    rsyncs = [way for way in peers if way.startswith("rsync")]

    def against(ways: Sequence[str], kind: str, value: Callable[[Passage], float]) -> float:
        """Return shipper's value as a part of the least of other ways."""
        own = value(measured.best(site, SHIPPER, "slow", kept, kind))
        return own / min(value(measured.best(site, way, "slow", kept, kind)) for way in ways)

    where = f"{site}, {'open' if kept else 'new'} connection"
    yield Check(f"{where}: first ship, time / best peer", against(peers, "first", _seconds), _FIRST)
    for kind in ("text", "component"):
        yield Check(f"{where}: {_TITLES[kind]}, time / rsync", against(rsyncs, kind, _seconds), _CHANGE)
        yield Check(f"{where}: {_TITLES[kind]}, bytes / rsync", against(rsyncs, kind, _carried), _CHANGE_BYTES)
    yield Check(f"{where}: {_TITLES['same']}, time / rsync", against(rsyncs, "same", _seconds), _SAME)


def _seconds(passage: Passage) -> float:
    return passage.seconds


def _carried(passage: Passage) -> float:
    return passage.sent + passage.received


def _growth_checks(measured: Measured) -> Iterator[Check]:
    """Yield what is wanted of growth: each step costs at most as much more time as there is more, on the server; the
    agent's memory stays what it is allowed to be (benchmarks, "ships").
    """
    first = {passage.site: passage for passage in measured.growth if (passage.way, passage.kind) == (SHIPPER, "first")}
    for passage in first.values():
        name = f"{passage.site}: the agent's peak memory, MB"
        yield Check(name, passage.agent_memory / 1e6, _AGENT_MEGABYTES)
    for less, more, times in _STEPS:
        if less in first and more in first:
            ratio = first[more].processor / first[less].processor / times
            yield Check(f"{more}: server's processor / {times} x that of {less}", ratio, _LINEAR)


def write(measured: Measured, folder: Path) -> Path:
    """Write the figures as JSON, the chart as SVG, and a page with both; return the page."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    checks = [asdict(check) for check in judge(measured)]
    content = {"date": today, "machine": machine, **asdict(measured), "checks": checks}
    (folder / f"transfer-{today}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / f"transfer-{today}.svg").write_text(chart(measured), encoding="utf-8")
    page = folder / f"transfer-{today}.md"
    page.write_text("\n".join(_lines(measured, today)), encoding="utf-8")
    return page


def _lines(measured: Measured, today: str) -> Iterable[str]:
    yield from (
        f"# A built site over a slow line, {today}",
        "",
        f"`python -m benchmarks transfer` on {os.cpu_count()} cores, Python {platform.python_version()}, load average",
        f"{measured.load[0]:.2f} before and {measured.load[1]:.2f} after. The line (benchmarks/link.py):",
        f"{measured.round_trip * 1000:.0f} ms round trip, {measured.rate / 1e6:.0f} Mbit/s each way. Best of the runs;",
        "what is timed and what each column means stands in benchmarks/transfer.py.",
        "",
        f"![seconds of each way](transfer-{today}.svg)",
        "",
    )
    for site in measured.sites:
        yield from _site_lines(measured, site)
    yield from ("## What the server needs", "", "| site, first ship | memory |", "|---|---|")
    yield from (f"| {one.site}: {_cell(one.way)} | {_megabytes(one.memory)} |" for one in measured.weighed)
    yield from ("", "## File by file", "", "Measured once, over an open connection, with a part of the site.", "")
    yield from ("| first ship | time | sent |", "|---|---|---|")
    yield from (
        f"| {one.site}: {_cell(one.way)} | {one.seconds:.2f} s | {_megabytes(one.sent)} |" for one in measured.slow
    )
    yield from ("", "## How cost grows", "", "Over loopback; the change is of every hundredth file.", "")
    yield from (
        "| | way | first ship | a change | server's processor, first ship | memory there | agent's | memory here |",
        "|---|---|---|---|---|---|---|---|",
    )
    yield from _growth_rows(measured)
    yield from ("", "## Wanted", "", "| wanted | found | at most | |", "|---|---|---|---|")
    for check in judge(measured):
        held = "held" if check.held else "**not held**"
        yield f"| {_cell(check.name)} | {check.value:.3f} | {check.limit:.3f} | {held} |"
    yield ""


def _site_lines(measured: Measured, site: str) -> Iterable[str]:
    yield from (f"## {site}", "")
    yield "| | way | 40 ms, open | 40 ms, new | loopback, open | sent | received | round trips | server's processor |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for kind, title in _TITLES.items():
        for way in measured.ways:
            best = measured.best(site, way, "slow", True, kind)
            fresh = measured.best(site, way, "slow", False, kind)
            near = measured.best(site, way, "loopback", True, kind)
            yield (
                f"| {title} | {_cell(way)} | {best.seconds:.2f} s | {fresh.seconds:.2f} s | {near.seconds:.2f} s "
                f"| {_kilobytes(best.sent)} | {_kilobytes(best.received)} | {best.turns} | {near.processor:.2f} s |"
            )
    yield ""
    own = [measured.best(site, SHIPPER, "slow", True, kind) for kind in _TITLES]
    names = list(dict.fromkeys(name for passage in own for name in passage.parts))
    yield from ("| shipper's parts, 40 ms, open | " + " | ".join(names) + " |", "|---|" + "---|" * len(names))
    for passage in own:
        cells = " | ".join(f"{passage.parts.get(name, 0.0):.2f} s" for name in names)
        yield f"| {_TITLES[passage.kind]} | {cells} |"
    yield ""


def _growth_rows(measured: Measured) -> Iterable[str]:
    for site in dict.fromkeys(passage.site for passage in measured.growth):
        for way in dict.fromkeys(passage.way for passage in measured.growth):
            first, change = (passage for passage in measured.growth if (passage.site, passage.way) == (site, way))
            watched = (first.memory, first.agent_memory, first.client_memory)
            memory = " | ".join(map(_megabytes, watched)) if first.agent_memory else " | | "
            yield (
                f"| {site} | {_cell(way)} | {first.seconds:.2f} s | {change.seconds:.2f} s "
                f"| {first.processor:.2f} s | {memory} |"
            )


_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.quiet { fill: #57606a }
.bar { fill: #8c959f }
.own { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #8d96a0 } .bar { fill: #6e7681 } .own { fill: #4493f8 }
}
</style>"""
_WIDTH, _NAME_WIDTH, _ROW = 760, 230, 20


def chart(measured: Measured) -> str:
    """Return the seconds of the largest site over the slow line as bars; its colours follow the reader's scheme."""
    site = measured.sites[-1]
    rows, height = [], 30
    for kind, title in _TITLES.items():
        found = [measured.best(site, way, "slow", True, kind) for way in measured.ways]
        longest = max(passage.seconds for passage in found)
        height += 12
        rows.append(f'<text class="title" x="10" y="{height}">{escape(title)}</text>')
        for passage in found:
            height += _ROW
            width = max(1.0, (_WIDTH - _NAME_WIDTH - 190) * passage.seconds / longest)
            own = "own" if passage.way == SHIPPER else "bar"
            label = f"{passage.seconds:.2f} s, {_kilobytes(passage.sent + passage.received)}"
            name, end = escape(passage.way), _NAME_WIDTH - 8
            rows += [
                f'<text class="quiet" x="{end}" y="{height}" text-anchor="end">{name}</text>',
                f'<rect class="{own}" x="{_NAME_WIDTH}" y="{height - 11}" width="{width:.1f}" height="13" rx="2"/>',
                f'<text x="{_NAME_WIDTH + width + 6:.1f}" y="{height}">{label}</text>',
            ]
        height += 18
    line = f"{measured.round_trip * 1000:.0f} ms, {measured.rate / 1e6:.0f} Mbit/s, open connection"
    head = f'<text class="title" x="10" y="20">{escape(site)} to the server: seconds and bytes over {line}</text>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>Seconds that each way takes for {escape(site)}</title>",
            _STYLE,
            head,
            *rows,
            "</svg>",
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.2f} MB"


def _kilobytes(size: float) -> str:
    return f"{size / 1e3:,.1f} kB"
