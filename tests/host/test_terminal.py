"""On a terminal: whoever stops a ship has the terminal back as it was, with an echo and a cursor."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Callable

import pytest
from corner import Corner
from prepared import PROGRAM

CTRL_C, CTRL_D = b"\x03", b"\x04"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
SECONDS = 60
WAITS = """
[[hooks.before_build]]
command = ["python", "-c", "import time; time.sleep(60)"]
"""


def read_until(terminal: int, over: Callable[[bytes], bool]) -> bytes:
    """Read what is on the terminal until it is over, or until nobody can write there any more."""
    printed, deadline = b"", time.monotonic() + SECONDS
    while not over(printed):
        assert time.monotonic() < deadline, printed.decode()
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                printed += os.read(terminal, 65536)
            except OSError:  # the last one who had it open has gone
                break
    return printed


def over_or_after(seconds: float, over: Callable[[], bool]) -> Callable[[bytes], bool]:
    deadline = time.monotonic() + seconds
    return lambda _: over() or time.monotonic() > deadline


def press_until(terminal: int, key: bytes, times: int, over: Callable[[], bool]) -> bytes:
    """Press a key, up to so many times in a minute when nothing comes of it; return what is on the terminal then."""
    printed = b""
    for _ in range(times):
        os.write(terminal, key)
        printed += read_until(terminal, over_or_after(SECONDS / times, over))
        if over():
            break
    return printed


@pytest.mark.parametrize(
    ("words", "moment", "key"),
    [((), b"Ship this?", CTRL_C), ((), b"Ship this?", CTRL_D), (("--yes",), b"before the build", CTRL_C)],
    ids=["asked", "asked, Ctrl-D", "at work"],
)
def test_who_stops_has_the_terminal_as_it_was(
    corner: Corner, words: tuple[str, ...], moment: bytes, key: bytes
) -> None:
    if words:
        corner.write("ship.toml", (corner.root / "ship.toml").read_text(encoding="utf-8") + WAITS)
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [*PROGRAM, "ship", "--allow-dirty", *words],
        cwd=corner.root,
        env={name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # else Ctrl-C is just a character
    )
    printed = read_until(ours, lambda printed: moment in printed)
    try:
        # Python loses a Ctrl-C of the very moment before it begins to read; who is asked something presses it again.
        printed += press_until(ours, key, 1 if words else 3, lambda: process.poll() is not None)
    finally:
        process.kill()
        process.wait()
    after = termios.tcgetattr(theirs)
    os.close(theirs)
    printed += read_until(ours, lambda _: False)
    os.close(ours)
    assert process.returncode == 130, printed.decode()
    assert after == before
    assert printed.rfind(HIDDEN) < printed.rfind(SHOWN), "the cursor is there again"
    assert b"Traceback" not in printed
