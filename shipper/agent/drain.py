"""The time between the switch and the stop of the old copy, in which it answers what it was asked before."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Optional

_LOOK_SECONDS = 0.25
_TABLE = "/proc/net/unix"
_LISTENS = 1 << 16  # __SO_ACCEPTCON in the column of flags: include/uapi/linux/net.h


def wait(
    sockets: Collection[str], switched_at: float, at_least: float, at_most: float, look: Callable[[], object]
) -> str:
    """Wait until nobody is connected to the old copies' `sockets`, and return in words how it ended.

    `at_least` and `at_most` are seconds since `switched_at` (time.monotonic); the two equal is a fixed time. `look` is
    called again and again, once at least: it raises what is to end the wait.
    """
    while True:
        look()
        waited = time.monotonic() - switched_at
        if waited >= at_most:
            return f"{at_most:g} s since the switch"
        if waited >= at_least and connections(sockets) == 0:
            return f"nobody is connected to it any more, {waited:.1f} s after the switch"
        until = at_least if waited < at_least else at_most
        time.sleep(min(_LOOK_SECONDS, until - waited))


def connections(sockets: Collection[str]) -> Optional[int]:
    """Return how many connections to these listening unix sockets are open; None when that cannot be known.

    The kernel lists one under the path of its listener from the moment a client has it, also as long as the server has
    not accepted it (proc(5), unix_stream_connect in net/unix/af_unix.c). Nginx resolves `current` at each connect and
    has no pool of connections to keep, so that after the switch only what was asked before it is left. A server that
    does not listen under the very path it was given is not seen here, and nothing is concluded of it.
    """
    listening, found = set(), 0
    try:
        with open(_TABLE, encoding="utf-8", errors="replace") as file:
            rows = [line.split(None, 7) for line in file][1:]
    except OSError:
        return None
    for row in rows:
        path = row[7].rstrip("\n") if len(row) == 8 else ""
        if path not in sockets:
            continue
        if int(row[3], 16) & _LISTENS:
            listening.add(path)
        else:
            found += 1
    return found if listening == set(sockets) else None
