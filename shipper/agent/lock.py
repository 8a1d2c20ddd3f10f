"""The lock of an app: an `flock` held by this process, so the kernel frees it however the process ends (U9)."""

from __future__ import annotations

import fcntl
import json
import os
import time

from .errors import AgentError
from .layout import Layout

_held: dict[str, int] = {}


def take(layout: Layout, who: str, reason: str) -> None:
    """Take the lock and keep it until this process ends; taking it again is nothing.

    Raises AgentError of kind "lock" that names the holder when somebody else has it.
    """
    if layout.lock in _held:
        return
    os.makedirs(layout.root, exist_ok=True)
    os.chmod(layout.root, 0o755)
    file = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _held_by_another(layout, file)
        os.close(file)
        raise holder from error
    entry = {"who": who, "reason": reason, "since": int(time.time()), "process": os.getpid()}
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(entry).encode(), 0)
    _held[layout.lock] = file


def release(layout: Layout) -> None:
    """Let go of the lock before this process ends."""
    file = _held.pop(layout.lock, None)
    if file is not None:
        os.ftruncate(file, 0)
        os.close(file)


def _held_by_another(layout: Layout, file: int) -> AgentError:
    try:
        entry = json.loads(os.pread(file, 4096, 0))
    except ValueError:
        entry = {}
    age = int(time.time()) - int(entry.get("since", time.time()))
    return AgentError(
        "lock",
        f"{entry.get('who') or 'Somebody else'} is changing {layout.app} right now ({entry.get('reason', 'unknown')}).",
        f"Since {age} s, process {entry.get('process', '?')} on the server.",
        "Wait for it to end and try again; `inv status` shows what is live.",
    )
