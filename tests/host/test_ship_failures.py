"""What can go wrong while a release goes live: the message, the exit code, and the old release serving on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from conftest import Exec, wait_inside
from corner import Corner
from prepared import PROGRAM

Break = Callable[[Corner], None]
HEALTH = 'return 200, {"version"'
START = 'VERSION = "one"'


def backend(old: str, new: str) -> Break:
    return lambda corner: corner.edit("backend/main.py", old, new)


@dataclass(frozen=True)
class Failure:
    """What is broken, and the words that the message must hold."""

    name: str
    spoil: Break
    words: tuple[str, ...]


def spoil_migration(corner: Corner) -> None:
    corner.write("backend/migrate.py", "raise SystemExit('no such table: users')\n")
    corner.edit("backend/main.py", START, 'VERSION = "two"')


def spoil_migration_by_memory(corner: Corner) -> None:
    corner.write("backend/migrate.py", "hog = [bytearray(40_000_000) for _ in range(20)]\n")
    corner.edit("backend/main.py", START, 'VERSION = "two"')


def spoil_migration_by_patience(corner: Corner) -> None:
    corner.write("backend/migrate.py", "import time\ntime.sleep(600)\n")
    corner.edit("ship.toml", 'memory = "128M"', 'memory = "128M"\nmigrate_timeout = 2')
    corner.edit("backend/main.py", START, 'VERSION = "two"')


def spoil_public_address(corner: Corner) -> None:
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    access = corner.sandbox
    target = (
        f'\n[targets.elsewhere]\nhost = "127.0.0.1"\nuser = "deploy"\nport = {access.ssh_port}\n'
        f'key = "{access.key_file}"\nhost_key = "{access.host_key_fingerprint}"\n'
        'domain = "127.0.0.1"\nurl = "http://127.0.0.1:9"\nenv_file = ".env.sandbox"\n'
    )
    corner.write("ship.toml", (corner.root / "ship.toml").read_text() + target)


FAILURES = [
    Failure(
        "exits at once",
        backend(START, 'raise SystemExit("no DATABASE_URL given")'),
        ("exits right after its start (exit status 1)", "no DATABASE_URL given", "inv env.push"),
    ),
    Failure(
        "killed for memory",
        backend(START, START + "\nhog = [bytearray(50_000_000) for _ in range(10)]"),
        ("out of memory (its limit is 128M)", "Raise `memory`"),
    ),
    Failure(
        "never healthy",
        backend(HEALTH, 'return 503, {"version"'),
        ("has not become healthy in 8 s", "/api/health: HTTP 503"),
    ),
    Failure(
        "500 through nginx only",
        backend(
            "    status, answer =",
            '    if b"x-real-ip" in dict(scope["headers"]):\n        1 / 0\n    status, answer =',
        ),
        ("Through nginx, /api/health answers HTTP 500", "ZeroDivisionError", "undo switch"),
    ),
    Failure("migration fails", spoil_migration, ("migrate.py` failed: exit code 1", "no such table: users")),
    Failure("migration is killed", spoil_migration_by_memory, ("killed", "out of memory")),
    Failure("migration hangs", spoil_migration_by_patience, ("migrate.py` failed: stopped after 2 s",)),
    Failure(
        "not seen at its public address",
        spoil_public_address,
        ("cannot be seen at http://127.0.0.1:9", "firewall", "undo switch"),
    ),
]


def state(sandbox_exec: Exec) -> tuple[str, ...]:
    """What must not be changed by a ship that failed: nginx's files, the unit, what runs, and the slots."""
    return tuple(
        sandbox_exec(["sh", "-c", command])[1]
        for command in (
            "cat /etc/nginx/conf.d/shipper-* /etc/nginx/shipper/* /etc/systemd/system/corner@.service",
            "systemctl list-units --plain --no-legend 'corner@*'",
            "ls /etc/systemd/system/multi-user.target.wants | grep corner",
            "ls /srv/corner/slots /run/corner",
            "find /srv/corner -name '*.partial' -o -name 'incoming*' -o -name '.current*'",
            "readlink /srv/corner/current",
        )
    )


