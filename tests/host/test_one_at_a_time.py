"""One at a time: two who ship at once, a freeze, and a network that is gone without a word."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence

import pytest
from conftest import Exec
from corner import Corner
from network import Network
from prepared import PROGRAM

from shipper.events import discard
from shipper.pipeline.rollback import rollback
from shipper.pipeline.rollout import Member
from shipper.pipeline.ship import ship
from shipper.tasks.job import find_job

START = 'VERSION = "one"'


def begin(corner: Corner, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *words],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    raise AssertionError(f"{words!r} was never printed:\n{printed}")


@pytest.mark.live
def test_of_two_who_ship_at_once_one_wins_and_the_other_is_told(
    corner: Corner, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    for number in range(request.config.getoption("--rounds")):
        corner.write("site/index.html", f"<h1>round {number}</h1>")
        began = time.monotonic()
        both = [begin(corner, "ship", "--yes") for _ in range(2)]
        printed = [process.communicate(timeout=120)[0] for process in both]
        assert sum("... switch" in text for text in printed) == 1, printed
        for process, text in zip(both, printed, strict=True):
            # Who comes when the other is done already finds nothing left to do.
            refused = (process.returncode, "is changing corner right now" in text) == (5, True)
            assert refused or process.returncode == 0, text
            assert refused or "... switch" in text or "Nothing to do" in text, text
        assert f"round {number}" in corner.get("/")[1]
        told = "refused" if any(process.returncode == 5 for process in both) else "came later"
        record_property("round", f"{told} {time.monotonic() - began:.1f}")


@pytest.mark.live
def test_who_waits_gets_the_turn(corner: Corner) -> None:
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    corner.edit("ship.toml", "[nginx]", "drain = 6\n\n[nginx]")
    first = begin(corner, "ship", "--yes")
    wait_for(first, "... drain")
    corner.edit("site/index.html", "one", "three")
    second = corner.shipper("ship", "--yes", "--lock-wait", "60")
    assert second.code == 0, second.output
    assert "Waiting for" in second.output
    assert "Kim" in second.output or "@" in second.output
    assert first.communicate(timeout=60) is not None
    assert first.returncode == 0
    assert "three" in corner.get("/")[1]
    assert '"two"' in corner.get("/api/health")[1]


@pytest.mark.live
def test_a_frozen_app_is_not_shipped_but_rolled_back(corner: Corner) -> None:
    before = corner.live()
    corner.edit("site/index.html", "one", "two")
    live = corner.shipped()
    taken = corner.shipper("lock.take", "--reason", "the fair is on", "--until", "3d")
    assert taken.code == 0, taken.output
    corner.edit("site/index.html", "two", "three")
    for words in (("ship", "--yes"), ("env.push",)):
        refused = corner.shipper(*words)
        assert refused.code == 5, refused.output
        assert "frozen by" in refused.output
        assert "the fair is on" in refused.output
        assert "inv lock.release" in refused.output
    assert corner.live() == live
    shown = corner.shipper("lock.show")
    assert "the fair is on" in shown.output, shown.output
    back = corner.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert "a rollback goes through" in back.output
    assert corner.live() == before
    lifted = corner.shipper("lock.release")
    assert (lifted.code, "The freeze is lifted" in lifted.output) == (0, True), lifted.output
    assert "is free" in corner.shipper("lock.show").output
    assert "was not frozen" in corner.shipper("lock.release").output
    corner.shipped()


def test_a_moment_that_nobody_understands_freezes_nothing(corner: Corner) -> None:
    for until, words in (("soonish", "no moment"), ("2020-01-01", "over already")):
        refused = corner.shipper("lock.take", "--reason", "x", "--until", until)
        assert refused.code == 2, refused.output
        assert words in refused.output
        assert "--until 3d" in refused.output
    assert corner.shipper("lock.take").code == 2
    corner.shipped()


def test_an_upload_goes_on_by_itself_when_the_connection_breaks(corner: Corner, sandbox_exec: Exec) -> None:
    for number in range(8):
        (corner.root / f"site/film-{number}.bin").write_bytes(os.urandom(3_000_000))
    with Network(corner.sandbox.ssh_port) as network:
        network.break_after(10_000_000)
        corner.add_far_target(network.port)
        ended = corner.shipper("ship", "--yes", "--to", "far")
    assert ended.code == 0, ended.output
    assert "Connecting again; what arrived stays" in ended.output
    upload = next(line for line in ended.output.splitlines() if line.startswith("  ok   upload"))
    sent = int(upload.rpartition(" as ")[2].replace(",", ""))
    assert 24_000_000 < sent < 30_000_000, "what had arrived was not sent again: " + upload
    assert sandbox_exec(["sh", "-c", "ls /srv/corner/current/site/film-*.bin | wc -l"])[1].strip() == "8"


@pytest.mark.live
def test_who_said_yes_is_asked_again_when_somebody_else_was_quicker(
    corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = corner.live()
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    second = corner.shipped()
    corner.edit("site/index.html", "one", "three")
    monkeypatch.chdir(corner.root)
    job = find_job("", allow_dirty=True)
    asked: list[str] = []

    def yes_then_no(other: str) -> Callable[[Sequence[Member]], bool]:
        def confirm(members: Sequence[Member]) -> bool:
            asked.append(members[0].state.live)
            if len(asked) == 2:
                return False
            ended = corner.shipper(other, "--yes")
            assert ended.code == 0, ended.output
            return True

        asked.clear()
        return confirm

    report = ship(job, discard, yes_then_no("rollback"))
    assert (report.outcome, report.live) == ("declined", first)
    assert asked == [second, first]
    assert corner.live() == first
    report = rollback(job, second, discard, yes_then_no("ship"))
    assert (report.outcome, report.live) == ("declined", corner.live())
    assert asked == [first, corner.live()]
    assert "three" in corner.get("/")[1]
    assert corner.shipper("lock.show").output.strip().endswith("nothing is frozen.")


@pytest.mark.live
def test_a_network_that_is_gone_without_a_word_holds_nobody_up(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    access = corner.sandbox
    (corner.root / "site/film.bin").write_bytes(os.urandom(20_000_000))
    with Network(access.ssh_port) as network:
        network.vanish_after(5_000_000)
        corner.add_far_target(network.port)
        idle = begin(corner, "logs", "--follow", "--to", "far")
        wait_for(idle, "corner")
        lost = begin(corner, "ship", "--yes", "--allow-dirty", "--to", "far")
        assert network.gone.wait(60)
        refused = corner.shipper("ship", "--yes", "--to", "sandbox")
        assert refused.code == 5, refused.output
        assert "last heard of" in refused.output
        # Nobody types anything for it: as soon as the client has been silent for long enough, it is waited out.
        ended = corner.shipper("ship", "--yes", "--to", "sandbox", "--lock-wait", "60")
        assert ended.code == 0, ended.output
        assert corner.live() != live
        # Who was sending is told, and so is who was only listening.
        for process in (lost, idle):
            printed, _ = process.communicate(timeout=120)
            assert process.returncode == 4, printed
            assert "has been silent for too long" in printed
            assert "->" in printed
    assert sandbox_exec(["sh", "-c", "ls /srv/corner/store | grep incoming"])[1] == ""
    assert corner.shipper("lock.show", "--to", "sandbox").output.strip().endswith("nothing is frozen.")
