"""A zlib stream (RFC 1950) in which what zlib cannot make smaller stands as it is.

zlib takes as long over a film as over pages, and gains nothing. Stored blocks (RFC 1951, 3.2.4) cost neither side
anything, and whoever reads the stream sees no difference.
"""

from __future__ import annotations

import struct
import zlib

_HEADER = b"\x78\x9c"  # a window of 32 KB, zlib's own level
_STORED = struct.Struct("<BHH")  # no last block, not compressed; the length, and its complement
_LONGEST_BLOCK = 0xFFFF
# A block that is stored parts what is before from what comes after it; in between, nothing is found again.
_WORTH_IT_BYTES = 1 << 16
_SAMPLES, _SAMPLE_BYTES = 4, 1 << 12
# Pictures and fonts gain a percent or two.
_GAIN = 0.03


class Deflater:
    """Compresses pieces into one stream, at a level of zlib. Each method returns what is ready to be sent by then."""

    def __init__(self, level: int) -> None:
        self._raw = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._ready = _HEADER
        self._sum = zlib.adler32(b"")

    def compress(self, piece: bytes) -> bytes:
        """Take the next piece."""
        self._sum = zlib.adler32(piece, self._sum)
        if not _gains_nothing(piece):
            return self._take_ready() + self._raw.compress(piece)
        # Full, so that nothing after it is told by what was before: zlib does not know of the block in between.
        before = self._take_ready() + self._raw.flush(zlib.Z_FULL_FLUSH)
        blocks = (piece[at : at + _LONGEST_BLOCK] for at in range(0, len(piece), _LONGEST_BLOCK))
        return before + b"".join(_STORED.pack(0, len(one), len(one) ^ _LONGEST_BLOCK) + one for one in blocks)

    def flush(self) -> bytes:
        """Hold nothing back of what was taken."""
        return self._take_ready() + self._raw.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """End the stream."""
        return self._take_ready() + self._raw.flush() + struct.pack(">I", self._sum)

    def _take_ready(self) -> bytes:
        ready, self._ready = self._ready, b""
        return ready


def _gains_nothing(piece: bytes) -> bool:
    """Whether compressing a piece is in vain, as far as samples of it tell."""
    if len(piece) < _WORTH_IT_BYTES:
        return False
    starts = range(0, len(piece), len(piece) // _SAMPLES)[:_SAMPLES]
    sample = b"".join(piece[at : at + _SAMPLE_BYTES] for at in starts)
    return len(zlib.compress(sample, 1)) > (1 - _GAIN) * len(sample)
