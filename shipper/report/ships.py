"""What the report says of each ship, worked out: this machine's records and the server's journal, told as one story.

Nothing is made up: of a ship that was made elsewhere only the journal knows, and what it does not say is not known.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Tone = Literal["good", "bad", "stopped"]
_TONES: dict[str, Tone] = {"live": "good", "stopped": "stopped"}
Place = Literal["here", "transfer", "server"]
# What a step is about: docs/architecture.md, "The steps of a ship". All others happen on the server.
_HERE = ("build.", "connect", "check", "cors")
_TRANSFER = ("upload", "image")
# A hook says in its title where it runs (shipper.pipeline.hooks).
_HOOKS = ("before-build", "after-build", "before-switch", "after-switch", "on-failure")
_ON_SERVER = ", on the server: "
# The steps in which it turns out whether visitors are served.
_HEALTH = {
    "stop-first": "backend away",
    "health": "new backend",
    "switch": "switch",
    "verify": "through nginx",
    "watch": "visitors",
    "drain": "old backend",
}
# One journal says the time by the server's clock, the record by this machine's.
_SAME_SECONDS = 600.0
_NARROWEST_BAR = 0.4  # percent of the time


@dataclass(frozen=True)
class Bar:
    """One step: when it ran (seconds since the beginning; percent of the whole time), where, what came of it."""

    step: str
    server: str
    title: str
    text: str
    place: Place
    result: str
    begin: float
    seconds: float
    left: float
    width: float


@dataclass(frozen=True)
class Bytes:
    """What travelled, and what a copy of everything would have been; None is not known."""

    sent: int
    whole: int | None

    @property
    def share(self) -> float | None:
        """What travelled, in percent of the whole."""
        return min(100.0, 100 * self.sent / self.whole) if self.whole else None


@dataclass(frozen=True)
class Ship:
    """One ship or rollback. Times are UTC. Texts are "" and numbers None where nobody knows.

    `live_at` is when the first server switched, in percent of the time, as in `ticks` (label and place).
    """

    action: str
    result: Tone
    ended: datetime.datetime
    seconds: float | None
    release: str
    previous: str = ""
    commit: str = ""
    subject: str = ""
    dirty: bool = False
    who: str = ""
    author: str = ""
    run: str = ""
    servers: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    ticks: tuple[tuple[str, float], ...] = ()
    live_at: float | None = None
    bytes: Bytes | None = None
    health: tuple[tuple[str, str], ...] = ()
    watched: bool | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    error: Mapping[str, str] | None = None
    from_journal: bool = False
    is_live: bool = False


@dataclass(frozen=True)
class Journal:
    """What the servers of a target said: the release that is live, the records of releases, the last ships of each."""

    live: str = ""
    releases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ships: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, answers: Sequence[tuple[str, Mapping[str, Any]]]) -> Journal:
        """Read the agents' answers to `status`, each with its server's name."""
        releases = {entry["id"]: entry for _, answer in answers for entry in answer["releases"]}
        ships = tuple({**entry, "server": server} for server, answer in answers for entry in answer["ships"])
        return cls(answers[0][1]["live"] if answers else "", releases, ships)


def tell_ships(records: Iterable[Mapping[str, Any]], journal: Journal, subjects: Mapping[str, str]) -> list[Ship]:
    """Return all ships, the newest first; `subjects` are those of the commits that are known here."""
    ships = [_from_record(record, subjects) for record in records]
    told: list[Ship] = []
    for entry in journal.ships:
        ship = _from_journal(entry, journal, subjects)
        if any(_is_same(ship, known) for known in ships):
            continue
        # Several servers tell of the same ship, one after the other.
        twin = next((known for known in told if _is_same(ship, known) and not {*ship.servers} & {*known.servers}), None)
        if twin is not None:
            told.remove(twin)
            ship = replace(twin, servers=(*twin.servers, *ship.servers))
        told.append(ship)
    ships = sorted([*ships, *told], key=lambda ship: ship.ended, reverse=True)
    newest = next((ship for ship in ships if ship.release == journal.live and ship.result == "good"), None)
    return [replace(ship, is_live=ship is newest) for ship in ships]


def _is_same(one: Ship, other: Ship) -> bool:
    near = abs((one.ended - other.ended).total_seconds()) < _SAME_SECONDS
    return near and _essence(one) == _essence(other)


def _essence(ship: Ship) -> object:
    return (ship.action, ship.release, ship.result == "good", ship.who)


def _from_record(record: Mapping[str, Any], subjects: Mapping[str, str]) -> Ship:
    started = datetime.datetime.fromisoformat(record["started"])
    whole = max(float(record["seconds"]), 0.001)
    bars = [_bar(stage, whole) for stage in record["stages"] if stage["result"] != "undone"]
    order = list(dict.fromkeys(bar.server for bar in bars))
    bars.sort(key=lambda bar: (bar.server != "", order.index(bar.server)))  # what each server did stands together
    switched = [bar.left + bar.width for bar in bars if bar.step == "switch" and bar.result == "done"]
    return Ship(
        action=record["action"],
        result=_TONES.get(record["result"], "bad"),
        ended=started + datetime.timedelta(seconds=whole),
        seconds=whole,
        release=record["release"],
        previous=record["previous"] or "",
        commit=record["commit"],
        subject=subjects.get(record["commit"], ""),
        dirty=record["dirty"],
        who=record["who"],
        author=record["author"],
        run=record["run"],
        servers=tuple(record["servers"]),
        bars=tuple(bars),
        live_at=round(min(switched), 3) if switched else None,
        ticks=_ticks(whole),
        bytes=_bytes(record["stages"]),
        health=tuple(_health(record["stages"])),
        watched=bool(record["watched"]),
        findings=tuple(record["findings"]),
        notes=tuple(_of(note["server"], note["text"]) for note in record["notes"]),
        trouble=tuple(record["trouble"]),
        undone=tuple(_of(s["server"], s["text"]) for s in record["stages"] if s["result"] == "undone"),
        error=record["error"],
    )


def _from_journal(entry: Mapping[str, Any], journal: Journal, subjects: Mapping[str, str]) -> Ship:
    release = journal.releases.get(entry["release"], {})
    commit = release.get("commit", "")
    reason = entry.get("reason") or ""
    what, _, why = reason.partition("\n")
    return Ship(
        action=entry["kind"],
        result="good" if entry["result"] == "live" else "bad",
        ended=datetime.datetime.fromisoformat(entry["time"]),
        seconds=entry.get("seconds"),
        release=entry["release"],
        previous=entry.get("previous") or "",
        commit=commit,
        subject=subjects.get(commit, ""),
        dirty=bool(release.get("dirty")),
        who=entry.get("who") or "",
        author=release.get("author") or "",
        servers=(entry["server"],),
        trouble=tuple(entry.get("trouble") or ()),
        undone=tuple(entry.get("undone") or ()) if isinstance(entry.get("undone"), list) else (),
        error={"what": what, "why": why, "fix": ""} if reason else None,
        from_journal=True,
    )


def _bar(stage: Mapping[str, Any], whole: float) -> Bar:
    begin, end = float(stage["begin"]), float(stage["end"])
    width = max(_NARROWEST_BAR, 100 * (end - begin) / whole)
    left = min(100 * begin / whole, 100 - min(width, 100.0))
    return Bar(
        step=stage["step"],
        server=stage["server"],
        title=stage["title"],
        text=stage["text"],
        place=_place(stage["step"], stage["title"]),
        result=stage["result"],
        begin=begin,
        seconds=end - begin,
        left=round(max(0.0, left), 3),
        width=round(min(width, 100.0), 3),
    )


def _place(step: str, title: str) -> Place:
    if step.startswith(_HERE) or (step.startswith(_HOOKS) and _ON_SERVER not in title):
        return "here"
    return "transfer" if step.startswith(_TRANSFER) else "server"


def _ticks(seconds: float) -> tuple[tuple[str, float], ...]:
    """Return the labels of a time axis with at most six marks, each with its place in percent."""
    steps = [digits * 10**power for power in range(-2, 5) for digits in (1, 2, 5)]
    step = next((step for step in steps if seconds / step <= 5), seconds)
    count = int(seconds / step + 1e-9)
    return tuple((f"{number * step:g} s", round(100 * number * step / seconds, 3)) for number in range(count + 1))


def _bytes(stages: Sequence[Mapping[str, Any]]) -> Bytes | None:
    known = [stage for stage in stages if stage["bytes_sent"] is not None]
    if not known:
        return None
    wholes = [stage["bytes_whole"] for stage in known]
    return Bytes(sum(stage["bytes_sent"] for stage in known), None if None in wholes else sum(wholes))


def _health(stages: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for stage in stages:
        if stage["step"] in _HEALTH and stage["result"] != "undone":
            words = stage["text"] or {"done": "went well", "cut": "was cut off"}.get(stage["result"], "failed")
            yield _HEALTH[stage["step"]], _of(stage["server"], words)


def _of(server: str, text: str) -> str:
    return f"{server}: {text}" if server else text
