"""The agent's side of the conversation: JSON lines on stdin and stdout, and binary frames after some requests.

A client that has left is no error here: nothing that is told to it raises, and `alive` says whether it is there.
"""

from __future__ import annotations

import json
import queue
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Optional

from .errors import AgentError

# After a request that announces one, a stream of frames: four bytes of length (big endian), then as many bytes.
_LENGTH = struct.Struct(">I")
_GIVE_UP = 0xFFFFFFFF
_LARGEST_FRAME = 1 << 24
_GONE = object()
# The client gives a sign every five seconds. One that is silent for so long has lost its network: no FIN ever comes.
_SILENCE_SECONDS = 45.0
_BEAT_SECONDS = 5.0
_WAITING_LINES = 10_000


class Channel:
    """One client, one request at a time. A thread reads ahead, so that a client that leaves is noticed at once."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._answers: queue.Queue[object] = queue.Queue()
        self._requests: queue.Queue[object] = queue.Queue()
        # Frames wait here; a full queue holds the client back, so that memory stays small.
        self._frames: queue.Queue[object] = queue.Queue(maxsize=8)
        # Lines wait here for a thread to write them: nothing that is told may ever stop what is being done.
        self._told: queue.Queue[bytes] = queue.Queue(maxsize=_WAITING_LINES)
        self._number: Any = None
        self._streaming = False
        self._asked = 0
        self.alive = True
        self.left = threading.Event()
        self.cancelled = False
        self.heard = time.monotonic()

    def start(self) -> None:
        """Begin to read and to write."""
        for work in (self._read, self._write, self._listen):
            threading.Thread(target=work, name="channel", daemon=True).start()

    def _listen(self) -> None:
        """Give signs of life, and notice when there are none from the other side."""
        while self.alive:
            self._tell({"beat": 1})
            time.sleep(_BEAT_SECONDS)
            if self._frames.full():  # it is us who do not listen: the lock, or the disk, is waited for
                self.heard = time.monotonic()
            if time.monotonic() - self.heard > _SILENCE_SECONDS:
                self._lose()

    def _lose(self) -> None:
        self.alive = False
        self.left.set()
        for waiting in (self._requests, self._answers):
            waiting.put(_GONE)
        with suppress(queue.Full):  # who takes the next frame will look again
            self._frames.put_nowait(_GONE)

    def _write(self) -> None:
        while True:
            line = self._told.get()
            try:
                if self.alive:
                    self._writer.write(line)
                    self._writer.flush()
            except (OSError, ValueError):
                self._lose()
            self._told.task_done()

    def _read(self) -> None:
        try:
            for line in iter(self._reader.readline, b""):
                message = json.loads(line)
                self.heard = time.monotonic()
                if "ping" in message:
                    continue
                if "cancel" in message:
                    self.cancelled = True
                    continue
                if "answer" in message:
                    self._answers.put(message)
                    continue
                self.cancelled = False  # what was to be stopped has ended: this is the next one, such as the way back
                self._requests.put(message)
                if message.get("stream"):
                    self._read_frames()
        except (OSError, ValueError):
            pass  # the connection broke off in the middle of a line
        self._lose()

    def _read_frames(self) -> None:
        while True:
            header = self._reader.read(_LENGTH.size)
            length = _LENGTH.unpack(header)[0] if len(header) == _LENGTH.size else _GIVE_UP
            if length == 0:
                self._frames.put(b"")
                return
            data = self._reader.read(length) if length <= _LARGEST_FRAME else b""
            if len(data) != length:
                self._frames.put(_GONE)
                return
            self.heard = time.monotonic()
            self._frames.put(data)

    def requests(self) -> Iterator[dict[str, Any]]:
        """Yield the requests until the client leaves; what is sent meanwhile belongs to the latest one."""
        while True:
            request = self._requests.get()
            if not isinstance(request, dict):
                return
            self._number = request.get("id")
            self._streaming = bool(request.get("stream"))
            yield request

    def frames(self) -> Iterator[bytes]:
        """Yield the frames of the stream that follows the request. Raises AgentError when it is broken off."""
        while self._streaming:
            try:
                frame = self._frames.get(timeout=_SILENCE_SECONDS)
            except queue.Empty:
                frame = _GONE
            # The end is told once: who asks again, such as `drain`, would wait for ever.
            self._streaming = isinstance(frame, bytes) and frame != b""
            if not isinstance(frame, bytes):
                raise AgentError("host", "The upload was broken off.", "", "Ship again: it goes on from here.")
            if not frame:
                return
            yield frame

    def drain(self) -> None:
        """Throw away what is left of a stream whose request failed, so that the next request is heard."""
        try:
            for _ in self.frames():
                pass
        except AgentError:
            pass

    def note(self, text: str) -> None:
        """Tell the client something on the agent's own account."""
        self.event({"kind": "note", "step": "agent", "text": text})

    def event(self, event: dict[str, Any]) -> None:
        """Tell the client what happens."""
        self._send({"event": event})

    def ask(self, name: str, arguments: dict[str, Any], timeout: float) -> Optional[object]:
        """Ask the client something; None when it has left or does not answer within `timeout` seconds."""
        self._asked += 1
        self._send({"ask": name, "with": arguments, "number": self._asked})
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                message = self._answers.get(timeout=left if self.alive else 0)
            except queue.Empty:
                return None
            if not isinstance(message, dict):
                return None
            if message.get("number") == self._asked:  # one to an earlier question came too late for that
                answer: object = message["answer"]
                return answer

    def reply(self, result: object) -> None:
        """End the request with its result."""
        self._send({"ok": True, "result": result})

    def fail(self, error: AgentError) -> None:
        """End the request with an error."""
        self._send({"ok": False, "error": {key: getattr(error, key) for key in ("kind", "what", "why", "fix")}})

    def flush(self) -> None:
        """Wait until the client was told everything, unless it is gone."""
        while self.alive and self._told.unfinished_tasks:
            time.sleep(0.005)

    def _send(self, message: dict[str, Any]) -> None:
        self._tell({"id": self._number, **message})

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            # A client that reads slowly is waited for, one that does not read at all is gone.
            self._told.put(json.dumps(message).encode() + b"\n", timeout=_SILENCE_SECONDS if self.alive else 0.001)
        except queue.Full:
            self._lose()
