"""The agent's server side in this process: a layout in a temporary folder, a channel whose other end is a list, and
death at any change of the disk.
"""

from __future__ import annotations

import functools
import io
import json
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipper.agent import programs, release
from shipper.agent.channel import Channel
from shipper.agent.layout import Layout

# Every call with which the agent changes what is on the disk.
CALLS = ("replace", "rename", "link", "symlink", "mkdir", "unlink", "fsync", "write", "sync", "rmdir")


class Client:
    """The other end of a channel, which stays there. `said` are the agent's messages without its signs of life."""

    def __init__(self) -> None:
        self._output = io.BytesIO()
        reader, self._writer = os.pipe()
        self.channel = Channel(os.fdopen(reader, "rb"), self._output)
        self.channel.start()

    def stream(self, data: bytes) -> None:
        """Send a request, and after it a stream of one frame: the channel is right before it then."""
        frames = struct.pack(">I", len(data)) + data + struct.pack(">I", 0)
        os.write(self._writer, b'{"id": 1, "stream": true}\n' + frames)
        next(self.channel.requests())

    @property
    def said(self) -> list[dict[str, Any]]:
        self.channel.flush()
        messages = [json.loads(line) for line in self._output.getvalue().splitlines()]
        return [message for message in messages if "beat" not in message]


def make_layout(folder: Path, app: str = "shop") -> Layout:
    """A server with nothing on it but the folders."""
    layout = Layout(app, base=str(folder / "srv"), etc=str(folder / "etc"), run=str(folder / "run"))
    Path(layout.root).mkdir(parents=True)
    release.make_folders(layout)
    return layout


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Put a script in the place of a program of the server."""
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setitem(programs._ENVIRONMENT, "PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


class KilledError(BaseException):
    """The process is gone: nothing of it happens any more."""


@contextmanager
def killed_at(number: int | None) -> Iterator[None]:
    """Let the block's process die at its `number`-th change of the disk."""
    left = [number or 1 << 30]
    kept = {name: getattr(os, name) for name in CALLS}

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def change(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                raise KilledError(name)
            return call(*arguments, **named)

        return change

    for name, call in kept.items():
        setattr(os, name, counted(name, call))
    try:
        yield
    finally:
        for name, call in kept.items():
            setattr(os, name, call)
