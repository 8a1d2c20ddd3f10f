"""Running other programs: argv lists, no shell, a deadline for each, output line by line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Optional

_TAIL_LINES = 40
# What programs of the server may know of the agent's surroundings: nothing but where programs are and an English voice.
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


# ECMA-48: Compose clears the line before each one it writes, whether anybody sees it or not.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def plain(text: str) -> str:
    """Return a line of a program without what is meant for a terminal."""
    return _CONTROL.sub("", text)


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code (negative: the signal), the last lines it wrote, whether time ran out."""

    code: int
    lines: tuple[str, ...]
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.code == 0 and not self.timed_out

    @property
    def text(self) -> str:
        """The last lines as one text."""
        return "\n".join(self.lines)


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    on_line: Optional[Callable[[str], None]] = None,
    stdin: bytes = b"",
    extra_environment: Optional[Mapping[str, str]] = None,
) -> Outcome:
    """Run a program to its end; after `timeout` seconds it and its children are killed.

    Standard output and error are one stream: `on_line` gets every line, the outcome keeps the last 40. A program that
    does not exist gives exit code 127, as in a shell.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**_ENVIRONMENT, **(extra_environment or {})},
            cwd="/",
        )
    except FileNotFoundError:
        return Outcome(127, (f"{argv[0]}: not found on the server",))
    timer = threading.Timer(timeout, _kill_group, [process])
    timer.daemon = True
    timer.start()
    feeder = threading.Thread(target=_feed, args=[process, stdin], daemon=True)
    feeder.start()
    lines: deque[str] = deque(maxlen=_TAIL_LINES)
    assert process.stdout is not None
    try:
        for raw in process.stdout:
            line = plain(raw.decode("utf-8", "replace").rstrip())
            lines.append(line)
            if on_line:
                on_line(line)
        code = process.wait()
    except BaseException:  # the step it is for has taken too long (limit)
        _kill_group(process)
        raise
    finally:
        timed_out = timer.finished.is_set()
        timer.cancel()
    return Outcome(code, tuple(lines), timed_out)


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.close()
    except OSError:  # it ended without reading
        pass


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
