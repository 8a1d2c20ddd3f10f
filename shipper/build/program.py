"""Runs one program of a build on this machine: its output line by line as events, its end with a deadline."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shipper.events import Emit, Event

# Longer than any build of a small app; a build that waits for an answer would otherwise wait for ever.
DEADLINE_SECONDS = 1800
_KEPT_LINES = 400
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Next: "Generating static pages using 1 worker (3/12)"; older ones without the workers.
_PAGES = re.compile(r"Generating static pages.*\((\d+)/(\d+)\)")


_running: set[subprocess.Popen[str]] = set()
_unwanted = threading.Event()


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code (negative for a signal), its last lines, whether the deadline had passed."""

    code: int
    lines: tuple[str, ...]
    timed_out: bool


def run_program(
    command: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    step: str,
    emit: Emit,
    deadline: float = DEADLINE_SECONDS,
) -> Ended:
    """Run `command` (program with its full path first) in `folder` and emit each line as an "output" event of `step`.

    Progress that is recognised is emitted as "progress" too. The program gets no terminal and no input. It and what
    it started are ended after `deadline` seconds, and when this function is left early. Raises OSError when it cannot
    be started.
    """
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    with _started(command, folder, environment) as process:
        expired = threading.Event()
        timer = threading.Timer(deadline, _expire, (process, expired))
        timer.daemon = True
        timer.start()
        try:
            assert process.stdout is not None
            for raw in process.stdout:
                line = _COLOURS.sub("", raw).rstrip()
                lines.append(line)
                _report(line, step, emit)
            code = process.wait()
        finally:
            timer.cancel()
    return Ended(code, tuple(lines), expired.is_set())


def end_all_programs() -> None:
    """End every program that runs now: something else failed, and nobody wants their results any more."""
    _unwanted.set()
    for process in tuple(_running):
        _end(process)


def are_unwanted() -> bool:
    """Whether `end_all_programs` was called, and nobody wants programs again yet."""
    return _unwanted.is_set()


def want_programs() -> None:
    """Let programs run again after `end_all_programs`."""
    _unwanted.clear()


def _report(line: str, step: str, emit: Emit) -> None:
    if line.strip():
        emit(Event("output", step, line))
    pages = _PAGES.search(line)
    if pages:
        emit(Event("progress", step, "static pages", done=int(pages[1]), total=int(pages[2]), unit="pages"))


@contextmanager
def _started(command: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # A group of its own, so that npm's children end with it.
        start_new_session=True,
    )
    _running.add(process)
    # Asked only now: a program is either seen by `end_all_programs`, or sees that it was called.
    if _unwanted.is_set():
        _end(process)
    try:
        yield process
    except BaseException:
        _end(process)
        raise
    finally:
        _running.discard(process)
        assert process.stdout is not None
        process.stdout.close()
        process.wait()


def _expire(process: subprocess.Popen[str], expired: threading.Event) -> None:
    expired.set()
    _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End the program and everything it started, which may be there when the program itself has ended already.

    Its process group has a name of its own only until somebody was told how the program ended: wait(2).
    """
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        taskkill = shutil.which("taskkill") or "taskkill"
        subprocess.run([taskkill, "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses where all of them have ended
            os.killpg(process.pid, signal.SIGKILL)
