"""Wrong inputs of people: exit code, words, next step; and that what was live is live and answers, untouched."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cleaning import clean
from conftest import Exec, wait_inside
from corner import Corner, Ended, make_corner
from prepared import PROGRAM

from shipper.sandbox.server import Sandbox

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("input")

EVERYTHING = ["sh", "-c", "cd / && find srv etc/nginx etc/systemd var/lib/shipper -printf '%p %T@ %l %i\\n' | sort"]
INCOMING = ["sh", "-c", "ls /srv/corner/store/incoming.* 2>/dev/null"]
BUILT = 'preset = "static"\ncommand = ["node", "build.js"]\noutput = "dist"'
PAGE = "<!doctype html><h1>built</h1>"
BUILD = (
    'const fs = require("fs");\nfs.mkdirSync("dist", {recursive: true});\n'
    f'fs.writeFileSync("dist/index.html", "{PAGE}");\n'
)
REQUIRED = 'required_env = ["SECRET_KEY"]'


@pytest.fixture(scope="module")
def shipped_server(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A good release of the app is live. What tests ship on top of it is good as well, so all can share the server."""
    clean(sandbox.name)
    app = make_corner(tmp_path_factory.mktemp("shipped") / "corner", sandbox)
    ended = app.shipper("env.push")
    assert ended.code == 0, ended.output
    app.shipped()


@pytest.fixture
def corner(shipped_server: None, sandbox: Sandbox, tmp_path: Path) -> Corner:
    """The app in a repository of its own, as it is after somebody cloned it: the release is live, nothing is built."""
    return make_corner(tmp_path / "corner", sandbox)


@contextmanager
def untouched(corner: Corner, sandbox_exec: Exec) -> Iterator[None]:
    """Expect that the block changes no file on the server, and that the release answers after it as before."""
    live, before = corner.live(), sandbox_exec(EVERYTHING)
    yield
    assert sandbox_exec(EVERYTHING) == before
    assert corner.live() == live
    assert [corner.get(path)[0] for path in ("/", "/api/health")] == [200, 200]


def assert_refused(ended: Ended, code: int, *words: str) -> None:
    """Expect the exit code, the words, a next step, and nothing that only we understand."""
    assert ended.code == code, ended.output
    assert [word for word in words if word not in ended.output] == [], ended.output
    assert "->" in ended.output
    assert "Traceback" not in ended.output
    assert "shipper itself failed" not in ended.output


def edit(path: str, old: str, new: str) -> Callable[[Corner], None]:
    return lambda corner: corner.edit(path, old, new)


def build_with(corner: Corner, script: str) -> None:
    corner.edit("ship.toml", 'preset = "static"', BUILT)
    corner.write("site/.gitignore", "dist/\n")
    corner.write("site/build.js", script)


