"""The talk with the agent: one remote process for a whole command, JSON lines both ways, streams in frames."""

from __future__ import annotations

import json
import queue
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from shipper.errors import (
    ConfigError,
    ConnectionLostError,
    HostError,
    LockHeldError,
    ReleaseError,
    ShipperError,
    StaleError,
    StoppedError,
)
from shipper.host.bootstrap import COMMAND
from shipper.host.bundle import pack_agent
from shipper.host.connection import BROKEN, Host
from shipper.host.failures import explain_silence, explain_start
from shipper.limit import Limit

# As in shipper.agent.channel.
_LENGTH = struct.Struct(">I")
_GIVE_UP = _LENGTH.pack(0xFFFFFFFF)
_END = _LENGTH.pack(0)
# The agent waits for a whole frame as long as for any sign of life: it has to arrive in time over the slowest line.
_FRAME_BYTES = 1 << 18

_CALL_SECONDS = 60.0
# As often as this a sign of life goes each way; after so much silence the connection is lost, although no end of it
# was ever seen (a network that is gone sends none).
_PING_SECONDS = 5.0
_SILENCE_SECONDS = 45.0
_START_SECONDS = 30.0
# A waiting that can be interrupted on every system.
_LOOK_SECONDS = 0.5
# Standard error may end after the output did; of a connection that broke, both have ended.
_LAST_WORDS_SECONDS = 2.0
_READ_BYTES = 1 << 16
_KEPT_ERROR_LINES = 20
_ERRORS: dict[str, type[ShipperError]] = {
    "release": ReleaseError,
    "host": HostError,
    "lock": LockHeldError,
    "config": ConfigError,
    "stale": StaleError,
}

Event = Mapping[str, Any]
Answer = Callable[[str, Mapping[str, Any]], object]


def _ignore(event: Event) -> None:
    """Take an event and do nothing."""


