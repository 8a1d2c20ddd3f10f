"""Commands of shipper in processes that begin where its imports are done: how most of the tests type them.

Python's start and the imports are most of what a short command takes, and the same for every command. Here they are
done once, and each command is a fork of that process, with arguments, a folder, an environment and outputs of its
own; it ends as any other process. How a command begins from nothing is left to the tests of the console script, of
terminals, and of clients that are killed.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

PROGRAM = [sys.executable, "-m", "shipper"]
_NUMBER = struct.Struct("=i")
# A whole environment, many times over.
_LARGEST_REQUEST = 1 << 20
_FILES = 4


def run_shipper(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    given: str = "",
    apart: bool = False,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Type a command to its end, as `subprocess.run` would; standard error is among the output, or `apart` from it."""
    if sys.platform != "linux" or _is_for_python(environment):  # elsewhere no messages with files in them, or no fork
        beside = subprocess.PIPE if apart else subprocess.STDOUT
        return subprocess.run(
            [*PROGRAM, *words],
            cwd=folder,
            env=environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=beside,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
    argv = [str(Path(import_module("shipper").__file__ or "").with_name("__main__.py")), *words]
    request = json.dumps({"argv": argv, "folder": str(folder), "environment": dict(environment)}).encode()
    ours, theirs = os.pipe()
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        source.write(given.encode())
        source.seek(0)
        files = (source, output, errors if apart else output)
        socket.send_fds(_prepared(), [request], [*(file.fileno() for file in files), theirs])
        os.close(theirs)
        try:
            in_time = _await_end(ours, timeout)
            code = _read_number(ours)
        finally:
            os.close(ours)
        for file in (output, errors):
            file.seek(0)
        told = [file.read().decode("utf-8", "replace") for file in (output, errors)]
    if not in_time:
        raise subprocess.TimeoutExpired(argv, timeout, *told)
    return subprocess.CompletedProcess(argv, code, *told)


def _is_for_python(environment: Mapping[str, str]) -> bool:
    """Whether Python itself reads some of it, when it starts."""
    return any(name.startswith("PYTHON") and os.environ.get(name) != environment[name] for name in environment)


def _await_end(status: int, timeout: float) -> bool:
    """Return whether the command ended within `timeout` seconds; otherwise it is killed."""
    process, in_time = _read_number(status), False
    try:
        in_time = bool(select.select([status], [], [], timeout)[0])
    finally:
        if not in_time:
            os.kill(process, signal.SIGKILL)
    return in_time


def _read_number(status: int) -> int:
    return int(_NUMBER.unpack(os.read(status, _NUMBER.size))[0])


@cache
def _prepared() -> socket.socket:
    """Start the process that all commands of this one are forked from. It ends when the socket does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        argv = [sys.executable, __file__, str(theirs.fileno())]
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    return ours


def _import_all() -> None:
    import shipper

    for module in pkgutil.walk_packages(shipper.__path__, "shipper."):
        if not module.name.startswith(("shipper.agent", "shipper.__main__")):
            import_module(module.name)


def _serve(door: socket.socket) -> bool:
    """Fork for every request. Returns True in a process that is to be the command, False when nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who wait for commands are waited for by nobody
    while True:
        request, files, *_ = socket.recv_fds(door, _LARGEST_REQUEST, _FILES)
        if not request:
            return False
        if not os.fork():
            break
        for file in files:
            os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    door.close()
    process = os.fork()
    if process:
        os.write(files[-1], _NUMBER.pack(process))
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.write(files[-1], _NUMBER.pack(code))
        os._exit(0)
    _become(files, **json.loads(request))
    return True


def _become(files: Sequence[int], argv: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be the process that would begin now."""
    for number, file in enumerate(files):
        if number < len(files) - 1:
            os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = argv
    sys.path[0] = folder


if __name__ == "__main__":
    _import_all()
    gc.freeze()
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        from shipper.program import main

        main()
