"""The manifest of a tree: every path with what it is. Reading one also refuses what must never leave this machine.

Keys are those of the server's store: the SHA-256 of the content, followed by `x` when the file may be executed.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shipper.errors import BuildError
from shipper.hashes import FileHashes

_NAME_BYTES = 255  # NAME_MAX of Linux, limits.h; the server's file systems allow no more


@dataclass(frozen=True)
class Entry:
    """One path of a tree, relative and with `/`.

    `value` is the key of a file, the target of a link, and empty for an (empty) directory. `size` is in bytes and
    `source` the file to read on this machine, from `offset` on; these are only meant for files.
    """

    path: str
    kind: Literal["file", "directory", "link"]
    value: str = ""
    size: int = 0
    source: Path | None = None
    offset: int = 0


@dataclass(frozen=True)
class Tree:
    """All entries of a tree, sorted by path."""

    entries: tuple[Entry, ...] = ()

    @property
    def files(self) -> Iterator[Entry]:
        """The entries that have content."""
        return (entry for entry in self.entries if entry.kind == "file")

    @property
    def wire(self) -> list[list[str]]:
        """The manifest as the agent takes it: `[path, kind, value]` for each entry."""
        return [[entry.path, entry.kind, entry.value] for entry in self.entries]

    @property
    def digest(self) -> str:
        """The SHA-256 of the manifest: equal trees have equal digests, wherever and whenever they were made."""
        lines = ("\0".join((entry.path, entry.kind, entry.value)) for entry in self.entries)
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def read_tree(folder: Path, hashes: FileHashes, executable: Collection[str] | None = None) -> Tree:
    """Return the manifest of everything in `folder`.

    `executable` names the files that get the execute bit; None takes it from the file system, where that has one.
    Raises BuildError for a link that leaves the tree, for sockets, pipes and devices, and for names no server can hold.
    """
    return _tree(folder, _walk(folder), hashes, executable)


def read_files(folder: Path, paths: Iterable[str], hashes: FileHashes, executable: Collection[str] = ()) -> Tree:
    """Return the manifest of `paths` (relative to `folder`, with `/`) alone; otherwise as `read_tree`."""
    return _tree(folder, paths, hashes, executable)


def _walk(folder: Path) -> Iterator[str]:
    pending = [""]
    while pending:
        inside = pending.pop()
        empty = True
        for entry in os.scandir(folder / inside if inside else folder):
            empty = False
            path = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            else:
                yield path
        if empty and inside:
            yield inside


def _tree(folder: Path, paths: Iterable[str], hashes: FileHashes, executable: Collection[str] | None) -> Tree:
    try:
        entries = [_entry(folder, path, hashes, executable) for path in paths]
    except OSError as error:  # many an editor takes a file away for a moment while it saves it
        raise BuildError(
            f"{error.filename} cannot be read.", why=str(error.strerror), fix="Look at it, then ship again."
        ) from error
    return Tree(tuple(sorted(entries, key=lambda entry: entry.path)))


def _entry(folder: Path, path: str, hashes: FileHashes, executable: Collection[str] | None) -> Entry:
    _check_path(path)
    source = folder / path
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        target = str(source.readlink()).replace(os.sep, "/")
        _check_link(path, target)
        return Entry(path, "link", target)
    if stat.S_ISDIR(status.st_mode):
        return Entry(path, "directory")
    if not stat.S_ISREG(status.st_mode):
        raise BuildError(f"{path!r} is neither a file nor a folder nor a link.", fix="Remove it, or move it elsewhere.")
    runnable = path in executable if executable is not None else bool(status.st_mode & stat.S_IXUSR)
    return Entry(path, "file", hashes.of(source) + "x" * runnable, status.st_size, source)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise BuildError(f"{path!r} is not a path inside the tree.")
    for part in parts:
        if len(part.encode("utf-8", "surrogateescape")) > _NAME_BYTES:
            raise BuildError(
                f"The name {part[:40]!r}... has more than {_NAME_BYTES} bytes.", fix="Give it a shorter name."
            )


def _check_link(path: str, target: str) -> None:
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = sum(1 for _ in itertools.takewhile("..".__eq__, parts))
    # Only at the beginning does `..` climb from a real folder: behind the name of another link it would climb from
    # wherever that one leads, and each of the two would look harmless.
    inside = climbs <= path.count("/") and ".." not in parts[climbs:]
    if not target or target.startswith("/") or not inside or ":" in target[:2]:
        raise BuildError(
            f"The link {path!r} points to {target!r}, which may be outside of the tree.",
            why="On the server it would lead nowhere, or to a file that was never meant to be public.",
            fix="Replace the link by the file it means.",
        )
