"""The agent's side of the conversation: JSON lines on stdin and stdout, and binary frames after some requests.

A client that has left is no error here: nothing that is told to it raises, and `alive` says whether it is there.
"""

from __future__ import annotations

import json
import queue
import struct
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, Optional

from .errors import AgentError

# After a request that announces one, a stream of frames: four bytes of length (big endian), then as many bytes.
_LENGTH = struct.Struct(">I")
_GIVE_UP = 0xFFFFFFFF
_LARGEST_FRAME = 1 << 24
_GONE = object()


class Channel:
    """One client, one request at a time. A thread reads ahead, so that a client that leaves is noticed at once."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._writing = threading.Lock()
        self._answers: queue.Queue[object] = queue.Queue()
        self._requests: queue.Queue[object] = queue.Queue()
        # Frames wait here; a full queue holds the client back, so that memory stays small.
        self._frames: queue.Queue[object] = queue.Queue(maxsize=8)
        self._number: Any = None
        self._streaming = False
        self.alive = True
        self.cancelled = False

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="channel", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in iter(self._reader.readline, b""):
                message = json.loads(line)
                if "answer" in message:
                    self._answers.put(message)
                    continue
                self._requests.put(message)
                if message.get("stream"):
                    self._read_frames()
        except (OSError, ValueError):
            pass  # the connection broke off in the middle of a line
        self.alive = False
        for waiting in (self._requests, self._answers):
            waiting.put(_GONE)

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
            frame = self._frames.get()
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

    def event(self, event: dict[str, Any]) -> None:
        """Tell the client what happens."""
        self._send({"event": event})

    def ask(self, name: str, arguments: dict[str, Any], timeout: float) -> Optional[object]:
        """Ask the client something; None when it has left or does not answer within `timeout` seconds."""
        self._send({"ask": name, "with": arguments})
        try:
            message = self._answers.get(timeout=timeout if self.alive else 0)
        except queue.Empty:
            return None
        return message["answer"] if isinstance(message, dict) else None

    def reply(self, result: object) -> None:
        """End the request with its result."""
        self._send({"ok": True, "result": result})

    def fail(self, error: AgentError) -> None:
        """End the request with an error."""
        self._send({"ok": False, "error": {key: getattr(error, key) for key in ("kind", "what", "why", "fix")}})

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps({"id": self._number, **message}).encode() + b"\n"
        with self._writing:
            if not self.alive:
                return
            try:
                self._writer.write(line)
                self._writer.flush()
            except (OSError, ValueError):
                self.alive = False
