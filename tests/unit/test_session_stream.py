"""How a stream travels to the agent: in frames that arrive in good time over any line."""

from __future__ import annotations

import queue
import struct
import time
from typing import Any

import pytest

from shipper.agent import channel
from shipper.errors import HostError
from shipper.host import session
from shipper.host.connection import Host
from shipper.host.session import AgentSession
from shipper.limit import Limit

SLOWEST_LINE = 8_000  # bytes a second


class Wire:
    """Takes what is sent, and says that it was good."""

    closed = False

    def __init__(self, *said: bytes) -> None:
        self.sent = b""
        self._said: queue.Queue[bytes] = queue.Queue()
        for line in (*said, b'{"ok": true, "result": null}\n'):
            self._said.put(line)

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


def test_signs_of_life_go_on_after_the_limit_of_a_call_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_PING_SECONDS", 0.02)
    wire = Wire(b'{"agent": "ready"}\n')
    opened = AgentSession(wire, Host("shop", "deploy", None), print)
    opened.start()
    limit = Limit.begin("upload", 0.3)
    opened.call("deliver", {}, stream=[b"all"], limit=limit)
    # Another server of the target is at a long migration: this one's agent keeps its lock as long as it hears of us.
    while time.monotonic() < limit.ends + 0.1:
        time.sleep(0.02)
    before, deadline = wire.sent.count(b"ping"), time.monotonic() + 10
    while wire.sent.count(b"ping") < before + 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_that_tells_something_all_the_time_is_left_at_the_limit() -> None:
    class Lively(Wire):
        def recv(self, size: int) -> bytes:
            time.sleep(0.01)
            return b'{"event": {"kind": "progress", "done": 1}}\n'

    opened = AgentSession(Lively(), Host("shop", "deploy", None), print)
    with pytest.raises(HostError, match=r"The step image had not ended after 0\.3 seconds"):
        opened.call("fetch", {}, limit=Limit.begin("image", 0.3))


def test_what_a_server_says_last_is_told_also_when_it_comes_after_the_end_of_its_output() -> None:
    last_words = [b"sudo: a password is required\n", b""]

    class Refusing(Wire):
        def recv(self, size: int) -> bytes:
            return b""

        def recv_stderr(self, size: int) -> bytes:
            time.sleep(0.1)
            return last_words.pop(0)

    with pytest.raises(HostError, match="deploy may not use sudo without a password"):
        AgentSession(Refusing(), Host("shop", "deploy", None), print).start()
