"""Servers as they are found: a disk that is read-only, things deleted by hand, a wrong clock, somebody else's nginx."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from boundaries import change_python, restore_python
from conftest import Exec
from corner import Corner

START = 'VERSION = "one"'


@pytest.mark.live
def test_a_read_only_disk_is_told_as_such(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    mount = "mount --bind /srv/corner /srv/corner && mount -o remount,bind,ro /srv/corner"
    assert sandbox_exec(["sh", "-c", mount])[0] == 0
    corner.edit("site/index.html", "one", "two")
    refused = corner.ship()
    assert sandbox_exec(["umount", "/srv/corner"])[0] == 0
    assert refused.code == 1, refused.output
    assert "read-only" in refused.output
    assert "remount,rw" in refused.output
    assert corner.live() == live
    corner.shipped()


@pytest.mark.live
def test_an_old_release_that_was_deleted_by_hand_is_no_way_back(corner: Corner, sandbox_exec: Exec) -> None:
    first = corner.live()
    corner.edit("site/index.html", "one", "two")
    second = corner.shipped()
    corner.edit("site/index.html", "two", "three")
    corner.shipped()
    assert sandbox_exec(["rm", "-r", f"/srv/corner/releases/{second}"])[0] == 0
    refused = corner.shipper("rollback", "--release", second, "--yes")
    assert refused.code == 2, refused.output
    assert f"There is no release {second}" in refused.output
    back = corner.shipper("rollback", "--yes")
    assert (back.code, corner.live()) == (0, first), back.output


@pytest.mark.live
@pytest.mark.parametrize("way_out", ["ship", "rollback"])
def test_a_live_release_that_was_deleted_by_hand_is_told_and_replaced(
    corner: Corner, sandbox_exec: Exec, way_out: str
) -> None:
    first = corner.live()
    corner.edit("site/index.html", "one", "two")
    second = corner.shipped()
    assert sandbox_exec(["rm", "-r", f"/srv/corner/releases/{second}"])[0] == 0
    assert corner.get("/")[0] == 404
    status = corner.shipper("status")
    assert status.code == 0, status.output
    assert f"current points to {second}, which is no longer on the server" in status.output
    ended = corner.shipper(way_out, "--yes")
    assert ended.code == 0, ended.output
    assert corner.get("/")[0] == 200
    assert corner.live() == first if way_out == "rollback" else corner.live() > second


@pytest.mark.live
def test_a_link_to_nowhere_is_replaced(corner: Corner, sandbox_exec: Exec) -> None:
    assert sandbox_exec(["ln", "-sfn", "releases/20200101T000000Z-nothing", "/srv/corner/current"])[0] == 0
    assert "which is no longer on the server" in corner.shipper("status").output
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    corner.shipped()
    assert '"two"' in corner.get("/api/health")[1]


@pytest.mark.live
def test_a_server_whose_clock_was_a_year_ahead_is_shipped_to_in_order(corner: Corner, sandbox_exec: Exec) -> None:
    # As if it had been shipped from a machine, or on a server, that lives a year ahead.
    ahead = "20991120T000000Z-abcdef1"
    script = (
        "import json, os\n"
        "old = os.readlink('/srv/corner/current').rpartition('/')[2]\n"
        f"new = '/srv/corner/releases/{ahead}'\n"
        "os.rename('/srv/corner/releases/' + old, new)\n"
        "record = json.load(open(new + '/release.json'))\n"
        f"json.dump({{**record, 'id': '{ahead}'}}, open(new + '/release.json', 'w'))\n"
        f"open(new + '/release.txt', 'w').write('{ahead}\\n')\n"
        "os.symlink(new, '/srv/corner/link')\n"
        "os.replace('/srv/corner/link', '/srv/corner/current')\n"
    )
    assert sandbox_exec(["python3", "-c", script]) == (0, "")
    assert corner.live() == ahead
    corner.edit("site/index.html", "one", "two")
    newer = corner.shipped()
    assert newer > ahead, "the order of the ids is the order of the releases"
    back = corner.shipper("rollback", "--yes")
    assert (back.code, corner.live()) == (0, ahead), back.output


CLOCK = """
import time
now, broken_down, text = time.time, time.gmtime, time.strftime
shift = {years} * 365 * 86400
time.time = lambda: now() + shift
time.gmtime = lambda seconds=None: broken_down(time.time() if seconds is None else seconds)
time.strftime = lambda form, moment=None: text(form, time.gmtime() if moment is None else moment)
"""


@pytest.fixture
def wrong_clock(sandbox_exec: Exec) -> Iterator[None]:
    """Restores the clock of the server's agents, which the test sets."""
    yield
    restore_python(sandbox_exec)


