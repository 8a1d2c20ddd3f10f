"""Commands inside practice servers, as root, through a process in each that runs them.

For an engine, every `docker exec` is nearly as much work as the start of a container, and tests look into their servers
more than a thousand times.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from shipper.engine import connect

# Output goes through memory: the disk may be full. As in a shell, a signal's number is told with 128 added.
_RUNNER = """
import json, os, subprocess, sys

for line in sys.stdin:
    output = os.memfd_create("output")
    try:
        done = subprocess.run(json.loads(line), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    except OSError as error:
        code = 127
        os.write(output, str(error).encode())
    os.lseek(output, 0, os.SEEK_SET)
    with open(output, "rb") as file:
        print(json.dumps([code, file.read().decode("utf-8", "replace")]), flush=True)
"""


def run_inside(name: str, argv: Sequence[str]) -> tuple[int, str]:
    """Run an argument list as root inside a practice server; return its exit code and its output."""
    return _inside(name).run(list(argv))


@cache
def _inside(name: str) -> _Inside:
    return _Inside(name)


class _Inside:
    """One server, and the process in it, which is started anew when the server was."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, argv: list[str]) -> tuple[int, str]:
        if self._lock.acquire(blocking=False):  # one at a time; another thread's command goes the long way
            try:
                told = self._ask(argv)
            finally:
                self._lock.release()
            if told:
                code, output = json.loads(told)
                return int(code), str(output)
        with connect() as client:
            done = client.containers.get(self._name).exec_run(argv)
            return int(done.exit_code), bytes(done.output).decode("utf-8", "replace")

    def _ask(self, argv: list[str]) -> str:
        """Return the answer, "" when there is none: the server has gone down meanwhile, or has no Python now."""
        if self._process is None or self._process.poll() is not None:
            words = ["docker", "exec", "--interactive", self._name, "python3", "-c", _RUNNER]
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
            )
        assert self._process.stdin and self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(argv) + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()
        return ""