@pytest.mark.live
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_release_that_fails_leaves_the_old_one_serving(corner: Corner, sandbox_exec: Exec, failure: Failure) -> None:
    live = corner.live()
    before = state(sandbox_exec)
    good = {path: (corner.root / path).read_text() for path in ("backend/main.py", "backend/migrate.py", "ship.toml")}
    failure.spoil(corner)
    target = "elsewhere" if "elsewhere" in (corner.root / "ship.toml").read_text() else "sandbox"
    ended = corner.shipper("ship", "--yes", "--to", target)
    assert ended.code == 1, ended.output
    assert [word for word in failure.words if word not in ended.output] == [], ended.output
    assert "->" in ended.output
    assert "shipper itself failed" not in ended.output
    assert corner.live() == live
    assert [corner.get(path)[0] for path in ("/", "/api/health")] == [200, 200]
    assert state(sandbox_exec) == before
    ships = corner.shipper("status", "--to", "sandbox").output.split("last ships")[1].splitlines()
    assert "failed" in ships[1]
    assert "  live " in ships[2]
    for path, text in good.items():
        corner.write(path, text)
    corner.edit("backend/main.py", START, 'VERSION = "three"')
    assert corner.shipped() != live
    assert '"three"' in corner.get("/api/health")[1]


def test_a_first_release_that_fails_leaves_nothing_behind_that_disturbs_the_next(
    corner: Corner, sandbox_exec: Exec
) -> None:
    corner.edit("backend/main.py", START, 'raise SystemExit("broken")')
    assert corner.ship().code == 1
    assert "nothing is live" in corner.shipper("status").output.lower()
    assert sandbox_exec(["nginx", "-t"])[0] == 0
    corner.edit("backend/main.py", 'raise SystemExit("broken")', START)
    corner.shipped()


@pytest.mark.live
def test_a_failed_release_is_no_way_back(corner: Corner) -> None:
    live = corner.live()
    corner.edit("backend/main.py", START, 'raise SystemExit("broken")')
    assert corner.ship().code == 1
    rows = [line.split() for line in corner.shipper("status").output.splitlines()]
    release = next(row[0] for row in rows if row[1:2] == ["bad"])
    ended = corner.shipper("rollback", "--release", release, "--yes")
    assert ended.code == 2
    assert "never live and healthy" in ended.output
    assert corner.live() == live


