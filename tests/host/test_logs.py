"""Following a log: what is written meanwhile arrives, and who stops reading leaves nothing running on the server."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from conftest import Exec, wait_inside
from corner import Corner
from prepared import PROGRAM

# The agent, and what it reads the logs with.
READERS = "pgrep --list-full --full 'b64decode|journalctl --all|tail --quiet' | grep -v pgrep"
RESPOND = "def respond(method, path, body):\n"


@contextmanager
def followed(corner: Corner, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Follow a log for the length of the block, from the moment its last line was printed."""
    with subprocess.Popen(
        [*PROGRAM, "logs", "--follow", "--lines", "1", *words],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        # What never comes is not waited for without an end: the lines end then.
        limit = threading.Timer(60, process.kill)
        limit.start()
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip()
            yield process
        finally:
            limit.cancel()
            process.kill()


@contextmanager
def visited(corner: Corner) -> Iterator[None]:
    """Ask the API now, and every few seconds for the length of the block.

    journalctl 252 can look for lines of a unit in the moment in which journald has counted one and not yet said whose
    it is. It shows that line together with the next one.
    """
    over = threading.Event()

    def visit() -> None:
        while not over.wait(3):
            corner.get("/api/meanwhile")

    assert corner.get("/api/meanwhile")[0] == 404
    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield
    finally:
        over.set()
        visitor.join()


def wait_until_nobody_reads(sandbox_exec: Exec) -> None:
    assert wait_inside(sandbox_exec, f'[ -z "$({READERS})" ]'), sandbox_exec(["sh", "-c", READERS])[1]


def test_a_log_that_is_not_there_is_no_empty_one(corner: Corner, sandbox_exec: Exec) -> None:
    sandbox_exec(["sh", "-c", "rm -f /var/log/nginx/corner.*"])
    for words, message in (
        ((), "corner has no backend on the server."),
        (("--nginx",), "nginx has no log of corner yet."),
    ):
        ended = corner.shipper("logs", *words)
        assert (ended.code, message in ended.output, "-> inv ship" in ended.output) == (2, True, True), ended.output


def test_a_log_is_followed_until_ctrl_c_or_until_the_connection_is_gone(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("backend/main.py", RESPOND, f"{RESPOND}    print(method, path)\n")
    corner.shipped()
    for words in ((), ("--nginx",)):
        with followed(corner, *words) as process:
            assert process.stdout is not None
            with visited(corner):
                assert any("GET /api/meanwhile" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=60)
            *lines, last = printed.splitlines()
            assert (process.returncode, last) == (130, "Stopped.")
            assert all("/api/meanwhile" in line for line in lines), printed
        wait_until_nobody_reads(sandbox_exec)
    with followed(corner) as process:
        sandbox_exec(["pkill", "-KILL", "-f", "sshd: deploy"])
        printed, _ = process.communicate(timeout=60)
        assert (process.returncode, "was lost" in printed, "->" in printed) == (4, True, True), printed
    wait_until_nobody_reads(sandbox_exec)
