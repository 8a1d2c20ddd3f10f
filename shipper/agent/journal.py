"""The journal: one JSON object a line of what was done to an app on this server, kept across releases."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from .layout import Layout


def write(layout: Layout, **fields: Any) -> None:
    """Append one entry with the time (UTC) and bring it to the disk. Values of the environment never belong here."""
    line = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **fields}) + "\n"
    file = os.open(layout.journal, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        # A server that lost power may have left half a line; this entry must not become the end of it.
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        os.write(file, b"\n" * torn + line.encode())
        os.fsync(file)
    finally:
        os.close(file)


def last(layout: Layout, kinds: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    """Return the last `count` entries of these kinds, oldest first."""
    try:
        with open(layout.journal, encoding="utf-8", errors="replace") as file:
            found = [entry for entry in map(_parse, file) if entry.get("kind") in kinds]
    except FileNotFoundError:
        return []
    return found[-count:]


def _parse(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:  # the last line of a server that lost power
        return {}
    return entry if isinstance(entry, dict) else {}
