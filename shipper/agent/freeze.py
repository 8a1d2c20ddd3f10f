"""A freeze: nobody shall ship this app for a while. People set and lift it; it needs no process to hold it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any, Optional

from .environment import ensure_shared, write_private
from .errors import AgentError
from .layout import Layout
from .lock import words

VERSION = 1

Entry = dict[str, Any]


def current(layout: Layout) -> Optional[Entry]:
    """Return the freeze with `left`, the seconds until it ends (None: it has no end); None when there is none."""
    try:
        with open(layout.freeze, encoding="utf-8") as file:
            entry: Entry = json.load(file)
    except (FileNotFoundError, ValueError):
        return None
    left = entry["until"] - time.time() if entry.get("until") else None
    return None if left is not None and left <= 0 else {**entry, "left": left}


def refuse(layout: Layout) -> None:
    """Raise AgentError of kind "lock" when the app is frozen."""
    entry = current(layout)
    if entry is None:
        return
    end = "" if entry["left"] is None else f" It ends by itself in {words(entry['left'])}."
    raise AgentError(
        "lock",
        f"{layout.app} is frozen by {entry['who']}: {entry['reason']}.",
        f"Since {words(max(0.0, time.time() - entry['since']))}.{end}",
        "inv lock.release lifts it; a rollback goes through.",
    )


def set_freeze(layout: Layout, holder: Mapping[str, Any], reason: str, seconds: Optional[float]) -> None:
    """Freeze the app for `seconds`, or until somebody lifts it; an earlier freeze is replaced."""
    ensure_shared(layout)
    now = time.time()
    entry = {"v": VERSION, **holder, "reason": reason, "since": now, "until": now + seconds if seconds else None}
    write_private(layout.freeze, json.dumps(entry).encode())


def lift(layout: Layout) -> Optional[Entry]:
    """Lift the freeze; return it, or None when there was none."""
    entry = current(layout)
    try:
        os.unlink(layout.freeze)
    except FileNotFoundError:
        return None
    return entry
