"""A day of ships as programs see it (`--json`), and the report about that day; one server for all of it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from typing import Any

from bakery import told_in
from corner import Corner
from prepared import PROGRAM, run_shipper

# Of tests/corner.py: what the app's environment holds.
VALUE = "-".join(["marker", "9f8e7d6c5b4a"])
START = 'VERSION = "one"'


def typed(corner: Corner, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Type a command with --json; return its exit code and what it told, held against the schema."""
    done = run_shipper([*words, "--json"], corner.root, os.environ, apart=True)
    assert VALUE not in done.stdout + done.stderr
    return done.returncode, told_in(done.stdout)


def shipped(corner: Corner) -> tuple[int, list[dict[str, Any]]]:
    return typed(corner, "ship", "--yes", "--allow-dirty")


def test_a_day_of_ships_is_told_to_programs_and_shown_in_the_report(corner: Corner) -> None:
    code, (*events, first) = shipped(corner)
    assert (code, first["outcome"], first["release"]) == (0, "live", corner.live())
    ended = {event["step"]: event for event in events if event["event"] == "done"}
    assert {"connect", "build.frontend", "upload", "migrate", "health", "switch", "verify"} <= set(ended)
    assert 0 < ended["upload"]["done"] == first["bytes_sent"] < ended["upload"]["total"]

    code, (*_, again) = shipped(corner)
    assert (code, again["outcome"]) == (0, "unchanged")
    # What the server has is asked for once; a change is told, made live, and seen from here.
    assert (again["round_trips"], first["round_trips"]) == (1, 4)

    for words in (
        ["status"],
        ["plan", "--allow-dirty"],
        ["lock.show"],
        ["env.check"],
        ["host.check"],
        ["sandbox.status"],
    ):
        code, (told,) = typed(corner, *words)
        assert (code, told["command"]) == (0, words[0])
    code, (planned,) = typed(corner, "ship", "--dry-run", "--allow-dirty")
    assert (code, planned["command"], planned["plans"][0]["nothing_to_do"]) == (0, "plan", True)

    corner.type("lock.take", "--reason", "an exhibition")
    corner.edit("site/index.html", "one", "two")
    code, (*_, frozen) = shipped(corner)
    assert (code, frozen["exit_code"]) == (5, 5)
    assert "an exhibition" in json.dumps(frozen["error"])
    corner.type("lock.release")

    # Whoever looks at the first line only does not stop the ship.
    reader = subprocess.Popen(
        [*PROGRAM, "ship", "--yes", "--allow-dirty"], cwd=corner.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert reader.stdout is not None and reader.stderr is not None
    assert reader.stdout.readline()
    reader.stdout.close()
    assert (reader.wait(timeout=120), reader.stderr.read()) == (0, b"")
    second = corner.live()
    assert second != first["release"]

    corner.edit("backend/main.py", START, "import os; raise SystemExit(os.environ['SECRET_KEY'])\n" + START)
    code, (*events, failed) = shipped(corner)
    assert (code, failed["ok"], corner.live()) == (1, False, second)
    assert [event["step"] for event in events if event["event"] == "failed"] == ["health"]
    assert [event for event in events if event["event"] == "undone"]

    code, (*_, back) = typed(corner, "rollback", "--yes")
    assert back["round_trips"] == 4, "the state, the lock, the activation, and what is seen from here"
    assert (code, back["release"], corner.live()) == (0, first["release"], first["release"])

    assert_the_report_shows_it(corner, second)


def assert_the_report_shows_it(corner: Corner, second: str) -> None:
    code, (told,) = typed(corner, "report")
    assert (code, told["ships"], told["servers_read"]) == (0, 5, ["127.0.0.1"])
    with open(told["file"], encoding="utf-8") as file:
        page = file.read()
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    assert page.count("<details") == 5
    endings = ('good">live now', 'good">went live', 'bad">failed')
    assert [page.count(f'<span class="badge {ending}</span>') for ending in endings] == [1, 2, 2]
    assert "an exhibition" in page and second in page
    assert "Not known: it was shipped from another machine" not in page
    assert VALUE not in page

    # Without its records, this machine knows what the server's journal says, and no more.
    shutil.rmtree(corner.root / ".shipper/ships")
    code, (told,) = typed(corner, "report", "--output", "other.html")
    page = (corner.root / "other.html").read_text(encoding="utf-8")
    assert (code, told["ships"]) == (0, 4)
    assert page.count("Not known: it was shipped from another machine") == 4
    code, (told,) = typed(corner, "report", "--local")
    assert (code, told["ships"], told["unread"]) == (0, 0, "it was not asked (--local)")