class AgentSession:
    """A running agent. One call at a time; the process over there ends when the session is closed.

    `round_trips` counts how often something was said to it that it had to answer, or that it had asked for and went on
    after: its start is not among them.
    """

    def __init__(self, channel: Any, host: Host, note: Callable[[str], None]) -> None:
        self._channel = channel
        self._host = host
        self._note = note
        self._number = 0
        self.round_trips = 0
        self._heard = time.monotonic()
        self._sending = threading.Lock()
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._errors: deque[bytes] = deque(maxlen=_KEPT_ERROR_LINES)
        # Both outputs are drained at once: a full one would stop the other side.
        threading.Thread(target=self._drain_output, name="agent", daemon=True).start()
        self._last_words = threading.Thread(target=self._drain_errors, name="agent's errors", daemon=True)
        self._last_words.start()

    def _drain_output(self) -> None:
        rest = b""
        for data in _pieces(self._channel.recv):
            self._heard = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

    def _drain_errors(self) -> None:
        for data in _pieces(self._channel.recv_stderr):
            self._errors.extend(data.splitlines())

    def start(self) -> None:
        """Run the agent that belongs to this shipper, sending it when the server does not have it. Raises HostError."""
        bundle = pack_agent()
        with suppress(HostError):  # a server that cannot run it has left already, but said why
            self._send(json.dumps({"sha256": bundle.digest, "size": len(bundle.content)}).encode() + b"\n")
        answer = self._receive(time.monotonic() + _START_SECONDS)
        if answer.get("agent") == "send":
            self._send(bundle.content)
            answer = self._receive(time.monotonic() + _START_SECONDS)
        if answer.get("agent") != "ready":
            raise explain_start(answer, self._host.user, self._host.address)
        threading.Thread(target=self._ping, name="ping", daemon=True).start()

    def _ping(self) -> None:
        """Tell the agent now and then that somebody is here; a stream says so by itself."""
        while not self._channel.closed:
            if self._sending.acquire(blocking=False):
                try:
                    self._write(b'{"ping": 1}\n')
                except HostError:  # who waits for an answer finds out, too
                    return
                finally:
                    self._sending.release()
            time.sleep(_PING_SECONDS)

    def call(
        self,
        do: str,
        arguments: Mapping[str, Any],
        *,
        on_event: Callable[[Event], None] = _ignore,
        answer: Answer | None = None,
        stream: Iterable[bytes] | None = None,
        deadline: float = _CALL_SECONDS,
        limit: Limit | None = None,
        stoppable: bool = False,
    ) -> Any:
        """Let the agent do something and return its result.

        `on_event` gets what the agent tells meanwhile, `answer` what it asks. `stream` is sent after the request.
        `deadline` is in seconds, from one word of the agent to the next; a `limit` is for all of it, instead. With
        `stoppable`, the first Ctrl-C asks the agent to stop, and its end is waited for; the second one leaves. Raises
        the error the agent reports, HostError when the connection is lost or the limit has passed, and StoppedError
        when it ended after a Ctrl-C.
        """
        self._number += 1
        self.round_trips += 1
        request = {"id": self._number, "do": do, "with": arguments, "stream": stream is not None}
        line = json.dumps(request).encode() + b"\n"
        if stream is None:
            self._send(line)
        else:
            self._send_stream(line, stream, limit)
        stopped = False
        while True:
            try:
                message = self._receive(None if limit else time.monotonic() + deadline, limit)
                if "ok" in message:
                    return _result(message, stopped)
                self._react(message, on_event, answer)
            except KeyboardInterrupt:
                if stopped or not stoppable:
                    raise
                stopped = True
                self._note("Stopping. The server ends in order; Ctrl-C once more leaves it alone with that.")
                self._send(b'{"cancel": true}\n')

    def _react(self, message: Mapping[str, Any], on_event: Callable[[Event], None], answer: Answer | None) -> None:
        if message.get("event", {}).get("kind") == "note":
            self._note(message["event"]["text"])
        elif "event" in message:
            on_event(message["event"])
        elif "ask" in message:
            told: object = None
            try:
                told = answer(message["ask"], message["with"]) if answer else None
            finally:  # after a Ctrl-C, too: the agent waits for it
                self.round_trips += 1
                answered = {"id": self._number, "answer": told, "number": message["number"]}
                self._send(json.dumps(answered).encode() + b"\n")

    def _send_stream(self, request: bytes, stream: Iterable[bytes], limit: Limit | None) -> None:
        """Send a request and all frames that belong to it; stop early when the agent has said that it failed."""
        with self._sending:
            self._write(request)
            try:
                for piece in stream:
                    if self._has_failed():
                        self._write(_GIVE_UP)
                        return
                    for start in range(0, len(piece), _FRAME_BYTES):
                        frame = piece[start : start + _FRAME_BYTES]
                        self._write(_LENGTH.pack(len(frame)) + frame, limit)
            except ShipperError:
                with suppress(ShipperError):  # what was wrong first is what is told
                    self._write(_GIVE_UP, limit)
                raise
            self._write(_END, limit)

    def _has_failed(self) -> bool:
        with self._lines.mutex:
            return any(line is None or b'"ok": false' in line for line in self._lines.queue)

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._write(data)

    def _write(self, data: bytes, limit: Limit | None = None) -> None:
        """Send all of it. The other side may be slow to take it, but not silent at the same time."""
        while data:
            if limit:
                limit.refuse_late()
            try:
                data = data[self._channel.send(data) :]
            except TimeoutError:
                self._refuse_silence()
            except BROKEN as error:
                raise self._lost() from error

    def _receive(self, until: float | None, limit: Limit | None = None) -> dict[str, Any]:
        """Return the next message. Raises HostError when there is none until then, and when the other side is gone."""
        while True:
            line = self._next_line(until, limit)
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a login message, or a shell that speaks up before it starts what it was told to start
            if isinstance(message, dict) and "beat" not in message:
                return message

    def _next_line(self, until: float | None, limit: Limit | None) -> bytes:
        while True:
            if limit:
                limit.refuse_late()
            with suppress(queue.Empty):
                line = self._lines.get(timeout=_LOOK_SECONDS)
                if line is None:
                    raise self._lost()
                return line
            self._refuse_silence(until)

    def _refuse_silence(self, until: float | None = None) -> None:
        """Raise ConnectionLostError after that moment, or when nothing has been heard for long."""
        now = time.monotonic()
        if (until and now > until) or now - self._heard > _SILENCE_SECONDS:
            raise ConnectionLostError(
                f"{self._host.address} has been silent for too long.",
                why="The network is gone, or the server does not answer. It ends by itself what was begun there.",
                fix="Try again; `inv status` shows what is live.",
            )

    def _lost(self) -> HostError:
        self._last_words.join(_LAST_WORDS_SECONDS)
        text = b"\n".join(self._errors).decode("utf-8", "replace")
        return explain_silence(text, self._host.user, self._host.address)


def _pieces(receive: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield what arrives until the connection ends, however it does."""
    while True:
        try:
            data = receive(_READ_BYTES)
        except TimeoutError:
            continue
        except BROKEN:
            return
        if not data:
            return
        yield data


def _result(message: Mapping[str, Any], stopped: bool) -> Any:
    if message["ok"]:
        if stopped:
            late = StoppedError("Stopped too late: it was done already.", fix="inv status")
            late.result = message["result"]
            raise late
        return message["result"]
    error = _error(message["error"])
    raise StoppedError(error.what, why=error.why, fix=error.fix) if stopped else error


def _error(error: Mapping[str, str]) -> ShipperError:
    kind = _ERRORS.get(error["kind"], ReleaseError)
    fix = error["fix"] or ("Please report this." if error["kind"] == "bug" else "")
    return kind(error["what"], why=error["why"], fix=fix)


@contextmanager
def open_agent(host: Host, note: Callable[[str], None]) -> Iterator[AgentSession]:
    """Start the agent on the server, without a terminal: with one, a lost connection would kill it half-way.

    `note` gets what the agent has to say on its own account, whatever was asked. Raises HostError when it cannot be
    started, told apart by cause.
    """
    try:
        channel = host.transport.open_session(timeout=_START_SECONDS)
        channel.settimeout(_PING_SECONDS)
        channel.exec_command(COMMAND)
    except BROKEN as error:
        raise explain_silence(str(error), host.user, host.address) from error
    try:
        session = AgentSession(channel, host, note)
        session.start()
        yield session
    finally:
        with suppress(*BROKEN):
            channel.close()
