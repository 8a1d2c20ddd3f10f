"""Putting a file together out of an old content and a delta, whose form is told in shipper.deliver.delta.

Nothing here is believed: lengths are held to what was announced, and whoever asks compares the result's hash. Memory is
bounded by one piece.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from .errors import AgentError

_PIECE_BYTES = 1 << 18
# Of a number; nine times seven bits are more than any file has bytes.
_LONGEST_NUMBER = 9


class Reader:
    """Gives a stream of pieces in the lengths that are wanted."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self._at = 0

    def take(self, most: int) -> bytes:
        """Return what comes next, at least one byte and at most `most`. Raises AgentError at the end of the stream."""
        if self._at >= len(self._rest):
            self._rest, self._at = next(self._pieces, b""), 0
            if not self._rest:
                raise AgentError("host", "The upload ended too early.", "", "Ship again: it goes on from here.")
        taken = self._rest[self._at : self._at + most]
        self._at += len(taken)
        return taken

    def exactly(self, size: int) -> bytes:
        """Return the next `size` bytes, which have to be few. Raises AgentError at the end of the stream."""
        taken = bytearray()
        while len(taken) < size:
            taken += self.take(size - len(taken))
        return bytes(taken)

    def number(self) -> int:
        """Return the number that comes next. Raises AgentError when it is longer than one can be."""
        value = 0
        for place in range(_LONGEST_NUMBER):
            if self._at < len(self._rest):  # without a call: there are many of them
                byte = self._rest[self._at]
                self._at += 1
            else:
                byte = self.take(1)[0]
            value |= (byte & 127) << (7 * place)
            if not byte & 128:
                return value
        raise damaged("a number has no end")

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more; waits until that is known."""
        if self._at >= len(self._rest):
            self._rest, self._at = next(self._pieces, b""), 0
        return not self._rest


class Base:
    """An old content; `whole` is False once it turned out not to be there or to be shorter than it should be."""

    def __init__(self, path: str) -> None:
        self.whole = True
        self._file = -1
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.whole = False

    def read(self, place: int, size: int) -> bytes:
        """Return a part of it, `size` bytes in any case: nobody will use what was made of one that is not whole."""
        data = b""
        if self.whole:
            with suppress(OSError, OverflowError, ValueError):
                data = os.pread(self._file, size, place)
        if len(data) != size:
            self.whole = False
            return bytes(size)
        return data

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)


def whole(reader: Reader, size: int) -> Iterator[bytes]:
    """Yield a content of `size` bytes that is sent as it is."""
    while size:
        piece = reader.take(min(size, _PIECE_BYTES))
        size -= len(piece)
        yield piece


def applied(reader: Reader, base: Base, size: int) -> Iterator[bytes]:
    """Yield the content of `size` bytes that the delta makes of `base`. Raises AgentError for an odd one."""
    left, place = size, 0
    while left:
        inserted = reader.number()
        if inserted > left:
            raise damaged("it makes more than was announced")
        yield from whole(reader, inserted)
        left -= inserted
        copied = reader.number()
        if copied > left:
            raise damaged("it makes more than was announced")
        if not inserted and not copied:
            raise damaged("it makes nothing")
        if copied:
            distance = reader.number()
            place += distance >> 1 if not distance & 1 else -((distance + 1) >> 1)
            left -= copied
            while copied:
                piece = base.read(place, min(copied, _PIECE_BYTES))
                place += len(piece)
                copied -= len(piece)
                yield piece


def damaged(why: str) -> AgentError:
    """Return the error for an upload that nobody has sent like that."""
    return AgentError("host", "The upload was damaged on its way.", why, "Ship again.")
