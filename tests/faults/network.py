"""A network between a client and sshd that can vanish: from then on nothing passes, and neither end is told."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self


class Network:
    """A context: `port` leads to the other port until `vanish`."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._gone = threading.Event()
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._server.close()

    def vanish(self) -> None:
        """Let nothing pass any more."""
        self._gone.set()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=[source, sink], daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self._gone.is_set():
                    break
                sink.sendall(data)
        except OSError:
            pass
        if self._gone.is_set():
            self._over.wait()  # both ends stay open until the test is over
        source.close()
        sink.close()
