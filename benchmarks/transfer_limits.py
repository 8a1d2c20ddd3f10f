"""What the measurement of transfers finds, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.page import Check

SHIPPER = "shipper"
SSH = "ssh true"
TITLES = {
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
# Why some of it may be missed.
_DISK = "shipper's time ends when all is on the disk, checked, and live; that of the others when the kernel has it."
_DOCUMENT = "what stays are the paths that changed, the requests around them, and the record of the release."
_READING = "every file was just written, so that all are read and hashed here; after a build without a change none is."


@dataclass
class Passage:
    """One folder's way to the server.

    `line` is "slow" or "loopback", `kept` whether the connection was open before. `sent` and `received` are bytes and
    `turns` round trips, counted on the slow line alone; `processor` the server's seconds; `sync` those that the server
    needs afterwards to have all of it on its disk, which shipper waits for by itself. Where memory was watched, in
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
    sync: float = 0.0
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
class Measured:
    """All that a run found.

    The passages of the sites, those whose memory was watched, those file by file, and those that show how cost grows;
    those of the connection alone (`floor`: `ssh true`, and shipper's connecting and looking at the server); the
    machine's load before and after; the slow line's rate in bits per second and round trip in seconds.
    """

    passages: tuple[Passage, ...]
    weighed: tuple[Passage, ...]
    slow: tuple[Passage, ...]
    growth: tuple[Passage, ...]
    floor: tuple[Passage, ...]
    load: tuple[float, float]
    rate: float
    round_trip: float

    @property
    def sites(self) -> list[str]:
        return list(dict.fromkeys(passage.site for passage in self.passages))

    @property
    def ways(self) -> list[str]:
        return list(dict.fromkeys(passage.way for passage in self.passages))

    def alone(self, way: str, kept: bool) -> Passage:
        """Return the quickest of the passages of the connection alone."""
        return min((one for one in self.floor if (one.way, one.kept) == (way, kept)), key=lambda one: one.seconds)

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

    slow, large = ("", _DOCUMENT) if kept else _reasons_of_connecting(measured)

    def disk(ways: Sequence[str], kind: str) -> str:
        """Return why shipper may be slower, with what it comes to when everybody waits for the disk."""
        own = measured.best(site, SHIPPER, "slow", kept, kind)
        others = (measured.best(site, way, "slow", kept, kind) for way in ways)
        other = min(others, key=on_disk)
        told = f"Until it is on the disk, {other.way} takes {on_disk(other):.2f} s, shipper {on_disk(own):.2f} s."
        return f"{slow}{_DISK} {told}"

    where = f"{site}, {'open' if kept else 'new'} connection"
    first = against(peers, "first", _seconds)
    yield Check(f"{where}: first ship, time / best peer", first, _FIRST, disk(peers, "first"))
    for kind in ("text", "component"):
        quick = against(rsyncs, kind, _seconds)
        yield Check(f"{where}: {TITLES[kind]}, time / rsync", quick, _CHANGE, disk(rsyncs, kind))
        yield Check(f"{where}: {TITLES[kind]}, bytes / rsync", against(rsyncs, kind, _carried), _CHANGE_BYTES, large)
    why = _READING if kept else disk(rsyncs, "same")
    yield Check(f"{where}: {TITLES['same']}, time / rsync", against(rsyncs, "same", _seconds), _SAME, why)


def _reasons_of_connecting(measured: Measured) -> tuple[str, str]:
    """Return why a passage over a new connection may be slow, and why it may be large, with what was measured of it."""
    own, ssh = measured.alone(SHIPPER, False), measured.alone(SSH, False)
    slow = (
        f"connecting and looking at the server is {own.seconds:.2f} s of it ({own.turns} round trips, the agent's "
        f"start; `ssh true` alone: {ssh.seconds:.2f} s). A ship does it while the build runs, where nobody waits for "
        f"it. And "
    )
    large = (
        f"{_carried(own) / 1e3:.1f} kB of shipper's are the keys of the connection, the agent's start and the server's "
        f"state ({_carried(ssh) / 1e3:.1f} kB of ssh's), whatever changed."
    )
    return slow, large


def on_disk(passage: Passage) -> float:
    """Return the seconds until all of it is on the server's disk."""
    return passage.seconds + passage.sync


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
