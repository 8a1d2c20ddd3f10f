"""How a stream travels to the agent: in frames that arrive in good time over any line."""

from __future__ import annotations

import queue
import struct
from typing import Any

from shipper.agent import channel
from shipper.host.connection import Host
from shipper.host.session import AgentSession

SLOWEST_LINE = 8_000  # bytes a second


class Wire:
    """Takes what is sent, and says that it was good."""

    closed = False

    def __init__(self) -> None:
        self.sent = b""
        self._said: queue.Queue[bytes] = queue.Queue()
        self._said.put(b'{"ok": true, "result": null}\n')

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def recv(self, size: int) -> bytes:
        return self._said.get()

    def recv_stderr(self, size: int) -> bytes:
        return b""


def frames(sent: bytes) -> list[bytes]:
    """Return the frames behind the line of a request, without the last one, which is empty."""
    rest: Any = sent.partition(b"\n")[2]
    found = []
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        found.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    assert found.pop() == b""
    return found


def test_no_frame_takes_longer_over_a_slow_line_than_the_agent_waits_for_one() -> None:
    wire = Wire()
    document = bytes(range(256)) * 20_000  # of a first ship of many files, in one piece
    AgentSession(wire, Host("shop", "deploy", None), print).call("deliver", {}, stream=[document, b"and the rest"])
    found = frames(wire.sent)
    assert b"".join(found) == document + b"and the rest"
    assert max(map(len, found)) < channel._SILENCE_SECONDS * SLOWEST_LINE