@pytest.mark.live
def test_a_users_broken_nginx_file_is_named_and_left_alone(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    sandbox_exec(["sh", "-c", "echo 'blah;' > /etc/nginx/conf.d/user.conf"])
    try:
        corner.edit("ship.toml", 'rate = "off"', 'rate = "off"\nbody_size = "3m"')
        ended = corner.ship()
        assert ended.code == 1, ended.output
        assert "another file of this server" in ended.output
        assert "/etc/nginx/conf.d/user.conf:1" in ended.output
        assert "-> Mend what nginx names" in ended.output
        assert corner.live() == live
        assert [corner.get(path)[0] for path in ("/", "/api/health")] == [200, 200]
        assert sandbox_exec(["cat", "/etc/nginx/conf.d/user.conf"])[1] == "blah;\n"
        assert "3m" not in sandbox_exec(["cat", "/etc/nginx/shipper/corner.conf"])[1]
    finally:
        sandbox_exec(["rm", "/etc/nginx/conf.d/user.conf"])
    corner.shipped()
    assert "3m" in sandbox_exec(["cat", "/etc/nginx/shipper/corner.conf"])[1]


def add_a_film(corner: Corner) -> None:
    (corner.root / "site/film/1.bin").write_bytes(os.urandom(9_000_000))


def add_many_files(corner: Corner) -> None:
    for number in range(700):
        (corner.root / f"site/film/{number}.txt").write_text(str(number), encoding="utf-8")


@pytest.mark.parametrize(
    ("room", "fill", "lacking"),
    [("size=6m", add_a_film, "MB are needed"), ("nr_inodes=700", add_many_files, "inodes are needed")],
    ids=["bytes", "inodes"],
)
def test_a_full_disk_is_named_and_the_old_release_serves_on(
    corner: Corner, sandbox_exec: Exec, room: str, fill: Break, lacking: str
) -> None:
    mount = f"mkdir -p /srv/corner && mount -t tmpfs -o {room} tmpfs /srv/corner"
    sandbox_exec(
        ["sh", "-c", f"cp -a /srv/corner /tmp/kept && {mount} && cp -a /tmp/kept/. /srv/corner && rm -r /tmp/kept"]
    )
    live = corner.shipped()
    (corner.root / "site/film").mkdir()
    fill(corner)
    ended = corner.ship()
    assert ended.code == 1, ended.output
    assert "does not fit on the disk of the server; nothing was sent" in ended.output
    assert lacking in ended.output
    assert "->" in ended.output
    assert corner.live() == live
    assert corner.get("/api/health")[0] == 200
    shutil.rmtree(corner.root / "site/film")
    corner.edit("site/index.html", "one", "two")
    corner.shipped()
    assert "two" in corner.get("/")[1]


def start_ship(corner: Corner, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, "ship", "--yes", "--allow-dirty", *words],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def interrupt_at(process: subprocess.Popen[str], words: str) -> tuple[int, str]:
    """Press Ctrl-C as soon as the words are printed; return the exit code and everything printed."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            process.send_signal(signal.SIGINT)
            break
    rest, _ = process.communicate(timeout=60)
    return process.returncode, printed + rest


def wait_until_idle(corner: Corner, sandbox_exec: Exec) -> None:
    """Wait until the agent of the interrupted ship has let go, whichever way."""
    assert wait_inside(sandbox_exec, f"flock --nonblock /srv/{corner.root.name}/lock true")


@pytest.mark.live
@pytest.mark.parametrize(
    "moment", ["... build.frontend", "ok   build.backend", "... migrate", "... health", "... drain"]
)
def test_ctrl_c_leaves_a_whole_release_serving(corner: Corner, sandbox_exec: Exec, moment: str) -> None:
    live = corner.live()
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    code, output = interrupt_at(start_ship(corner), moment)
    assert code == 130, output
    assert "Stopped" in output
    assert "Traceback" not in output
    wait_until_idle(corner, sandbox_exec)
    version = '"two"' if corner.live() != live else '"one"'
    assert version in corner.get("/api/health")[1]
    assert len(state(sandbox_exec)[1].splitlines()) == 1
    corner.edit("site/index.html", "one", "three")
    corner.shipped()
    assert "three" in corner.get("/")[1]
    assert '"two"' in corner.get("/api/health")[1]


@pytest.mark.live
def test_a_second_ship_is_told_who_ships(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    corner.edit("ship.toml", "[nginx]", "drain = 5\n\n[nginx]")
    first = start_ship(corner)
    assert first.stdout is not None
    assert any("... drain" in line for line in first.stdout)
    corner.edit("site/index.html", "one", "three")
    second = corner.ship()
    assert second.code == 5, second.output
    assert "is changing corner right now" in second.output
    assert "@" in second.output
    first.communicate(timeout=60)
    assert first.returncode == 0
    corner.shipped()


@pytest.mark.live
def test_a_backend_that_was_stopped_by_hand_is_brought_up_by_the_next_ship(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    assert sandbox_exec(["sh", "-c", "systemctl stop 'corner@*'"])[0] == 0
    assert corner.get("/api/health")[0] == 502
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert corner.live() == live
    assert corner.get("/api/health")[0] == 200
