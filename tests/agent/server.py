"""The agent's server side in this process: a layout in a temporary folder, and a channel whose other end is a list."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shipper.agent import release
from shipper.agent.channel import Channel
from shipper.agent.layout import Layout


class Client:
    """The other end of a channel. `said` are the messages of the agent."""

    def __init__(self, sent: bytes = b"") -> None:
        self._output = io.BytesIO()
        self.channel = Channel(io.BytesIO(sent), self._output)

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.getvalue().splitlines()]


def request(do: str, **arguments: Any) -> bytes:
    return json.dumps({"id": 1, "do": do, "with": arguments}).encode() + b"\n"


def frames(pieces: Iterable[bytes]) -> bytes:
    """The pieces as they are on the wire."""
    return b"".join(struct.pack(">I", len(piece)) + piece for piece in pieces) + struct.pack(">I", 0)


def make_layout(folder: Path, app: str = "shop") -> Layout:
    """A server with nothing on it but the folders."""
    layout = Layout(app, base=str(folder / "srv"), etc=str(folder / "etc"), run=str(folder / "run"))
    Path(layout.root).mkdir(parents=True)
    release.make_folders(layout)
    return layout