def test_a_server_whose_clock_is_a_year_behind_and_then_a_year_ahead_is_no_matter(
    corner: Corner, sandbox_exec: Exec, wrong_clock: None
) -> None:
    ids = [corner.shipped()]
    years = [sandbox_exec(["date", "+%Y"])[1].strip()]
    for number, shift in enumerate((-1, 1)):
        change_python(sandbox_exec, CLOCK.format(years=shift))
        taken = corner.shipper("lock.take", "--reason", "the fair is on", "--until", "3d")
        assert taken.code == 0, taken.output
        corner.write("site/index.html", f"<h1>{number}</h1>")
        refused = corner.ship()
        assert refused.code == 5 and "It ends by itself in 3 d" in refused.output, refused.output
        assert corner.shipper("lock.release").code == 0
        ids.append(corner.shipped())
        written = json.loads(sandbox_exec(["tail", "--lines", "1", "/srv/corner/journal.jsonl"])[1])
        years.append(written["time"][:4])
        status = corner.shipper("status")
        assert status.code == 0 and f"{ids[-1]} is live" in status.output, status.output
    assert [int(year) - int(years[0]) for year in years] == [0, -1, 1], "the agent's clock was as it was set"
    assert ids == sorted(ids), "the order of the ids is the order of the releases"
    back = corner.shipper("rollback", "--yes")
    assert (back.code, corner.live()) == (0, ids[-2]), back.output


@pytest.mark.live
def test_a_journal_of_an_older_version_and_half_a_line_do_no_harm(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    begun = {
        "kind": "begin",
        "release": "20200101T000000Z-abcdef1",
        "previous": live,
        "who": "kim@laptop",
        "action": "ship",
    }
    lines = [
        json.dumps({"time": "2026-11-20T00:00:00Z", **begun}),
        json.dumps({"time": "2026-11-20T00:00:01Z", "kind": "step", "step": "lay", "result": "done"}),
        '{"time": "2026-11-20T00:0',
    ]
    append = 'printf "%s" "$1" >> /srv/corner/journal.jsonl'
    assert sandbox_exec(["sh", "-c", append, "sh", "\n".join(lines)])[0] == 0
    status = corner.shipper("status")
    assert status.code == 0, status.output
    assert "by kim@laptop was cut off after the step lay; it was undone" in status.output
    corner.edit("site/index.html", "one", "two")
    corner.shipped()
    assert "note" not in corner.shipper("status").output


@pytest.mark.live
def test_another_program_on_nginxs_port_is_named(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    squat = "systemctl stop nginx && systemd-run --quiet --unit=squatter python3 -m http.server 80"
    assert sandbox_exec(["sh", "-c", squat])[0] == 0
    wait = "for i in $(seq 100); do ss -ltn | grep -q ':80 ' && exit 0; sleep 0.1; done; exit 1"
    try:
        assert sandbox_exec(["sh", "-c", wait])[0] == 0
        corner.edit("ship.toml", 'rate = "off"', 'rate = "50r/s"')
        refused = corner.ship()
    finally:
        sandbox_exec(["systemctl", "stop", "squatter"])
    assert refused.code == 1, refused.output
    assert "nginx could not be reloaded: python3" in refused.output
    assert "holds port 80" in refused.output
    assert sandbox_exec(["systemctl", "start", "nginx"])[0] == 0
    assert corner.live() == live
    corner.shipped()


@pytest.mark.live
def test_an_nginx_that_was_down_is_started(corner: Corner, sandbox_exec: Exec) -> None:
    assert sandbox_exec(["systemctl", "stop", "nginx"])[0] == 0
    corner.edit("site/index.html", "one", "two")
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert "nginx was not running; it was started" in ended.output
    assert "two" in corner.get("/")[1]
