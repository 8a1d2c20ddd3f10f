"""How the measurement of transfers is written down: JSON, a page, and a chart."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from benchmarks.page import beginning, cell, today, wanted, write_page
from benchmarks.transfer_limits import SHIPPER, TITLES, Measured, judge, on_disk


def write(measured: Measured, folder: Path) -> Path:
    """Write the figures as JSON, the chart as SVG, and a page with both; return the page."""
    return write_page("transfer", measured, judge(measured), _lines(measured), folder, chart(measured))


def _lines(measured: Measured) -> Iterable[str]:
    yield from (
        *beginning("transfer", "A built site over a slow line", measured),
        "Best of the runs; what is timed and what each column means stands in benchmarks/transfer.py.",
        "",
        f"![seconds of each way](transfer-{today()}.svg)",
        "",
    )
    for site in measured.sites:
        yield from _site_lines(measured, site)
    yield from ("## The connection alone", "", "Over the slow line; what no way can do without.", "")
    yield from ("| | time | sent | received | round trips |", "|---|---|---|---|---|")
    for way, kept in dict.fromkeys((one.way, one.kept) for one in measured.floor):
        one = measured.alone(way, kept)
        name = f"{cell(way)}, {'open' if kept else 'new'}"
        yield f"| {name} | {one.seconds:.2f} s | {_kilobytes(one.sent)} | {_kilobytes(one.received)} | {one.turns} |"
    yield ""
    yield from ("## What the server needs", "", "| site, first ship | memory |", "|---|---|")
    yield from (f"| {one.site}: {cell(one.way)} | {_megabytes(one.memory)} |" for one in measured.weighed)
    yield from ("", "## File by file", "", "Measured once, over an open connection, with a part of the site.", "")
    yield from ("| first ship | time | sent |", "|---|---|---|")
    yield from (
        f"| {one.site}: {cell(one.way)} | {one.seconds:.2f} s | {_megabytes(one.sent)} |" for one in measured.slow
    )
    yield from ("", "## How cost grows", "", "Over loopback; the change is of every hundredth file.", "")
    yield from (
        "| | way | first ship | a change | server's processor, first ship | memory there | agent's | memory here |",
        "|---|---|---|---|---|---|---|---|",
    )
    yield from _growth_rows(measured)
    yield from ("", "## Wanted", "", *wanted(judge(measured)), "")
    missed = [check for check in judge(measured) if not check.held]
    if missed:
        yield from ("## Missed, and why", "")
        yield from (f"- {cell(check.name)}: {check.reason or 'no reason is known.'}" for check in missed)
        yield ""


def _site_lines(measured: Measured, site: str) -> Iterable[str]:
    yield from (f"## {site}", "")
    yield (
        "| | way | 40 ms, open | on the disk | 40 ms, new | loopback, open | sent | received | round trips "
        "| server's processor |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for kind, title in TITLES.items():
        for way in measured.ways:
            best = measured.best(site, way, "slow", True, kind)
            fresh = measured.best(site, way, "slow", False, kind)
            near = measured.best(site, way, "loopback", True, kind)
            yield (
                f"| {title} | {cell(way)} | {best.seconds:.2f} s | {on_disk(best):.2f} s | {fresh.seconds:.2f} s "
                f"| {near.seconds:.2f} s | {_kilobytes(best.sent)} | {_kilobytes(best.received)} | {best.turns} "
                f"| {near.processor:.2f} s |"
            )
    yield ""
    own = [measured.best(site, SHIPPER, "slow", True, kind) for kind in TITLES]
    names = list(dict.fromkeys(name for passage in own for name in passage.parts))
    yield from ("| shipper's parts, 40 ms, open | " + " | ".join(names) + " |", "|---|" + "---|" * len(names))
    for passage in own:
        cells = " | ".join(f"{passage.parts.get(name, 0.0):.2f} s" for name in names)
        yield f"| {TITLES[passage.kind]} | {cells} |"
    yield ""


def _growth_rows(measured: Measured) -> Iterable[str]:
    for site in dict.fromkeys(passage.site for passage in measured.growth):
        for way in dict.fromkeys(passage.way for passage in measured.growth):
            first, change = (passage for passage in measured.growth if (passage.site, passage.way) == (site, way))
            watched = (first.memory, first.agent_memory, first.client_memory)
            memory = " | ".join(map(_megabytes, watched)) if first.agent_memory else " | | "
            yield (
                f"| {site} | {cell(way)} | {first.seconds:.2f} s | {change.seconds:.2f} s "
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
    for kind, title in TITLES.items():
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


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.2f} MB"


def _kilobytes(size: float) -> str:
    return f"{size / 1e3:,.1f} kB"
