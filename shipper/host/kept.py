"""Connections that outlive one ship: the next one needs no handshake. The agent is started anew each time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager

from shipper.config.target import Target
from shipper.errors import HostError
from shipper.host.connection import Host, open_host


class KeptHosts:
    """Open connections by server, from the first use until `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Target, tuple[Host, ExitStack]] = {}
        self._begun: dict[Target, Future[Host]] = {}
        self._closed = False

    def begin(self, target: Target, name: str) -> None:
        """Open the connection in the background: `reach` waits for it, and raises what hindered it."""
        begun = self._begun[target] = Future()

        def run() -> None:
            try:
                begun.set_result(self._open(target, name))
            except BaseException as error:
                begun.set_exception(error)

        # Nobody waits for it at the end: a server that does not answer holds up no other error.
        threading.Thread(target=run, name="connect", daemon=True).start()

    @contextmanager
    def reach(self, target: Target, name: str) -> Iterator[Host]:
        """Give the connection to the target's server, opened where there is none that lives.

        After an error of the connection it is closed, and opened anew the next time. Raises HostError.
        """
        begun = self._begun.pop(target, None)
        host = begun.result() if begun else self._living(target) or self._open(target, name)
        try:
            yield host
        except HostError:
            self._drop(target)
            raise

    def _open(self, target: Target, name: str) -> Host:
        stack = ExitStack()
        host = stack.enter_context(open_host(target, name))
        with self._lock:
            if not self._closed:
                self._kept[target] = (host, stack)
                return host
        stack.close()
        return host

    def _living(self, target: Target) -> Host | None:
        with self._lock:
            known = self._kept.get(target)
        if known is None:
            return None
        if known[0].transport.is_active():
            return known[0]
        self._drop(target)
        return None

    def _drop(self, target: Target) -> None:
        with self._lock:
            known = self._kept.pop(target, None)
        if known:
            known[1].close()

    def close(self) -> None:
        """Close all of them, also one that is still being opened."""
        with self._lock:
            self._closed = True
        for target in list(self._kept):
            self._drop(target)
