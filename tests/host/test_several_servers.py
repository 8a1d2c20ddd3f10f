"""One target, two servers: the first goes first, what fails on one is taken back on all, and each has a name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cleaning import clean
from conftest import SANDBOX_NAME
from corner import RELEASE_PATH, Corner, make_corner
from inside import run_inside
from prepared import PROGRAM

from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox import server
from shipper.sandbox.server import Sandbox

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("several")

START = 'VERSION = "one"'
ENVIRONMENT = "/srv/corner/shared/env"
HOLD = "while [ ! -e /tmp/go-on ]; do sleep 0.1; done"
UNTIL_HELD = "for i in $(seq 100); do flock --nonblock /srv/corner/lock true || exit 0; sleep 0.1; done; exit 1"
# Each prints its own word; the last one on this machine must not run when not all servers are live.
HOOKS = """
[[hooks.before_switch]]
command = ["python", "-c", "print('smoke'.upper(), 'EACH')"]
on = "server"

[[hooks.before_switch]]
command = ["python", "-c", "print('smoke'.upper(), 'FIRST')"]
on = "server"
servers = "first"

[[hooks.on_failure]]
command = ["python", "-c", "import os; print('failed:'.upper(), os.environ['SHIPPER_REASON'])"]
on = "server"

[[hooks.after_switch]]
command = ["git", "--version"]
"""


@pytest.fixture(scope="module")
def second_sandbox() -> Iterator[Sandbox]:
    """One more practice server. It is stopped afterwards: two of them take memory from the other tests."""
    name = f"{SANDBOX_NAME}-second"
    yield server.up(name, discard)
    server.down(name)


@pytest.fixture
def second(second_sandbox: Sandbox) -> Sandbox:
    clean(second_sandbox.name)
    return second_sandbox


@pytest.fixture
def pair(clean_server: Sandbox, second: Sandbox, tmp_path: Path) -> Corner:
    """The app with a target of two servers; visitors come through the first one's address."""
    app = make_corner(tmp_path / "corner", clean_server)
    app.add_target_of("pair", [clean_server, second])
    ended = app.shipper("env.push")
    assert ended.code == 0, ended.output
    assert ended.output.count("is on pair now") == 2
    return app


def test_all_servers_get_an_environment_or_none_does(pair: Corner, second: Sandbox, tmp_path: Path) -> None:
    def environments() -> list[tuple[int, str]]:
        return [run_inside(one.name, ["cat", ENVIRONMENT]) for one in (pair.sandbox, second)]

    pair.add_target_of("alone", [second])
    before = environments()
    (pair.root / ".env.sandbox").write_text('SECRET_KEY="another-5f4e3d2c1b0a"\n', encoding="utf-8")
    assert pair.shipper("lock.take", "--to", "alone", "--reason", "we count what we have").code == 0
    ended = pair.shipper("env.push", "--to", "pair")
    assert ended.code == 5, ended.output
    assert "we count what we have" in ended.output
    assert environments() == before
    assert pair.shipper("lock.release", "--to", "alone").code == 0
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, subprocess, sys\n"
        'subprocess.run([sys.executable, "-m", "shipper", "env.push", "--to", "alone"], check=True)\n'
        'pathlib.Path(sys.argv[1]).open("a").write("PAGE_SIZE=20\\n")\n',
        encoding="utf-8",
    )
    ended = pair.shipper("env.edit", "--yes", "--to", "pair", EDITOR=f'"{sys.executable}" "{editor}"')
    assert ended.code == 2, ended.output
    assert "Somebody else changed the environment meanwhile; nothing was sent." in ended.output
    first, other = environments()
    assert first == before[0]
    assert "another-5f4e3d2c1b0a" in other[1]


def live_on(sandbox: Sandbox) -> str:
    with urllib.request.urlopen(sandbox.url + RELEASE_PATH, timeout=10) as answer:
        text: str = answer.read().decode()
        return text.strip()


def name_of(sandbox: Sandbox) -> str:
    return f"127.0.0.1:{sandbox.ssh_port}"


def test_both_get_the_same_release_the_first_one_first_and_go_back_together(pair: Corner, second: Sandbox) -> None:
    pair.write("backend/migrate.py", "print('the one migration')\n")
    first = pair.sandbox
    ended = pair.ship()
    assert ended.code == 0, ended.output
    assert ended.output.count("the one migration") == 1, "migrations run once"
    switches = [line for line in ended.output.splitlines() if "... " in line and " switch:" in line]
    assert [name in line for name, line in zip((name_of(first), name_of(second)), switches, strict=True)] == [True] * 2
    assert f"on {name_of(first)}, {name_of(second)}" in ended.output
    before = live_on(first)
    assert live_on(second) == before
    pair.edit("site/index.html", "one", "two")
    plan = pair.shipper("plan")
    assert f"{name_of(second)}: the same" in plan.output, plan.output
    assert pair.ship().code == 0
    assert live_on(second) == live_on(first) != before
    assert "Nothing to do" in pair.ship().output
    back = pair.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert [live_on(first), live_on(second)] == [before, before]
    status = pair.shipper("status")
    assert status.output.count(f"{before} is live") == 2, status.output
    for words in (("host.check",), ("env.check",), ("lock.show",), ("logs", "--lines", "1")):
        shown = pair.shipper(*words)
        assert shown.code == 0, shown.output
        assert name_of(first) in shown.output
        assert name_of(second) in shown.output


