"""The lock of an app: an `flock` held by this process, so the kernel frees it however the process ends (field note U9).

The flock alone decides; the file's text is for people and for those who wait: who holds it, why, since when, whether
the holder's client is still there. It is emptied by a holder that ends in order, so a text without a flock tells of
one that was killed. Ages are taken from the clock that counts since the boot: the server's date may be wrong.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Optional

from .channel import Channel
from .errors import AgentError
from .layout import Layout

VERSION = 1
_BEAT_SECONDS = 5.0
_TRY_SECONDS = 0.25
_NOTE_SECONDS = 10.0
# An agent whose client has left finishes its switch and goes; only a migration can take longer than this.
_ORPHAN_SECONDS = 600.0
# Who only looks (`holder`) has the lock for a moment, and who has just got it has yet to write who that is.
_LOOK_SECONDS = 2.0
# A client gives a sign every five seconds; one that missed three is most probably gone.
_QUIET_SECONDS = 15.0

Entry = dict[str, Any]
_held: dict[str, int] = {}
_guard = threading.Lock()


def take(layout: Layout, holder: Mapping[str, Any], reason: str, channel: Channel, wait: float = 0.0) -> bool:
    """Take the lock and keep it until this process ends; return whether it was not ours already.

    `holder` is {"who", "author", "run"}. A lock that is held is waited for up to `wait` seconds, and for as long as it
    takes when nobody is behind it any more: an agent whose client left ends by itself. Raises AgentError of kind
    "lock" that tells all about the holder, and of kind "config" for a folder that is somebody else's.
    """
    if layout.lock in _held:
        return False
    _claim(layout)
    os.makedirs(layout.root, exist_ok=True)
    os.chmod(layout.root, 0o755)
    file = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(layout, file, channel, wait)
    except BaseException:
        os.close(file)
        raise
    left = _read(file)
    if left:
        channel.note(f"Took over the lock of {_describe(left)}: {_how_it_ended(left)}.")
    boot = _boot_id()
    entry = {"v": VERSION, **holder, "reason": reason, "since": time.monotonic(), "process": os.getpid(), "boot": boot}
    _held[layout.lock] = file
    _write(file, entry, channel)
    threading.Thread(target=_beat, args=[layout.lock, file, entry, channel], name="lock", daemon=True).start()
    return True


def _claim(layout: Layout) -> None:
    """Refuse a folder that is somebody else's: whoever owns it could make anything live."""
    try:
        owner = os.lstat(layout.root).st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid() or not os.path.isdir(layout.root) or os.path.islink(layout.root):
        raise AgentError(
            "config",
            f"{layout.root} is there already, and is not a folder of root's own (its owner has the number {owner}).",
            "shipper keeps the releases there, and whoever owns it could change what visitors get.",
            f"If it is this app's, on the server: `sudo chown root: {layout.root}`; else another `name` in ship.toml.",
        )


def release(layout: Layout) -> None:
    """Let go of the lock before this process ends."""
    with _guard:
        file = _held.pop(layout.lock, None)
        if file is not None:
            os.ftruncate(file, 0)
            os.close(file)


def release_all() -> None:
    """Let go of every lock in order, so that nobody takes this process for one that was killed."""
    with _guard:
        while _held:
            _, file = _held.popitem()
            os.ftruncate(file, 0)
            os.close(file)


def holder(layout: Layout) -> Optional[Entry]:
    """Return who holds the lock, with `age` and `quiet` (seconds since the last sign of its client); None when free.

    A text that a killed holder left comes with `gone` true.
    """
    try:
        file = os.open(layout.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        free = True
    except BlockingIOError:
        free = False
    try:
        entry = _read(file)
        if free and not entry:
            return None
        return {**entry, "age": _age(entry, "since"), "quiet": _age(entry, "heard"), "gone": free}
    finally:
        os.close(file)


def _wait(layout: Layout, file: int, channel: Channel, wait: float) -> None:
    began = told = time.monotonic()
    told -= _NOTE_SECONDS
    while not _try(file):
        entry = _read(file)
        waited = time.monotonic() - began
        known = _lives(entry)
        alone = entry.get("client") == "gone" or _age(entry, "heard") > _QUIET_SECONDS
        patience = (_ORPHAN_SECONDS if alone else 0.0) if known else _LOOK_SECONDS
        if waited >= max(wait, patience) or not channel.alive:
            raise _refusal(layout, entry)
        if (known or waited >= _LOOK_SECONDS) and time.monotonic() - told >= _NOTE_SECONDS:
            told = time.monotonic()
            why = "whose client is gone; it ends by itself" if known and alone else "as wished"
            channel.note(f"Waiting for {_describe(entry if known else {})}, {why}.")
        time.sleep(_TRY_SECONDS)


def _lives(entry: Entry) -> bool:
    """Whether the text is of a process that lives. Else it is not by the text's process that the lock is held."""
    return entry.get("boot") == _boot_id() and os.path.exists(f"/proc/{entry.get('process')}")


def _try(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _beat(path: str, file: int, entry: Entry, channel: Channel) -> None:
    while True:
        if channel.alive:
            channel.left.wait(_BEAT_SECONDS)  # told at once: who comes next then waits, and is not sent away
        else:
            time.sleep(_BEAT_SECONDS)
        with _guard:
            if _held.get(path) != file:
                return
            with suppress(OSError):  # a full disk; the flock is what counts
                _write(file, entry, channel)


def _write(file: int, entry: Entry, channel: Channel) -> None:
    beat = {"beat": time.monotonic(), "heard": channel.heard, "client": "here" if channel.alive else "gone"}
    text = json.dumps({**entry, **beat}).encode()
    # One write of one length, so that nobody ever reads half of it.
    os.pwrite(file, text.ljust(1023) + b"\n", 0)


def _read(file: int) -> Entry:
    try:
        entry = json.loads(os.pread(file, 1 << 16, 0) or b"{}")
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _age(entry: Entry, key: str) -> float:
    """Return the seconds since a moment of an entry, never negative; 0 when it was before this boot."""
    same_boot = entry.get("boot") == _boot_id()
    return max(0.0, time.monotonic() - float(entry.get(key) or 0.0)) if same_boot and entry.get(key) else 0.0


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # random(4)
        return file.read().strip()


def _describe(entry: Entry) -> str:
    author = f" ({entry['author']})" if entry.get("author") else ""
    return f"{entry.get('who') or 'somebody'}{author}, {entry.get('reason') or 'busy'}"


def _how_it_ended(entry: Entry) -> str:
    if entry.get("boot") != _boot_id():
        return "the server was restarted since then"
    return f"its process {entry.get('process')} was killed"


def _refusal(layout: Layout, entry: Entry) -> AgentError:
    lines = [
        f"Since {words(_age(entry, 'since'))}; process {entry.get('process', '?')} on the server.",
        f"Its client was last heard of {words(_age(entry, 'heard'))} ago.",
    ]
    if entry.get("run"):
        lines.append(f"Run: {entry['run']}")
    return AgentError(
        "lock",
        f"{entry.get('who') or 'Somebody else'} is changing {layout.app} right now ({entry.get('reason', 'unknown')}).",
        "\n".join([*([f"Author: {entry['author']}"] if entry.get("author") else []), *lines]),
        "Wait for it: the same command with --lock-wait 300. `inv lock.show` shows who it is.",
    )


def words(seconds: float) -> str:
    """Return a span of time in words."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
