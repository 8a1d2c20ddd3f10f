"""The store: file contents by hash. Releases and slots are hard links into it, so equal content exists once.

A key is the SHA-256 of the content, followed by `x` for a file that may be executed: hard links share their mode.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Optional

from . import delta, journal
from .channel import Channel
from .delta import Reader
from .errors import AgentError
from .layout import Layout

# A folder of the store that stands there from an upload's first byte until a release was made of it.
_UNFINISHED = "unfinished"
KEY = re.compile(r"[0-9a-f]{64}x?")
HASH_DIGITS = 64
_WRITE_BYTES = 1 << 18
_REPORT_BYTES = 1 << 20


def _ignore(key: str, path: str) -> None:
    """Take note of an arrival and do nothing."""


def path_of(layout: Layout, key: str) -> str:
    """Return the file of a key. Raises AgentError when it is not a key."""
    return f"{layout.store}/{check_key(key)[:2]}/{key}"  # for every file of a release, several times


def check_key(key: str) -> str:
    """Return the key, which becomes a part of paths. Raises AgentError when it is none."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise AgentError("config", f"{key!r} is not a content hash.")
    return key


def check_mode(mode: str) -> str:
    """Return what a key says besides the hash. Raises AgentError when it is something else."""
    if mode not in ("", "x"):
        raise AgentError("config", f"{mode!r} is not the mode of a content.")
    return mode


def missing(layout: Layout, keys: Iterable[str]) -> list[str]:
    """Return the keys, in their order, whose content the store does not have."""
    wanted = list(keys)
    there = _there(layout, wanted)
    return [key for key in wanted if key not in there]


def _there(layout: Layout, keys: Iterable[str]) -> set[str]:
    """Return which names are where the keys would be, by listing folders: a look at each key takes longer."""
    names: set[str] = set()
    for shard in {check_key(key)[:2] for key in keys}:
        with suppress(FileNotFoundError, NotADirectoryError):
            names.update(os.listdir(os.path.join(layout.store, shard)))
    return names


def size_of(layout: Layout, key: str) -> int:
    """Return the length of a content that is there, in bytes."""
    return os.path.getsize(path_of(layout, key))


def remove(layout: Layout, keys: Iterable[str]) -> None:
    """Remove contents that were only there on their way to somewhere else."""
    for key in keys:
        with suppress(FileNotFoundError):
            os.unlink(path_of(layout, key))


def remove_damaged(layout: Layout, keys: Iterable[str]) -> list[str]:
    """Remove the contents that are no longer what their key says (a bad disk, a lost write); return their keys.

    Who wants them finds them missing then, and sends them again.
    """
    found = damaged(layout, keys)
    for key in found:
        os.unlink(path_of(layout, key))
    return found


def damaged(layout: Layout, keys: Iterable[str]) -> list[str]:
    """Return those keys whose content is there and is not what they say."""
    wanted = list(dict.fromkeys(keys))
    there = _there(layout, wanted)
    return [key for key in wanted if key in there and _hash_of(path_of(layout, key)) != key[:HASH_DIGITS]]


