"""Records and journals of ships as the tests of the report make them up: every kind of ending, and hostile texts."""

from __future__ import annotations

import datetime
from typing import Any

BEGIN = datetime.datetime(2026, 11, 20, 9, 0, tzinfo=datetime.UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def release_id(number: int) -> str:
    """Return the id of the release with that number; a new one every hour."""
    moment = BEGIN + datetime.timedelta(hours=number)
    return f"{moment:%Y%m%dT%H%M%SZ}-{number:07x}"


def commit_of(number: int) -> str:
    """Return the commit of the release with that number."""
    return f"{number:07x}" * 5 + "00000"


def stage(step: str, begin: float, end: float, server: str = "", **more: Any) -> dict[str, Any]:
    """Return one stage of a record."""
    known = {"title": f"title of {step}", "result": "done", "text": "", "bytes_sent": None, "bytes_whole": None}
    return {**known, "step": step, "server": server, "begin": begin, "end": end, **more}


def activation(begin: float, server: str = "") -> list[dict[str, Any]]:
    """Return what happens on one server; it takes four seconds."""
    return [
        stage(
            "upload",
            begin,
            begin + 1.0,
            server,
            text="12 files, 40,210 bytes as 9,120",
            bytes_sent=9120,
            bytes_whole=2_400_000,
        ),
        stage("lay", begin + 1.0, begin + 1.1, server),
        stage("health", begin + 1.1, begin + 1.6, server, text="HTTP 200 after 0.4 s"),
        stage("switch", begin + 1.6, begin + 1.65, server, text=f"current -> {release_id(1)}"),
        stage("verify", begin + 1.65, begin + 2.9, server, text="seen here and at the public address"),
        stage("drain", begin + 2.9, begin + 4.0, server, text="2 s since the switch"),
    ]


def record(number: int, **more: Any) -> dict[str, Any]:
    """Return the record of a ship that went live; `more` says what was otherwise."""
    stages = [
        stage("connect", 0.0, 0.4, text="live is another one"),
        stage("build.frontend", 0.0, 2.1, text="1,204 files; built in 2.1 s"),
        stage("build.backend", 0.4, 0.9, text="41 files of code"),
        *activation(2.2),
    ]
    known = {
        "format": 1,
        "app": "shop",
        "target": "production",
        "url": "https://shop.example.com",
        "action": "ship",
        "started": (BEGIN + datetime.timedelta(hours=number)).isoformat(),
        "seconds": 6.2,
        "result": "live",
        "who": "kim@laptop",
        "author": "Kim Minji <kim@example.com>",
        "run": "",
        "release": release_id(number),
        "previous": release_id(number - 1),
        "commit": commit_of(number),
        "dirty": False,
        "servers": ["203.0.113.7"],
        "files": 12,
        "bytes_sent": 9120,
        "watched": False,
        "stages": stages,
        "notes": [],
        "findings": [],
        "trouble": [],
        "error": None,
    }
    return {**known, **more}


def ended(number: int, minutes: float = 0.0, **more: Any) -> dict[str, Any]:
    """Return the last line of a ship in a server's journal."""
    moment = BEGIN + datetime.timedelta(hours=number, minutes=minutes, seconds=6)
    known = {"v": 1, "kind": "ship", "result": "live", "who": "kim@laptop", "seconds": 4.0, "trouble": []}
    return {
        **known,
        "release": release_id(number),
        "previous": release_id(number - 1),
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        **more,
    }


def answer(live: int, *ships: dict[str, Any]) -> dict[str, Any]:
    """Return what an agent says to `status`, as far as the report reads it."""
    releases = [
        {"id": release_id(n), "commit": commit_of(n), "dirty": False, "author": "Lee Jun <lee@example.com>"}
        for n in range(12)
    ]
    return {"live": release_id(live), "releases": releases, "ships": list(ships)}