def add_target(corner: Corner, name: str, **values: str | int) -> None:
    """Describe another target in ship.toml: the practice server, but for `values`."""
    access = corner.sandbox
    known: dict[str, str | int] = {
        "host": "127.0.0.1",
        "user": "deploy",
        "port": access.ssh_port,
        "key": str(access.key_file),
        "host_key": access.host_key_fingerprint,
        "url": access.url,
        "env_file": ".env.sandbox",
        **values,
    }
    lines = [f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"' for key, value in known.items()]
    text = (corner.root / "ship.toml").read_text(encoding="utf-8")
    corner.write("ship.toml", f"{text}\n[targets.{name}]\n" + "\n".join(lines) + "\n")


SPOILED_SETTINGS: dict[str, tuple[Callable[[Corner], None], tuple[str, ...]]] = {
    "not there": (lambda corner: (corner.root / "ship.toml").unlink(), ("There is no ship.toml", "[frontend]")),
    "syntax": (edit("ship.toml", 'name = "corner"', 'name = "corner'), ("ship.toml:1:", "quote is opened")),
    "unknown key": (edit("ship.toml", "memory =", "memroy ="), ("ship.toml:13", "memroy", "'memory'")),
    "wrong type": (edit("ship.toml", "= 8", '= "8"'), ("ship.toml:11", "health_timeout", "a whole number")),
}


@pytest.mark.parametrize("name", SPOILED_SETTINGS)
def test_a_wrong_ship_toml_is_told_with_its_place(corner: Corner, sandbox_exec: Exec, name: str) -> None:
    spoil, words = SPOILED_SETTINGS[name]
    spoil(corner)
    with untouched(corner, sandbox_exec):
        assert_refused(corner.ship(), 2, *words)


def test_an_unknown_target_is_told_the_known_ones(corner: Corner, sandbox_exec: Exec) -> None:
    add_target(corner, "production")
    with untouched(corner, sandbox_exec):
        ended = corner.shipper("ship", "--yes", "--to", "nonsense")
        assert_refused(ended, 2, "no target 'nonsense'", "production, sandbox")


def test_several_targets_and_none_named_ships_to_no_one(corner: Corner, sandbox_exec: Exec) -> None:
    add_target(corner, "production")
    add_target(corner, "staging")
    with untouched(corner, sandbox_exec):
        assert_refused(corner.ship(), 2, "Which target?", "production, staging", "--to production")


def test_a_build_that_fails_shows_its_last_lines_and_the_next_one_works(corner: Corner, sandbox_exec: Exec) -> None:
    build_with(corner, BUILD + 'console.error("no such module: ./cart");\nprocess.exit(1);\n')
    with untouched(corner, sandbox_exec):
        assert_refused(corner.ship(), 1, "build failed (exit code 1)", "no such module: ./cart")
    corner.write("site/build.js", BUILD)
    corner.shipped()
    assert corner.get("/")[1] == PAGE


def test_a_loopback_address_is_refused_until_it_is_allowed_with_a_reason(corner: Corner, sandbox_exec: Exec) -> None:
    corner.write("site/assets/app.js", 'fetch("http://127.0.0.1:8000/api")\n')
    with untouched(corner, sandbox_exec):
        for words in (["ship", "--yes"], ["plan"], ["ship", "--dry-run"]):
            assert_refused(corner.shipper(*words), 3, "bake.loopback-url", "assets/app.js", "http://127.0.0.1:8000")
    allowed = '[[frontend.allow]]\nurl = "http://127.0.0.1:8000/api"\nreason = "the printer at the till"\n\n[backend]'
    corner.edit("ship.toml", "[backend]", allowed)
    corner.shipped()
    assert "127.0.0.1:8000" in corner.get("/assets/app.js")[1]


def test_a_required_variable_that_the_server_lacks_is_named(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("ship.toml", REQUIRED, 'required_env = ["SECRET_KEY", "BANK_URL"]')
    with untouched(corner, sandbox_exec):
        for words in (["ship", "--yes"], ["plan"]):
            assert_refused(corner.shipper(*words), 3, "BANK_URL is not set", "inv env.push --to sandbox")


def test_a_required_variable_that_is_empty_on_the_server_is_named(corner: Corner, sandbox_exec: Exec) -> None:
    good = (corner.root / ".env.sandbox").read_text(encoding="utf-8")
    (corner.root / ".env.sandbox").write_text(good + "BANK_URL=\n", encoding="utf-8")
    assert corner.shipper("env.push").code == 0
    corner.edit("ship.toml", REQUIRED, 'required_env = ["SECRET_KEY", "BANK_URL"]')
    with untouched(corner, sandbox_exec):
        assert_refused(corner.ship(), 3, "BANK_URL is empty", "inv env.push --to sandbox")
    (corner.root / ".env.sandbox").write_text(good + 'BANK_URL="https://bank.example.com"\n', encoding="utf-8")
    assert corner.shipper("env.push").code == 0
    corner.shipped()


def test_a_push_without_an_env_file_says_which(corner: Corner, sandbox_exec: Exec) -> None:
    (corner.root / ".env.sandbox").unlink()
    with untouched(corner, sandbox_exec):
        ended = corner.shipper("env.push")
        assert_refused(ended, 2, ".env.sandbox is not there", str(corner.root / ".env.sandbox"))


REFUSED_ENVIRONMENTS = {
    "placeholder": ("SECRET_KEY=changeme-77aa\n", ("env.placeholder", ".env.sandbox:1", "SECRET_KEY", "secrets.token")),
    "missing": ("OTHER=marker-77aa\n", ("env.missing", "SECRET_KEY is missing", "inv env.push")),
    "empty": ("OTHER=marker-77aa\nSECRET_KEY=\n", ("env.empty", ".env.sandbox:2", "SECRET_KEY is empty")),
    "no assignment": ("OTHER=marker-77aa\nmarker-77aa\n", (".env.sandbox:2",)),
}


@pytest.mark.parametrize("name", REFUSED_ENVIRONMENTS)
def test_a_refused_push_changes_nothing_and_shows_no_value(corner: Corner, sandbox_exec: Exec, name: str) -> None:
    text, words = REFUSED_ENVIRONMENTS[name]
    (corner.root / ".env.sandbox").write_text(text, encoding="utf-8")
    with untouched(corner, sandbox_exec):
        ended = corner.shipper("env.push")
        assert_refused(ended, 2 if name == "no assignment" else 3, *words)
        assert "77aa" not in ended.output


def test_env_check_names_what_is_added_changed_and_removed(corner: Corner, sandbox_exec: Exec) -> None:
    file = corner.root / ".env.sandbox"
    good = file.read_text(encoding="utf-8")
    file.write_text(good + "GOES=marker-11aa\nTURNS=marker-22bb\n", encoding="utf-8")
    assert corner.shipper("env.push").code == 0
    file.write_text(good + "TURNS=marker-33cc\nCOMES=marker-44dd\n", encoding="utf-8")
    with untouched(corner, sandbox_exec):
        ended = corner.shipper("env.check")
    assert ended.code == 0, ended.output
    marks = {line.split("=")[0].strip() for line in ended.output.splitlines() if "=****" in line}
    assert marks == {"+ COMES", "- GOES", "~ TURNS"}
    assert "marker" not in ended.output


def test_a_rollback_with_nothing_before_is_refused(corner: Corner, clean_server: Sandbox, sandbox_exec: Exec) -> None:
    assert corner.shipper("env.push").code == 0
    live = corner.shipped()
    with untouched(corner, sandbox_exec):
        assert_refused(corner.shipper("rollback", "--yes"), 2, "no earlier good release", live)


def test_a_rollback_takes_a_release_as_its_word_and_refuses_an_unknown_one(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("site/index.html", "one", "before")
    before = corner.shipped()
    corner.edit("site/index.html", "before", "after")
    after = corner.shipped()
    with untouched(corner, sandbox_exec):
        unknown = corner.shipper("rollback", "20200101T000000Z-abcdef0", "--yes")
        assert_refused(unknown, 2, "no release 20200101T000000Z-abcdef0", before, after)
    ended = corner.shipper("rollback", before, "--yes")
    assert (ended.code, corner.live()) == (0, before), ended.output
    assert "before" in corner.get("/")[1]


def test_a_dry_run_prints_the_plan_and_changes_nothing(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("site/index.html", "one", "a dry run")
    with untouched(corner, sandbox_exec):
        planned, dry = corner.shipper("plan"), corner.shipper("ship", "--dry-run")
    assert (planned.code, dry.code) == (0, 0), planned.output + dry.output
    # Names only: the first of the two has built what the other one finds built, and their titles say so.
    steps = [
        [line.split()[1] for line in said.output.splitlines() if line[:4].strip().isdigit()] for said in (planned, dry)
    ]
    assert "switch" in steps[0]
    assert steps[0] == steps[1]


@pytest.mark.parametrize("command", ["ship", "rollback"])
def test_without_a_terminal_nobody_says_yes(corner: Corner, sandbox_exec: Exec, command: str) -> None:
    for text in ("unasked", "asked"):
        corner.write("site/index.html", f"<h1>{text} {command}</h1>")
        if text == "unasked":
            corner.shipped()
    with untouched(corner, sandbox_exec):
        assert_refused(corner.shipper(command), 2, "--yes", "not a terminal")


def test_a_host_that_is_down_is_named_without_waiting_for_the_build(corner: Corner, sandbox_exec: Exec) -> None:
    build_with(corner, 'setTimeout(() => require("fs").writeFileSync("../built", ""), 10000);\n')
    with socket.socket() as nobody:
        # Bound, so that no other program can take the port, but not listening.
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        add_target(corner, "down", port=port)
        with untouched(corner, sandbox_exec):
            ended = corner.shipper("ship", "--yes", "--to", "down")
            assert_refused(ended, 4, f"127.0.0.1:{port} refuses the connection", "`port`")
    assert not (corner.root / "built").exists(), "the build was waited for"


def test_a_wrong_key_is_told_with_the_user_and_the_key(corner: Corner, sandbox_exec: Exec, tmp_path: Path) -> None:
    key = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    add_target(corner, "locked", key=str(key))
    with untouched(corner, sandbox_exec):
        ended = corner.shipper("ship", "--yes", "--to", "locked")
        assert_refused(ended, 4, "does not let deploy in", str(key), "`user` and `key`")


@contextmanager
def hangs_up_once(condition: Callable[[], bool]) -> Iterator[int]:
    """Listen on a port; whoever calls is kept waiting until the condition holds, and is hung up on then."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            caller, _ = server.accept()
            with caller:
                wait_until(condition)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=60)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_build_in_progress_ends_with_the_connection(corner: Corner, sandbox_exec: Exec) -> None:
    build_with(corner, 'require("fs").writeFileSync("../pid", String(process.pid));\nsetInterval(() => {}, 1000);\n')
    written = corner.root / "pid"
    with untouched(corner, sandbox_exec), hangs_up_once(lambda: written.exists() and written.read_text() != "") as port:
        add_target(corner, "rude", port=port)
        assert_refused(corner.shipper("ship", "--yes", "--to", "rude"), 4, f"127.0.0.1:{port}")
    with pytest.raises(ProcessLookupError):
        os.kill(int(written.read_text()), 0)


def test_a_folder_without_git_is_shipped_as_it_is(corner: Corner) -> None:
    (corner.root / ".git").rename(corner.root.parent / "git")
    (corner.root / "backend/prices.py").write_text('VERSION = "from a new file"\n', encoding="utf-8")
    corner.edit("backend/main.py", 'VERSION = "one"', "from prices import VERSION")
    assert corner.shipped().endswith("-nogit")
    assert "from a new file" in corner.get("/api/health")[1]
    assert corner.get("/.gitignore")[0] == 404


def test_a_python_that_the_server_lacks_is_told_those_it_has(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("ship.toml", "[backend]", '[backend]\npython = "3.7"')
    _, own = sandbox_exec(["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    with untouched(corner, sandbox_exec):
        assert_refused(corner.ship(), 4, "has no Python 3.7", f"It has {own.strip()}", "`python` in [backend]")


def test_a_python_file_that_git_does_not_know_is_noted(corner: Corner, sandbox_exec: Exec) -> None:
    (corner.root / "backend/forgotten.py").write_text("", encoding="utf-8")
    with untouched(corner, sandbox_exec):
        ended = corner.shipper("plan")
    assert ended.code == 0, ended.output
    assert "not in git: forgotten.py" in ended.output
    assert "git add" in ended.output


def test_ctrl_c_during_an_upload_keeps_what_arrived(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    films = [corner.root / f"site/film-{number:02}.bin" for number in range(15)]
    for film in films:
        film.write_bytes(os.urandom(10_000_000))
    process = subprocess.Popen(
        [*PROGRAM, "ship", "--yes"],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # The third file is begun, so two are whole; most are still here.
    wait_inside(sandbox_exec, f'[ "$({INCOMING[-1]} | wc -l)" -ge 3 ]', vain=lambda: process.poll() is not None)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Stopped" in output
    assert "Traceback" not in output
    assert corner.live() == live
    assert [corner.get(path)[0] for path in ("/", "/api/health")] == [200, 200]
    # The server notices the lost connection by itself, and brings what arrived to its disk.
    assert wait_inside(sandbox_exec, "flock --nonblock /srv/corner/lock true")
    assert sandbox_exec(INCOMING)[1] == ""
    ended = corner.ship()
    assert ended.code == 0, ended.output
    upload = next(line for line in ended.output.splitlines() if line.startswith("  ok   upload"))
    sent = int(upload.partition(" s  ")[2].split()[0])
    assert 0 < sent <= len(films) - 2, upload
    assert sandbox_exec(["ls", "-s", "/srv/corner/current/site/film-14.bin"])[0] == 0
