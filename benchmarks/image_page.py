"""What the measurement of images is judged by, and how it is written down."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.page import Check, beginning, cell, wanted, write_page
from benchmarks.peers import GZIP, REGISTRY_HERE, REGISTRY_THERE
from benchmarks.stage import SHIPPER, Passage

NEW_CONNECTION = "shipper, new connection with its agent"


@dataclass(frozen=True)
class Weights:
    """The image in numbers of bytes: unpacked, all its parts compressed, and those that a change makes anew."""

    unpacked: int
    compressed: int
    changed: int


@dataclass(frozen=True)
class Measured:
    """All that a run found.

    `connections` are the seconds until something answers, by who asks; `left_out` the ways that could not be measured,
    with the reason; `load` the machine's load average before and after; `rate` is the line's, in bits per
    second, and `round_trip`, in seconds.
    """

    weights: Weights
    passages: tuple[Passage, ...]
    connections: dict[str, float]
    left_out: dict[str, str]
    load: tuple[float, float]
    rate: float
    round_trip: float

    def of(self, way: str, kind: str) -> list[Passage]:
        """Return the passages of one way and kind."""
        return [passage for passage in self.passages if (passage.way, passage.kind) == (way, kind)]

    def seconds(self, way: str, kind: str) -> float:
        """Return the median of the seconds of one way and kind, NaN when there is none."""
        return median(self.of(way, kind), lambda passage: passage.seconds)


def median(passages: Iterable[Passage], value: Callable[[Passage], float]) -> float:
    values = [value(passage) for passage in passages]
    return statistics.median(values) if values else float("nan")


def judge(measured: Measured) -> list[Check]:
    """Return what is wanted of shipper, with what was found; without what a missing way would be needed for."""
    change = measured.seconds(SHIPPER, "change")
    sent = median(measured.of(SHIPPER, "change"), lambda passage: passage.sent)
    least = measured.weights.compressed * 8 / measured.rate + measured.connections[NEW_CONNECTION]
    first = measured.seconds(SHIPPER, "first") + measured.connections[NEW_CONNECTION]
    checks = [
        Check(f"change: time / {REGISTRY_THERE}", change / measured.seconds(REGISTRY_THERE, "change"), 1.0),
        Check(f"change: time / {REGISTRY_HERE}", change / measured.seconds(REGISTRY_HERE, "change"), 1.0),
        Check(f"change: time / {GZIP}", change / measured.seconds(GZIP, "change"), 1 / 15),
        Check("change: bytes / compressed changed layers", sent / measured.weights.changed, 1.1),
        Check("first ship: time / (compressed bytes / bandwidth + connection)", first / least, 1.3),
        Check(f"first ship: disk / {REGISTRY_HERE}, which leaves nothing else there", _disk(measured), 1.02),
    ]
    return [check for check in checks if check.value == check.value]  # a missing way has made NaN of it


def _disk(measured: Measured) -> float:
    def taken(way: str) -> float:
        return median(measured.of(way, "first"), lambda passage: passage.disk)

    return taken(SHIPPER) / taken(REGISTRY_HERE)


def write(measured: Measured, folder: Path) -> Path:
    """Write the figures as JSON and as a page; return the page."""
    return write_page("images", measured, judge(measured), _lines(measured), folder)


def _lines(measured: Measured) -> list[str]:
    weights = measured.weights
    return [
        *beginning("images", "An image over a slow line", measured),
        f"The image: {_megabytes(weights.unpacked)} unpacked, {_megabytes(weights.compressed)} compressed;",
        f"a change of one line makes {_megabytes(weights.changed)} of that anew.",
        "Times are from the built image to the one in the server's engine over an open connection, medians;",
        "what each column means stands in benchmarks/images.py.",
        "",
        "| | runs | time | slowest | sent | received | memory there | disk there |",
        "|---|---|---|---|---|---|---|---|",
        *_rows(measured),
        "",
        "| parts of it | first ship | change |",
        "|---|---|---|",
        *_part_rows(measured),
        "",
        "| opening a connection | median |",
        "|---|---|",
        *(f"| {name} | {seconds:.2f} s |" for name, seconds in measured.connections.items()),
        "",
        *wanted(judge(measured)),
        "",
        *(f"Not measured: {name} ({reason})." for name, reason in measured.left_out.items()),
    ]


def _rows(measured: Measured) -> Iterable[str]:
    for kind, title in (("first", "first ship"), ("change", "change")):
        for way in dict.fromkeys(passage.way for passage in measured.passages):
            found = measured.of(way, kind)
            slowest = max((passage.seconds for passage in found), default=float("nan"))
            yield (
                f"| {title}: {cell(way)} | {len(found)} | {measured.seconds(way, kind):.2f} s | {slowest:.2f} s "
                f"| {_megabytes(median(found, lambda one: one.sent))} "
                f"| {_megabytes(median(found, lambda one: one.received))} "
                f"| {_megabytes(median(found, lambda one: one.memory))} "
                f"| {_megabytes(median(found, lambda one: one.disk))} |"
            )


def _part_rows(measured: Measured) -> Iterable[str]:
    for way in dict.fromkeys(passage.way for passage in measured.passages):
        first, change = measured.of(way, "first"), measured.of(way, "change")
        for part in (first or change)[0].parts:
            cells = (f"{_part(found, part):.2f} s" for found in (first, change))
            yield f"| {cell(way)}: {part} | {' | '.join(cells)} |"


def _part(found: Iterable[Passage], part: str) -> float:
    return median(found, lambda passage: passage.parts[part])


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.2f} MB"
