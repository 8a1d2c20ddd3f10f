"""A file as what it has in common with another one: copies out of the old content, and what is new in between.

What copies cannot say is left to the stream's zlib, which sees the same new word in a thousand pages. The agent puts
the file together again (shipper.agent.delta) and believes only hashes: the file's, or that of the whole tree.

A delta is a row of: the length of what is new, that many bytes, the length of a copy, and, unless that is 0, where in
the old content it begins, counted from the end of the copy before. Numbers are LEB128, the last one with its sign in
the lowest bit (as in Protocol Buffers, "Encoding"). It ends where the file's length is reached.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator

Old = bytes | mmap.mmap

# What is looked for in the old content, and the distance between two looks: a change that is shorter than their sum is
# found again at once.
_PROBE_BYTES = 24
_STEP_BYTES = 12
# After as many looks in vain the distance grows, so that a file that has nothing in common is soon through.
_PATIENCE = 16
_LARGEST_STEP = 1 << 12
# Mostly the old content goes on near to where it was left; a search of all of it is dear, and has a budget per file.
_NEAR_BYTES = 1 << 12
_FAR_BYTES = 1 << 28
_SHORTEST_COPY = 8
_SHORTEST_SLICE, _LONGEST_SLICE = 256, 1 << 16


def encode(old: Old, new: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the delta that makes `new`, given in pieces, out of `old`. Holds no more than a piece at a time.

    The larger the pieces, the fewer numbers: each begins a copy of its own.
    """
    maker = _Maker(old)
    for piece in new:
        yield from maker.pieces_of(piece)


class _Maker:
    """Where the search stands: how far the old content was used, and what may still be spent on searching all of it."""

    def __init__(self, old: Old) -> None:
        self._old = old
        self._size = len(old)
        self._place = 0  # where the old content most probably goes on
        self._copied = 0  # the end of the last copy, as the agent knows it
        self._budget = _FAR_BYTES

    def pieces_of(self, new: bytes) -> Iterator[bytes]:
        start = at = 0
        while at < len(new):
            length = _common_prefix(new, at, self._old, self._place, min(len(new) - at, self._size - self._place))
            if length >= _SHORTEST_COPY:
                yield self._write(new[start:at], length)
                at += length
                start = at
            if at < len(new):
                found = self._find(new, at)
                if found is None:
                    break
                at, self._place = found
        if start < len(new):
            yield self._write(new[start:], 0)

    def _write(self, inserted: bytes, copied: int) -> bytes:
        written = _number(len(inserted)) + inserted + _number(copied)
        if copied:
            distance = self._place - self._copied
            written += _number(2 * distance if distance >= 0 else -2 * distance - 1)
            self._place = self._copied = self._place + copied
        return written

    def _find(self, new: bytes, at: int) -> tuple[int, int] | None:
        """Return where, from `at` on, the new content has something of the old one, in both; None if nowhere."""
        looks, ahead = 0, at + 1
        while ahead + _PROBE_BYTES <= len(new):
            place = self._search(new[ahead : ahead + _PROBE_BYTES])
            if place >= 0:
                back = _common_suffix(new, ahead, self._old, place, min(ahead - at, place))
                return ahead - back, place - back
            looks += 1
            ahead += min(_STEP_BYTES * (1 + looks // _PATIENCE), _LARGEST_STEP)
        rest = new[max(at, len(new) - _PROBE_BYTES) :]
        back = _common_suffix(new, len(new), self._old, self._size, min(len(rest), self._size))
        return (len(new) - back, self._size - back) if back >= _SHORTEST_COPY else None

    def _search(self, probe: bytes) -> int:
        place = self._old.find(probe, self._place, self._place + _NEAR_BYTES)
        if place < 0 and self._budget > 0:
            self._budget -= self._size
            place = self._old.find(probe)
        return place


def _common_prefix(new: bytes, at: int, old: Old, place: int, limit: int) -> int:
    """Return how many bytes are equal from two places on, by comparing ever longer slices."""
    same, width = 0, _SHORTEST_SLICE
    while same < limit:
        width = min(width, limit - same)
        left, right = new[at + same : at + same + width], old[place + same : place + same + width]
        if left != right:
            unequal = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
            return same + ((unequal & -unequal).bit_length() - 1) // 8  # where the lowest bit is that differs
        same += width
        width = min(4 * width, _LONGEST_SLICE)
    return same


def _common_suffix(new: bytes, end: int, old: Old, place: int, limit: int) -> int:
    same = 0
    while same < limit and new[end - same - 1] == old[place - same - 1]:
        same += 1
    return same


def _number(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)
