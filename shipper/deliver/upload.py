"""Sending what the server lacks: the contents end to end as one compressed stream, so that like compresses like."""

from __future__ import annotations

import hashlib
import itertools
import mmap
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from shipper.deliver import delta
from shipper.deliver.deflate import Deflater
from shipper.deliver.manifest import Entry, Tree
from shipper.errors import BuildError

_READ_BYTES = 1 << 18
# Of a file that travels as a delta: each piece costs a few bytes.
_DELTA_BYTES = 1 << 20
# Level 6 is zlib's own balance: at 50 Mbit/s a faster level costs more time on the line than it saves here.
_LEVEL = 6
# Deltas compress so well that zlib would keep those of a whole site to itself: the server gets what there is after as
# many bytes of contents, so that both sides are at work. An empty piece asks for that; each costs some ten bytes.
_HELD_BACK_BYTES = 1 << 21
_HAND_OVER = b""
_FOLDER_BYTES = 4096  # a block of ext4 and xfs
# Records, manifests, the journal, nginx's files and their candidates.
_RECORDS_BYTES = 2_000_000
_RECORDS_INODES = 200


@dataclass(frozen=True)
class Cargo:
    """The contents that have to travel, each once, in the order in which they are sent.

    `bases` are the old contents against which some of them travel as deltas, by their keys.
    """

    entries: tuple[Entry, ...]
    bases: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes before compression."""
        return sum(entry.size for entry in self.entries)

    @property
    def wire(self) -> list[list[object]]:
        """The announcement as the agent takes it: `[key, size]` for each content."""
        return [[entry.value, entry.size] for entry in self.entries]


@dataclass
class Counter:
    """Counts the bytes that were handed to the connection."""

    sent: int = field(default=0)


def keys_of(trees: Iterable[Tree]) -> list[str]:
    """Return every key of the trees once."""
    return list(dict.fromkeys(entry.value for tree in trees for entry in tree.files))


def objects_of(trees: Iterable[Tree]) -> list[list[object]]:
    """Return every content of the trees once, as the agent takes it: `[key, size in bytes]`."""
    return [[key, size] for key, size in {entry.value: entry.size for tree in trees for entry in tree.files}.items()]


def room_besides(trees: Iterable[Tree]) -> dict[str, int]:
    """Return what laying out the trees takes on the server's disk besides their contents: {"bytes", "inodes"}.

    Files are hard links, so these are the folders, and the compiled file of every Python source, which is about as
    long as the source.
    """
    entries = [entry for tree in trees for entry in tree.entries]
    sources = [entry for entry in entries if entry.kind == "file" and entry.path.endswith(".py")]
    folders = {""}
    for entry in entries:
        folder = posixpath.dirname(entry.path)
        while folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    size = sum(entry.size for entry in sources) + _FOLDER_BYTES * len(folders)
    return {"bytes": size + _RECORDS_BYTES, "inodes": len(sources) + 2 * len(folders) + _RECORDS_INODES}


def choose(trees: Iterable[Tree], missing: Iterable[str], known: Collection[str] = ()) -> Cargo:
    """Return what has to travel. Files of one kind stand together: the window of zlib is only 32 KB.

    Of several paths with one content, one of those that are `known` is taken: there is an older content of it.
    """
    lacking = set(missing)
    by_key: dict[str, Entry] = {}
    for entry in (entry for tree in trees for entry in tree.files if entry.value in lacking):
        if entry.value not in by_key or entry.path in known:
            by_key[entry.value] = entry
    return Cargo(tuple(sorted(by_key.values(), key=_likeness)))


def _likeness(entry: Entry) -> tuple[str, str, str]:
    folder, name = posixpath.split(entry.path)
    return (posixpath.splitext(name)[1], name, folder)


def compress(cargo: Cargo, counter: Counter, level: int = _LEVEL, head: bytes = b"") -> Iterator[bytes]:
    """Yield the compressed stream piece by piece, never holding more than one piece; `head` goes before the contents.

    `level` is zlib's, 0 for contents that are compressed already. Raises BuildError when a file is not what it was when
    its hash was taken.
    """
    stream = Deflater(level)
    for piece in itertools.chain([head, _HAND_OVER], _contents(cargo)):
        packed = stream.compress(piece) if piece else stream.flush()
        if packed:
            counter.sent += len(packed)
            yield packed
    rest = stream.finish()
    counter.sent += len(rest)
    yield rest


def _contents(cargo: Cargo) -> Iterator[bytes]:
    held_back = 0
    for entry in cargo.entries:
        try:
            yield from _content(entry, cargo.bases.get(entry.value))
        except OSError as error:
            raise _changed(entry) from error
        held_back += entry.size
        if held_back > _HELD_BACK_BYTES:
            held_back = 0
            yield _HAND_OVER


def _content(entry: Entry, base: Entry | None) -> Iterator[bytes]:
    """Yield a content as it is, or what makes it out of `base`."""
    if base is None:
        yield from _read(entry, _READ_BYTES)
        return
    with _old_content(base) as old:
        yield from delta.encode(old, _read(entry, _DELTA_BYTES))


@contextmanager
def _old_content(base: Entry) -> Iterator[delta.Old]:
    """Give the content of a base; a large one is mapped, which takes no memory of its own."""
    assert base.source is not None
    with base.source.open("rb") as file:
        if base.size <= _DELTA_BYTES:
            yield file.read()
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped


def _read(entry: Entry, most: int) -> Iterator[bytes]:
    """Yield a content in pieces of at most `most` bytes. Raises BuildError when it is not what its key says."""
    assert entry.source is not None
    digest = hashlib.sha256()
    left = entry.size
    with entry.source.open("rb") as file:
        file.seek(entry.offset)
        while left and (piece := file.read(min(left, most))):
            digest.update(piece)
            left -= len(piece)
            yield piece
    if digest.hexdigest() != entry.value[:64]:
        raise _changed(entry)


def _changed(entry: Entry) -> BuildError:
    return BuildError(
        f"{entry.source} was changed while it was being sent.", fix="Let the build finish, then ship again."
    )
