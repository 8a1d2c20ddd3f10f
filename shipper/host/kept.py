"""Connections that outlive one ship: the next one needs no handshake. The agent is started anew each time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shipper.config.target import Target
from shipper.errors import HostError
from shipper.host.connection import Host, open_host


class KeptHosts:
    """Open connections by server, from the first use until `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Target, tuple[Host, ExitStack]] = {}

    @contextmanager
    def reach(self, target: Target, name: str) -> Iterator[Host]:
        """Give the connection to the target's server, opened where there is none that lives.

        After an error of the connection it is closed, and opened anew the next time. Raises HostError.
        """
        host = self._living(target)
        if host is None:
            stack = ExitStack()
            host = stack.enter_context(open_host(target, name))
            with self._lock:
                self._open[target] = (host, stack)
        try:
            yield host
        except HostError:
            self._drop(target)
            raise

    def _living(self, target: Target) -> Host | None:
        with self._lock:
            known = self._open.get(target)
        if known is None:
            return None
        if known[0].transport.is_active():
            return known[0]
        self._drop(target)
        return None

    def _drop(self, target: Target) -> None:
        with self._lock:
            known = self._open.pop(target, None)
        if known:
            known[1].close()

    def close(self) -> None:
        """Close all of them."""
        for target in list(self._open):
            self._drop(target)
