"""Shipping, end to end: what visitors see, what runs, what is kept, and what travels."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Exec
from corner import Corner
from test_one_at_a_time import begin, wait_for

from shipper.events import discard
from shipper.sandbox import server

DATA = "/srv/corner/shared/data"
# A backend that answers when it may, so that somebody is connected to it for as long as the test likes.
ENDLESS = """    if scope["path"] == "/api/endless":
        DATA.with_name("begun").touch()
        while not DATA.with_name("over").exists():
            await asyncio.sleep(0.02)
"""
ANSWERING = "    status, answer = respond("


def slots_running(sandbox_exec: Exec) -> list[str]:
    _, output = sandbox_exec(["systemctl", "list-units", "--plain", "--no-legend", "--state=active", "corner@*"])
    return [line.split()[0] for line in output.splitlines()]


def test_first_ship_serves_site_and_backend_through_nginx(corner: Corner) -> None:
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert f"is live at {corner.url}" in ended.output
    assert corner.get("/")[0] == 200
    assert json.loads(corner.get("/api/health")[1])["version"] == "one"
    assert corner.get("/nowhere") == (404, "<!doctype html><title>not found</title>\n")
    assert "migrated: one" in ended.output


@pytest.mark.live
def test_ship_without_a_change_does_nothing(corner: Corner) -> None:
    live = corner.live()
    ended = corner.ship()
    assert (ended.code, corner.live()) == (0, live)
    assert "Nothing to do" in ended.output


@pytest.mark.live
def test_frontend_only_ship_touches_no_process(corner: Corner, sandbox_exec: Exec) -> None:
    before = sandbox_exec(["systemctl", "show", "corner@*", "--property=MainPID,Id"])
    corner.edit("site/index.html", "one", "two")
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert "two" in corner.get("/")[1]
    assert sandbox_exec(["systemctl", "show", "corner@*", "--property=MainPID,Id"]) == before


@pytest.mark.live
def test_backend_ship_leaves_one_running_copy_of_the_new_code(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"')
    corner.shipped()
    assert json.loads(corner.get("/api/health")[1])["version"] == "two"
    assert len(slots_running(sandbox_exec)) == 1


def test_rollback_brings_site_backend_and_environment_back_together_and_cuts_nobody_off(
    corner: Corner, sandbox_exec: Exec
) -> None:
    corner.edit("ship.toml", "[nginx]", "drain = 60\n\n[nginx]")
    first = corner.shipped()
    before = corner.get("/api/health")[1]
    corner.edit("site/index.html", "one", "two")
    corner.edit("backend/main.py", 'VERSION = "one"', 'import asyncio\nVERSION = "two"')
    corner.edit("backend/main.py", ANSWERING, ENDLESS + ANSWERING)
    corner.edit("ship.toml", "drain = 60", "drain = 2")
    corner.write(".env.sandbox", 'SECRET_KEY="another-marker-5544"\n')
    assert corner.shipper("env.push").code == 0
    second = corner.shipped()
    assert "two" in corner.get("/")[1]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(corner.get, "/api/endless")
        assert sandbox_exec(["sh", "-c", f"timeout 10 sh -c 'until [ -e {DATA}/begun ]; do sleep 0.02; done'"])[0] == 0
        rollback = begin(corner, "rollback", "--yes")
        wait_for(rollback, "... drain")
        assert not asked.done()
        assert sandbox_exec(["touch", f"{DATA}/over"])[0] == 0
        printed, _ = rollback.communicate(timeout=60)
    assert rollback.returncode == 0, printed
    assert "nobody is connected to it any more" in printed
    assert asked.result() == (404, '{"path": "/api/endless"}')
    assert corner.live() == first
    assert "one" in corner.get("/")[1]
    assert corner.get("/api/health")[1] == before
    forward = corner.shipper("rollback", "--release", second, "--yes")
    assert (forward.code, corner.live()) == (0, second)


@pytest.mark.live
def test_plan_writes_nothing_and_names_the_steps_that_ship_runs(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"')
    everything = ["sh", "-c", "cd / && find srv etc/nginx etc/systemd var/lib/shipper -printf '%p %T@ %l %i\\n' | sort"]
    before = sandbox_exec(everything)
    planned = corner.shipper("plan")
    assert planned.code == 0, planned.output
    assert sandbox_exec(everything) == before
    shipped = corner.ship()
    steps = [line.split()[1] for line in planned.output.splitlines() if line.strip()[:1].isdigit()]
    ran = [line.split()[1] for line in shipped.output.splitlines() if line.startswith("  ok ")]
    # Who plans has connected, too.
    assert steps and sorted([*steps, "connect"]) == sorted(ran)


@pytest.mark.live
def test_what_was_live_is_live_after_a_reboot(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    server.down(corner.sandbox.name)
    server.up(corner.sandbox.name, discard)
    assert corner.live() == live
    # systemd says "running" as soon as the backend was started; its first answer takes a moment more.
    deadline = time.monotonic() + 20
    while corner.get("/api/health")[0] != 200:
        assert time.monotonic() < deadline, corner.shipper("status").output


@pytest.mark.live
def test_pages_of_the_release_before_are_gone(corner: Corner) -> None:
    corner.write("site/old.html", "an old page")
    corner.shipped()
    assert corner.get("/old.html")[0] == 200
    (corner.root / "site/old.html").unlink()
    corner.shipped()
    assert corner.get("/old.html")[0] == 404


def test_only_the_newest_good_releases_are_kept(corner: Corner, sandbox_exec: Exec) -> None:
    for number in range(7):
        corner.write("site/index.html", f"<h1>number {number}</h1>")
        corner.shipped()
    _, names = sandbox_exec(["ls", "/srv/corner/releases"])
    assert len(names.split()) == 5


@pytest.mark.live
def test_an_unchanged_file_does_not_travel_again(corner: Corner) -> None:
    corner.edit("site/index.html", "one", "two")
    ended = corner.ship()
    assert "1 file, 92 bytes" in ended.output, ended.output
