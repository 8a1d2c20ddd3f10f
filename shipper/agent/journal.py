"""The journal: one JSON object a line of what was done to an app on this server, kept across releases.

Every line has a version `v` and the time. An activation is a run of lines:

    begin       action, release, previous (the release that was live), who, on_failure (hooks, see shipper.agent.hooks)
    step        step, state "begin", and in `undo` what undoing it needs: on the disk before the step acts
    step        step, state "done" or "failed"
    verified    the point of no return
    ship        (or rollback) result: how it ended
    hook        step, state: a hook of the project that was run after a failure

Whoever finds a run without its last line can finish or undo it (shipper.agent.recovery).
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Union

from .layout import Layout

VERSION = 1
ENDS = ("ship", "rollback")
_LARGEST_BYTES = 4_000_000
_KEPT_LINES = 2_000

Entry = dict[str, Any]


def write(layout: Layout, **fields: Any) -> None:
    """Append one entry with the time (UTC) and bring it to the disk. Values of the environment never belong here."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = json.dumps({"v": VERSION, "time": moment, **fields}) + "\n"
    is_new = not os.path.exists(layout.journal)
    file = os.open(layout.journal, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        # A server that lost power may have left half a line; this entry must not become the end of it.
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        write_all(file, b"\n" * torn + line.encode())
        os.fsync(file)
    finally:
        os.close(file)
    if is_new:
        sync_folder(layout.root)


def write_all(file: int, data: Union[bytes, bytearray]) -> None:
    """Write all of it to a file that is open."""
    while data:
        data = data[os.write(file, data) :]


def sync_folder(path: str) -> None:
    """Bring the names in a folder to the disk: fsync(2) of a file does not do that."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def last(layout: Layout, kinds: tuple[str, ...], count: int) -> list[Entry]:
    """Return the last `count` entries of these kinds, oldest first."""
    return [entry for entry in _entries(layout) if entry.get("kind") in kinds][-count:]


def latest_activation(layout: Layout) -> list[Entry]:
    """Return the entries from the latest `begin` on; none when there was no activation yet."""
    found: list[Entry] = []
    for entry in _entries(layout):
        if entry.get("kind") == "begin":
            found = []
        elif not found:
            continue
        found.append(entry)
    return found


def trim(layout: Layout) -> None:
    """Shorten a long journal to its last entries."""
    if not os.path.exists(layout.journal) or os.path.getsize(layout.journal) < _LARGEST_BYTES:
        return
    scratch = f"{layout.journal}.new"
    with open(layout.journal, "rb") as file:
        lines = file.readlines()[-_KEPT_LINES:]
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, layout.journal)


def _entries(layout: Layout) -> list[Entry]:
    try:
        with open(layout.journal, encoding="utf-8", errors="replace") as file:
            return [entry for entry in map(_parse, file) if entry]
    except FileNotFoundError:
        return []


def _parse(line: str) -> Entry:
    try:
        entry = json.loads(line)
    except ValueError:  # half a line of a server that lost power
        return {}
    return entry if isinstance(entry, dict) else {}
