"""A network between a client and sshd: it can break, as when a cable is pulled and both ends are told, or vanish, so
that nothing passes any more and nobody is told.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_NEVER = 1 << 60


class Network:
    """A context: `port` leads to the other port, until the network breaks or vanishes (then `gone` is set)."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._vanishes_after = _NEVER
        self._breaks_after = _NEVER
        self._passed = 0
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.gone = threading.Event()
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._server.close()

    @property
    def sent(self) -> int:
        """How many bytes the clients have sent so far."""
        return self._passed

    def vanish(self) -> None:
        """Let nothing pass any more, without a word to either end."""
        self.gone.set()

    def vanish_after(self, sent: int) -> None:
        """Vanish when the clients have sent so many bytes."""
        self._vanishes_after = sent

    def break_after(self, sent: int) -> None:
        """End the connection once, when the clients have sent so many bytes; the next one is let through."""
        self._breaks_after = sent

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            for source, sink, counts in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass_on, args=[source, sink, counts], daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(65536):
                self._passed += len(data) if counts else 0
                if self._passed > self._breaks_after:
                    self._breaks_after = _NEVER
                    break
                if self._passed > self._vanishes_after:
                    self.vanish()
                if self.gone.is_set():
                    self._over.wait()  # both ends stay open until the test is over
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread of the other direction, too
