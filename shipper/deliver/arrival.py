"""A content on its way from the engine here into our own registry, for those who follow it while it comes."""

from __future__ import annotations

import threading
from pathlib import Path


class Arrival:
    """A content on its way from the engine: the file that grows, and whether it has ended, whole or not."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._size = 0
        self._digest: str | None = None
        self._news = threading.Condition()

    def grow(self, size: int) -> None:
        """Take note that so many bytes are in the file now."""
        with self._news:
            self._size = size
            self._news.notify_all()

    def end(self, digest: str = "") -> None:
        """Take note that this was all: the whole content with that digest, or the beginning of one that broke off."""
        with self._news:
            self._digest = self._digest or digest
            self._news.notify_all()

    def wait_beyond(self, position: int) -> int:
        """Wait until the file is longer than that, or has ended; return how long it is."""
        with self._news:
            self._news.wait_for(lambda: self._size > position or self._digest is not None)
            return self._size

    def wait_for_end(self) -> str:
        """Wait until this was all; return the digest of the content, "" when it broke off."""
        with self._news:
            self._news.wait_for(lambda: self._digest is not None)
            return self._digest or ""
