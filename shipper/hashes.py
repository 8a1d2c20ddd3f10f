"""The content hash of files, remembered by their stat so that an unchanged file is not read twice.

The same trick as git's index: a file whose size, modification time, change time and inode are what they were has
the content it had. A file that was touched within the clock's granularity of the record is never trusted.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Two seconds is the coarsest timestamp of a file system people still use (FAT); git calls such entries "racily clean".
_RACY_NANOSECONDS = 2_000_000_000
_FORMAT = 1
_READ_BYTES = 1 << 17


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content as 64 hex digits. Raises OSError when it cannot be read."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - called thousands of times, as os.stat below
        # Most files are small; file_digest makes itself a buffer of 256 kB for each.
        piece = file.read(_READ_BYTES)
        digest = hashlib.sha256(piece)
        while len(piece) == _READ_BYTES:
            piece = file.read(_READ_BYTES)
            digest.update(piece)
        return digest.hexdigest()


class FileHashes:
    """Content hashes with a memory on disk. Use `remember()` to open one; it is saved when the block ends."""

    def __init__(self, known: dict[str, list[int | str]]) -> None:
        self._known = known
        self._seen: dict[str, list[int | str]] = {}

    def of(self, path: Path) -> str:
        """Return the SHA-256 of the file at an absolute `path`, reading it only when its stat changed."""
        key = str(path)
        stat = os.stat(path)  # noqa: PTH116 - called thousands of times; Path.stat costs a third more
        signature: list[int | str] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        record = self._known.get(key)
        if record and record[:4] == signature:
            self._seen[key] = record
            return str(record[4])
        digest = hash_file(path)
        if time.time_ns() - stat.st_mtime_ns > _RACY_NANOSECONDS:
            self._seen[key] = [*signature, digest]
        return digest

    @classmethod
    @contextmanager
    def remember(cls, index: Path) -> Iterator[FileHashes]:
        """Open the memory kept in the file `index`, and save what was asked for when the block ends.

        A missing or unreadable index is an empty one: it only costs time.
        """
        hashes = cls(_read_index(index))
        yield hashes
        if hashes._seen != hashes._known:
            index.parent.mkdir(parents=True, exist_ok=True)
            scratch = index.with_name(f"{index.name}.{secrets.token_hex(8)}")
            scratch.write_text(json.dumps({"format": _FORMAT, "files": hashes._seen}), encoding="utf-8")
            scratch.replace(index)


def _read_index(index: Path) -> dict[str, list[int | str]]:
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        return {}
    files = content.get("files")
    return files if isinstance(files, dict) else {}