def test_a_first_server_that_fails_spares_the_second(pair: Corner, second: Sandbox) -> None:
    assert pair.ship().code == 0
    before = live_on(second)
    pair.edit("backend/main.py", START, 'raise SystemExit("broken")')
    failed = pair.ship()
    assert failed.code == 1, failed.output
    assert f"{name_of(pair.sandbox)}: failed, and keeps what it had" in failed.output
    assert f"{name_of(second)}: not touched" in failed.output
    assert [live_on(pair.sandbox), live_on(second)] == [before, before]


def test_a_second_server_that_fails_takes_the_first_one_back(pair: Corner, second: Sandbox) -> None:
    assert pair.ship().code == 0
    before = live_on(second)
    # Only over there: an include of its owner that nginx cannot read.
    broken = ["sh", "-c", "echo nonsense > /etc/nginx/conf.d/owner.conf"]
    assert run_inside(second.name, broken)[0] == 0
    try:
        pair.edit("ship.toml", 'rate = "off"', 'rate = "50r/s"')
        pair.write("ship.toml", (pair.root / "ship.toml").read_text(encoding="utf-8") + HOOKS)
        failed = pair.ship()
    finally:
        assert run_inside(second.name, ["rm", "/etc/nginx/conf.d/owner.conf"])[0] == 0
    assert failed.code == 1, failed.output
    assert f"{name_of(pair.sandbox)}: went back to {before}" in failed.output
    assert f"{name_of(second)}: failed, and keeps what it had" in failed.output
    assert "nginx does not accept its configuration" in failed.output
    told = [failed.output.count(words) for words in ("SMOKE EACH", "SMOKE FIRST", "FAILED: nginx", "git version")]
    assert told == [2, 1, 2, 0], failed.output
    assert [live_on(pair.sandbox), live_on(second)] == [before, before]
    assert pair.ship().code == 0
    assert live_on(second) == live_on(pair.sandbox) != before


def test_with_one_server_down_nothing_is_changed_anywhere(pair: Corner, second: Sandbox) -> None:
    assert pair.ship().code == 0
    before = live_on(second)
    text = (pair.root / "ship.toml").read_text(encoding="utf-8")
    pair.write("ship.toml", text.replace(f"port = {second.ssh_port}", "port = 9"))
    pair.edit("site/index.html", "one", "two")
    failed = pair.ship()
    assert failed.code == 4, failed.output
    assert "127.0.0.1:9 refuses the connection" in failed.output
    assert [live_on(pair.sandbox), live_on(second)] == [before, before]


def test_trust_pins_the_key_of_every_server(pair: Corner, second: Sandbox) -> None:
    text = (pair.root / "ship.toml").read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("host_key"))
    pair.write("ship.toml", bare)
    ended = pair.shipper("host.trust", "--yes")
    assert ended.code == 0, ended.output
    pinned = (pair.root / "ship.toml").read_text(encoding="utf-8")
    place = pinned.index("[[targets.pair.more]]")
    assert pair.sandbox.host_key_fingerprint in pinned[:place]
    assert second.host_key_fingerprint in pinned[place:]


def test_two_whose_files_name_the_servers_in_another_order_take_turns(pair: Corner, second: Sandbox) -> None:
    # Its visitors come through the server that goes first with it: the other one has nothing yet when it wins.
    other = replace(pair, root=pair.root.parent / "other" / "corner", sandbox=second)
    shutil.copytree(pair.root, other.root)
    text = (other.root / "ship.toml").read_text(encoding="utf-8")
    other.write("ship.toml", text[: text.index("[targets.pair]")])
    other.add_target_of("pair", [second, pair.sandbox])
    other.edit("site/index.html", "one", "two")
    # Somebody else is at it on both servers until both clients wait, so that they go on in the same moment.
    for one in (pair.sandbox, second):
        assert run_inside(one.name, ["rm", "-f", "/tmp/go-on"])[0] == 0
        with connect() as client:
            client.containers.get(one.name).exec_run(["flock", "/srv/corner/lock", "sh", "-c", HOLD], detach=True)
        assert run_inside(one.name, ["sh", "-c", UNTIL_HELD])[0] == 0
    clients = [
        subprocess.Popen(
            [*PROGRAM, "ship", "--yes", "--allow-dirty", "--lock-wait", "120"],
            cwd=app.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for app in (pair, other)
    ]
    for process in clients:
        assert process.stdout is not None
        assert any("Waiting for" in line for line in process.stdout)
    for one in (second, pair.sandbox):
        assert run_inside(one.name, ["touch", "/tmp/go-on"])[0] == 0
    printed = [process.communicate(timeout=200)[0] for process in clients]
    assert [process.returncode for process in clients] == [0, 0], printed
    assert live_on(pair.sandbox) == live_on(second)


def test_the_further_servers_go_live_side_by_side_when_that_is_wanted(pair: Corner, second: Sandbox) -> None:
    name = f"{SANDBOX_NAME}-third"
    third = server.up(name, discard)
    try:
        pair.add_target_of("three", [pair.sandbox, second, third], "parallel = 2")
        assert pair.shipper("env.push", "--to", "three").code == 0
        ended = pair.shipper("ship", "--yes", "--to", "three")
        assert ended.code == 0, ended.output
        assert len({live_on(one) for one in (pair.sandbox, second, third)}) == 1
    finally:
        server.down(name)
    marks = [("...", pair.sandbox, "lay"), ("ok", pair.sandbox, "prune")]
    marks += [("...", one, "lay") for one in (second, third)] + [("ok", one, "prune") for one in (second, third)]
    words = [[word.rstrip(":") for word in line.split()[:3]] for line in ended.output.splitlines()]
    first_laid, first_done, *others = (words.index([mark, name_of(one), step]) for mark, one, step in marks)
    laid, pruned = others[:2], others[2:]
    assert first_laid < first_done < min(laid)
    assert max(laid) < min(pruned), "the second one begins before the other is done"