def _hash_of(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(_WRITE_BYTES):
                digest.update(piece)
    except OSError:  # the disk cannot read it any more
        return ""
    return digest.hexdigest()


def begin(layout: Layout) -> None:
    """Leave a mark that contents arrive which no release has yet: who cannot go on shall find them by asking."""
    os.makedirs(os.path.join(layout.store, _UNFINISHED), mode=0o700, exist_ok=True)


def settle(layout: Layout) -> None:
    """Take the mark away: all that had arrived belongs to a release now."""
    with suppress(OSError):
        os.rmdir(os.path.join(layout.store, _UNFINISHED))


def unfinished(layout: Layout) -> bool:
    """Whether contents may be there that no release has."""
    return os.path.isdir(os.path.join(layout.store, _UNFINISHED))


def receive(
    layout: Layout,
    objects: Sequence[Sequence[object]],
    frames: Iterable[bytes],
    channel: Channel,
    on_arrival: Callable[[str, str], None] = _ignore,
) -> list[str]:
    """Take the contents of `objects` from one zlib stream that holds them end to end; see `receive_from`."""
    return receive_from(layout, objects, Reader(inflate(frames)), channel, on_arrival)


def receive_from(
    layout: Layout,
    objects: Sequence[Sequence[object]],
    reader: Reader,
    channel: Channel,
    on_arrival: Callable[[str, str], None] = _ignore,
    found: Optional[dict[int, str]] = None,
) -> list[str]:
    """Take the contents of `objects`, each `[key, size in bytes]`, or `[key, size, base]` for one that comes as a delta
    against the content with the key `base`. Of such a one the key may be only "" or "x", without the hash: its key goes
    into `found`, by its place in `objects`, unless its base was not whole.

    Each content is verified against its key. What arrived whole is kept even when the stream breaks off, so the next
    attempt sends only the rest. All of it is on the disk when this returns. `on_arrival` hears of each content at once:
    its key, and the file that has it until all of them get their places. Returns the keys of those whose base was not
    there or not what its key says. Raises AgentError.
    """
    incoming = os.path.join(layout.store, f"incoming.{os.getpid()}")
    os.makedirs(incoming, mode=0o700, exist_ok=True)
    arrived: dict[str, bool] = {}

    def note(key: str, right: bool) -> None:
        arrived[key] = right
        if right:
            on_arrival(key, f"{incoming}/{key}")

    try:
        _unpack(layout, objects, reader, incoming, note, channel, {} if found is None else found)
    except OSError as error:
        raise write_error(error, layout.root) from error
    finally:
        _adopt(layout, incoming, [key for key, right in arrived.items() if right])
        shutil.rmtree(incoming, ignore_errors=True)
    return [key for key, right in arrived.items() if not right]


def inflate(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress piece by piece, never more than `_WRITE_BYTES` at a time however well it was compressed."""
    stream = zlib.decompressobj()
    try:
        for frame in frames:
            data = stream.decompress(frame, _WRITE_BYTES)
            while data:
                yield data
                data = stream.decompress(stream.unconsumed_tail, _WRITE_BYTES)
    except zlib.error as error:
        raise delta.damaged(str(error)) from error


def _unpack(
    layout: Layout,
    objects: Sequence[Sequence[object]],
    reader: Reader,
    folder: str,
    note: Callable[[str, bool], None],
    channel: Channel,
    found: dict[int, str],
) -> None:
    progress = _Progress(channel, sum(int(str(entry[1])) for entry in objects))
    for place, (key, size, *base) in enumerate(objects):
        named = len(str(key)) >= HASH_DIGITS or not base
        name, length = check_key(str(key)) if named else check_mode(str(key)), int(str(size))
        if length < 0:
            raise delta.damaged(f"{name[:12]} has a negative length.")
        old = delta.Base(path_of(layout, str(base[0]))) if base else None
        path = f"{folder}/{name}" if named else f"{folder}/{place}.nameless"
        try:
            pieces = delta.applied(reader, old, length) if old else delta.whole(reader, length)
            is_key = _write(path, name, progress.of(pieces))
        finally:
            if old:
                old.close()
        right = is_key == name if named else bool(old and old.whole)
        if not right:
            os.unlink(path)
            if not base:
                raise delta.damaged(f"{name[:12]} has another hash.")
        elif not named:
            os.replace(path, f"{folder}/{is_key}")
            found[place] = is_key
        if right or named:
            note(is_key if right else name, right)
    if not reader.ended:
        raise AgentError("host", "The upload holds more than was announced.", "", "Ship again.")


class _Progress:
    """Tells the client now and then how much has arrived."""

    def __init__(self, channel: Channel, total: int) -> None:
        self._channel = channel
        self._total = total
        self._received = self._reported = 0

    def of(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Hand the pieces on, and count them."""
        for piece in pieces:
            yield piece
            self._received += len(piece)
            if self._received - self._reported >= _REPORT_BYTES:
                self._reported = self._received
                event = {"kind": "progress", "step": "upload", "done": self._received, "total": self._total}
                self._channel.event(event)


def _write(path: str, key: str, pieces: Iterator[bytes]) -> str:
    """Write a content to a file; return its key, with the mode of `key`.

    Without Python's own files: most contents are small, and opening one of those asks the kernel three things more.
    """
    digest = hashlib.sha256()
    waiting = bytearray()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        for piece in pieces:
            digest.update(piece)
            waiting += piece
            if len(waiting) >= _WRITE_BYTES:
                journal.write_all(file, waiting)
                waiting.clear()
        journal.write_all(file, waiting)
        is_key = digest.hexdigest() + "x" * key.endswith("x")
        _set_modes(file, is_key)
    finally:
        os.close(file)
    return is_key


def _set_modes(file: int, key: str) -> None:
    os.fchmod(file, 0o755 if key.endswith("x") else 0o644)
    # nginx makes an ETag of modification time and size. With a time made from the content, equal content has one ETag
    # on every server and in every release, and two contents of equal size do not share one.
    moment = 978_307_200 + int(key[:8], 16) % (1 << 29)  # 2001-01-01 and up to 17 years later
    os.utime(file, (moment, moment))


def _adopt(layout: Layout, folder: str, keys: Sequence[str]) -> None:
    """Move what arrived into the store, but only after it is on the disk: a name in the store is a promise."""
    if not keys:
        return
    os.sync()
    made: set[str] = set()
    for key in keys:
        target = path_of(layout, key)
        if key[:2] not in made:
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            made.add(key[:2])
        os.replace(f"{folder}/{key}", target)


def prune(layout: Layout, wanted: Iterable[str] = ()) -> int:
    """Remove contents that no release and no slot uses; return how many bytes became free.

    What is `wanted` stays: an upload that was broken off goes on with what had arrived.
    """
    kept = set(wanted)
    freed = 0
    for incoming in glob.glob(os.path.join(glob.escape(layout.store), "incoming.*")):
        shutil.rmtree(incoming, ignore_errors=True)
    for entry in _unclaimed(layout):
        if entry.name not in kept:
            freed += entry.stat(follow_symlinks=False).st_size
            os.unlink(entry.path)
    return freed


def unclaimed(layout: Layout) -> list[str]:
    """Return the keys of the contents that no release and no slot uses."""
    return [entry.name for entry in _unclaimed(layout)]


def _unclaimed(layout: Layout) -> Iterator[os.DirEntry[str]]:
    for shard in glob.glob(os.path.join(glob.escape(layout.store), "[0-9a-f]" * 2)):
        for entry in os.scandir(shard):
            if entry.stat(follow_symlinks=False).st_nlink == 1:
                yield entry


def write_error(error: OSError, path: str) -> AgentError:
    """Explain a failed write in the words of disks: full, out of inodes, read-only."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        usage = os.statvfs(path)
        free = usage.f_bavail * usage.f_frsize // 1_000_000
        cause = "no inodes are left" if usage.f_favail == 0 else f"{free} MB are free"
        return AgentError(
            "release",
            f"The disk of the server is full ({cause} on the file system of {path}).",
            str(error),
            "Make room (`inv host.check` shows the disk), or lower `keep` in the target, then ship again.",
        )
    if error.errno == errno.EROFS:
        return AgentError(
            "release",
            f"The disk of the server is read-only (the file system of {error.filename or path}).",
            "Linux does that to a disk on which it found an error.",
            "On the server: `sudo dmesg --level=err`, then `sudo mount -o remount,rw <mount point>` or a reboot.",
        )
    return AgentError("release", f"The server could not write {error.filename or path}.", str(error))
