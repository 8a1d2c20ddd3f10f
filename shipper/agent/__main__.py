"""The agent's entry: answers one request after the other until the client leaves.

A request that began is taken to its end, whoever stays to hear of it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from typing import Any

from . import compiled, lock, store
from .channel import Channel
from .commands import COMMANDS
from .errors import AgentError
from .layout import STATE


def main(archive: str = "", keep: bool = False) -> None:
    """Speak with the client on stdin and stdout. With `keep`, the agent in `archive` is compiled for the next start."""
    os.umask(0o022)
    for ignored in (signal.SIGHUP, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    channel = Channel(sys.stdin.buffer, sys.stdout.buffer)
    channel.start()
    try:
        for request in channel.requests():
            _answer(request, channel)
    finally:
        lock.release_all()
    channel.flush()
    if keep:  # nobody waits any more
        compiled.keep(archive, os.path.join(STATE, "compiled"))
    # A thread may still wait for a client that will never say anything again; Python's own end would wait for it.
    os._exit(0)


def _answer(request: dict[str, Any], channel: Channel) -> None:
    try:
        command = COMMANDS.get(request.get("do", ""))
        if command is None:
            raise AgentError("config", f"The agent does not know {request.get('do')!r}.")
        channel.reply(command(request.get("with") or {}, channel))
        return
    except AgentError as error:
        channel.fail(error)
    except OSError as error:
        channel.fail(store.write_error(error, "/srv"))
    except Exception as error:  # whatever it was, the client shall hear of it
        where = _keep_traceback()
        channel.fail(AgentError("bug", f"The agent failed: {type(error).__name__}: {error}", f"Details: {where}"))
    if request.get("stream"):
        channel.drain()


def _keep_traceback() -> str:
    """Write where it failed, without any value, to a file for root alone."""
    folder = os.path.join(STATE, "log")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, time.strftime("%Y%m%dT%H%M%S") + f".{os.getpid()}")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return path


if __name__ == "__main__":
    main()
