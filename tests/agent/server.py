"""The agent's server side in this process: a layout in a temporary folder, and a channel whose other end is a list."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

from shipper.agent import release
from shipper.agent.channel import Channel
from shipper.agent.layout import Layout


class Client:
    """The other end of a channel, which stays there. `said` are the agent's messages without its signs of life."""

    def __init__(self) -> None:
        self._output = io.BytesIO()
        reader, self._writer = os.pipe()
        self.channel = Channel(os.fdopen(reader, "rb"), self._output)
        self.channel.start()

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
