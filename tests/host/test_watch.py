"""Watching, as somebody does who edits: saves become live, one ship at a time, the newest one wins, Ctrl-C is clean."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import Exec
from corner import Corner
from prepared import PROGRAM

PATIENCE_SECONDS = 60
# A build that takes as long as somebody wants.
HOLD = "import pathlib, time\nwhile pathlib.Path('hold').exists():\n    time.sleep(0.05)"


class Watcher:
    """`shipper watch` in a process of its own, and all that it printed."""

    def __init__(self, corner: Corner, *words: str) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "watch", *words],
            cwd=corner.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines: list[str] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line)
                self._more.notify_all()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, words: str, after: int = 0) -> int:
        """Wait until a line with these words was printed; return the number of the line after it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._more:
            while True:
                for number, line in enumerate(self.lines[after:], after):
                    if words in line:
                        return number + 1
                assert self._more.wait(deadline - time.monotonic()), f"no {words!r} in:\n{self.output}"

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def watched(corner: Corner) -> Iterator[tuple[Corner, Watcher]]:
    text = (corner.root / "ship.toml").read_text(encoding="utf-8")
    hook = f"\n[[hooks.before_build]]\ncommand = [{sys.executable!r}, '-c', '''{HOLD}''']\n"
    failed = f"\n[[hooks.on_failure]]\ncommand = [{sys.executable!r}, '-c', 'print(\"told of a failure\")']\n"
    corner.write("ship.toml", text + hook + failed)
    corner.write(".gitignore", ".env*\n__pycache__/\n.shipper/\nhold\n")
    watcher = Watcher(corner)
    yield corner, watcher
    watcher.process.kill()
    watcher.process.wait()


def test_saves_become_live_one_ship_at_a_time_and_the_newest_wins(
    watched: tuple[Corner, Watcher], sandbox_exec: Exec
) -> None:
    corner, watcher = watched
    first = watcher.wait_for("is live at")
    before = logins(sandbox_exec)

    corner.edit("site/index.html", "one", "two")
    second = watcher.wait_for("s after the save", first)
    assert "two" in corner.get("/")[1]
    assert "changes that are in no commit" in watcher.lines[second - 1]
    assert "changed: site/index.html" in watcher.output

    # Three saves while a ship is on its way make one more.
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"')
    going = watcher.wait_for("... drain", second)
    for word in ("three", "four", "five"):
        corner.write("site/index.html", f"<h1>{word}</h1>")
    live = watcher.wait_for("is live at", watcher.wait_for("is live at", going))
    assert (corner.get("/")[1], '"two"' in corner.get("/api/health")[1]) == ("<h1>five</h1>", True)

    # What is outdated before anything was sent is called off, and nobody calls that a failure.
    (corner.root / "hold").touch()
    corner.write("site/index.html", "<h1>six</h1>")
    held = watcher.wait_for("... before-build", live)
    corner.write("site/index.html", "<h1>seven</h1>")
    off = watcher.wait_for("called off", held)
    (corner.root / "hold").unlink()
    newest = watcher.wait_for("s after the save", off)
    assert corner.get("/")[1] == "<h1>seven</h1>"
    assert "told of a failure" not in watcher.output

    # A mistake is shown, and the next save mends it.
    corner.edit("backend/main.py", "import json", "import json, nothing_of_this_name")
    failed = watcher.wait_for("Still watching", newest)
    assert "nothing_of_this_name" in watcher.output and "told of a failure" in watcher.output
    assert '"two"' in corner.get("/api/health")[1]
    corner.edit("backend/main.py", ", nothing_of_this_name", "")
    corner.write("site/index.html", "<h1>eight</h1>")
    watcher.wait_for("s after the save", failed)
    assert corner.get("/")[1] == "<h1>eight</h1>"

    assert logins(sandbox_exec) == before, "the connection of the first ship is still in use"
    ships = len(re.findall(r"^\d\d:\d\d:\d\d ", watcher.output, re.MULTILINE))
    assert ships == 8, watcher.output
    assert watcher.interrupt() == 0
    assert watcher.output.endswith("Stopped watching.\n")


def logins(sandbox_exec: Exec) -> int:
    _, text = sandbox_exec(
        ["journalctl", "--unit", "ssh", "--grep", "Accepted publickey", "--output", "cat", "--quiet"]
    )
    return len(text.splitlines())


def test_ctrl_c_lets_arrive_what_is_on_its_way_live(watched: tuple[Corner, Watcher]) -> None:
    corner, watcher = watched
    first = watcher.wait_for("is live at")
    corner.edit("backend/main.py", 'VERSION = "one"', "import time; time.sleep(2)\nVERSION = 'two'")
    watcher.wait_for("... health", first)
    assert watcher.interrupt() == 0, watcher.output
    assert '"two"' in corner.get("/api/health")[1]
    assert "Stopping when what is on its way is live" in watcher.output
    assert "Nothing to do" in corner.ship().output
