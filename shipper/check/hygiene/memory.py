"""What was looked at before and was clean: contents that did not change are not looked through again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipper.remembered import remembered


class Memory:
    """Contents that are known to be clean. Use `remember()` to open one; it is saved when the block ends.

    It is kept under a digest of the rules, so that it forgets everything when these change.
    """

    def __init__(self, digest: str, known: set[str]) -> None:
        self._digest = digest
        self._known = known
        self._seen: set[str] = set()

    def knows(self, path: str, content: str) -> bool:
        """Whether the contents with this hash, in a file of this name, were clean."""
        key = self._key(path, content)
        if key in self._known:
            self._seen.add(key)
        return key in self._known

    def add(self, path: str, content: str) -> None:
        """Note that they are."""
        self._seen.add(self._key(path, content))

    def _key(self, path: str, content: str) -> str:
        # What is found can depend on the path: the same lines mean something else in a test.
        return hashlib.sha256(f"{self._digest}\0{path}\0{content}".encode("utf-8", "surrogateescape")).hexdigest()[:32]

    @classmethod
    @contextmanager
    def remember(cls, file: Path, digest: str) -> Iterator[Memory]:
        """Open the memory in `file`; a missing or unreadable one is empty, and only costs time."""
        with remembered(file) as table:
            memory = cls(digest, set(table.get("clean") or ()))
            yield memory
            table["clean"] = sorted(memory._seen)
