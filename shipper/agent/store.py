"""The store: file contents by hash. Releases and slots are hard links into it, so equal content exists once.

A key is the SHA-256 of the content, followed by `x` for a file that may be executed: hard links share their mode.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from .channel import Channel
from .errors import AgentError
from .layout import Layout

KEY = re.compile(r"[0-9a-f]{64}x?")
_WRITE_BYTES = 1 << 18
_REPORT_BYTES = 1 << 20


def _ignore(key: str, path: str) -> None:
    """Take note of an arrival and do nothing."""


def path_of(layout: Layout, key: str) -> str:
    """Return the file of a key. Raises AgentError when it is not a key."""
    return os.path.join(layout.store, check_key(key)[:2], key)


def check_key(key: str) -> str:
    """Return the key, which becomes a part of paths. Raises AgentError when it is none."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise AgentError("config", f"{key!r} is not a content hash.")
    return key


def missing(layout: Layout, keys: Iterable[str]) -> list[str]:
    """Return the keys, in their order, whose content the store does not have."""
    return [key for key in keys if not os.path.exists(path_of(layout, key))]


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
    damaged = []
    for key in keys:
        path = path_of(layout, key)
        if os.path.exists(path) and _hash_of(path) != key[:64]:
            os.unlink(path)
            damaged.append(key)
    return damaged


def _hash_of(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(_WRITE_BYTES):
                digest.update(piece)
    except OSError:  # the disk cannot read it any more
        return ""
    return digest.hexdigest()


def receive(
    layout: Layout,
    objects: Sequence[Sequence[object]],
    frames: Iterable[bytes],
    channel: Channel,
    on_arrival: Callable[[str, str], None] = _ignore,
) -> None:
    """Take the contents of `objects`, each `[key, size in bytes]`, from one zlib stream that holds them end to end.

    Each content is verified against its key. What arrived whole is kept even when the stream breaks off, so the next
    attempt sends only the rest. All of it is on the disk when this returns. `on_arrival` hears of each content at once:
    its key, and the file that has it until all of them get their places. Raises AgentError.
    """
    incoming = os.path.join(layout.store, f"incoming.{os.getpid()}")
    os.makedirs(incoming, mode=0o700, exist_ok=True)
    arrived: list[str] = []

    def note(key: str) -> None:
        arrived.append(key)
        on_arrival(key, os.path.join(incoming, key))

    try:
        _unpack(objects, _inflate(frames), incoming, note, channel)
    except OSError as error:
        raise write_error(error, layout.root) from error
    finally:
        _adopt(layout, incoming, list(dict.fromkeys(arrived)))
        shutil.rmtree(incoming, ignore_errors=True)


def _inflate(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress piece by piece, never more than `_WRITE_BYTES` at a time however well it was compressed."""
    stream = zlib.decompressobj()
    try:
        for frame in frames:
            data = stream.decompress(frame, _WRITE_BYTES)
            while data:
                yield data
                data = stream.decompress(stream.unconsumed_tail, _WRITE_BYTES)
    except zlib.error as error:
        raise AgentError("host", "The upload was damaged on its way.", str(error), "Ship again.") from error


def _unpack(
    objects: Sequence[Sequence[object]],
    pieces: Iterator[bytes],
    folder: str,
    note: Callable[[str], None],
    channel: Channel,
) -> None:
    rest = b""
    total = sum(int(str(size)) for _, size in objects)
    received = reported = 0
    for key, size in objects:
        name, left = str(key), int(str(size))
        digest = hashlib.sha256()
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            while left:
                if not rest:
                    rest = next(pieces, b"")
                    if not rest:
                        raise AgentError("host", "The upload ended too early.", "", "Ship again: it goes on from here.")
                piece, rest = rest[:left], rest[left:]
                file.write(piece)
                digest.update(piece)
                left -= len(piece)
                received += len(piece)
                if received - reported >= _REPORT_BYTES:
                    reported = received
                    channel.event({"kind": "progress", "step": "upload", "done": received, "total": total})
            file.flush()  # a later write would set the time anew
            _set_modes(file.fileno(), name)
        if digest.hexdigest() != name[:64]:
            raise AgentError(
                "host", "The upload was damaged on its way.", f"{name[:12]} has another hash.", "Ship again."
            )
        note(name)
    if rest or next(pieces, b""):
        raise AgentError("host", "The upload holds more than was announced.", "", "Ship again.")


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
    for key in keys:
        target = path_of(layout, key)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        os.replace(os.path.join(folder, key), target)


def prune(layout: Layout, wanted: Iterable[str] = ()) -> int:
    """Remove contents that no release and no slot uses; return how many bytes became free.

    What is `wanted` stays: an upload that was broken off goes on with what had arrived.
    """
    kept = set(wanted)
    freed = 0
    with suppress(FileNotFoundError):
        for shard in os.scandir(layout.store):
            if shard.name.startswith("incoming."):
                shutil.rmtree(shard.path, ignore_errors=True)
                continue
            for entry in os.scandir(shard.path):
                stat = entry.stat(follow_symlinks=False)
                if stat.st_nlink == 1 and entry.name not in kept:
                    os.unlink(entry.path)
                    freed += stat.st_size
    return freed


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
