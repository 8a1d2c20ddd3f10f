"""A zlib stream in which what does not compress stands as it is, read by zlib itself."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.deliver.deflate import Deflater

FILM = random.Random(7).randbytes(300_000)
PAGE = b"<p>The same words on every page.</p>\n" * 8_000
PIECES = {"film": FILM, "page": PAGE, "short film": FILM[:500], "word": b"word", "": b""}


@given(st.lists(st.sampled_from(sorted(PIECES))), st.integers(0, 9))
def test_whatever_it_is_made_of_zlib_reads_the_stream(names: list[str], level: int) -> None:
    stream = Deflater(level)
    packed = b"".join(stream.compress(PIECES[name]) if name else stream.flush() for name in names) + stream.finish()
    reader = zlib.decompressobj()
    assert reader.decompress(packed) == b"".join(PIECES[name] for name in names)
    assert reader.eof and not reader.unused_data


@pytest.mark.parametrize(
    ("content", "most"),
    [
        pytest.param(FILM, 300_300, id="a film"),
        pytest.param(PAGE, 3_000, id="pages"),
        pytest.param(FILM[:150_000] + PAGE[:150_000], 152_000, id="a file that begins as a film"),
        pytest.param(PAGE[:150_000] + FILM[:150_000], 152_000, id="a file that ends as a film"),
        pytest.param(FILM[:70_000].hex().encode(), 82_000, id="few letters in any order"),
    ],
)
def test_what_can_be_made_smaller_is(content: bytes, most: int) -> None:
    stream = Deflater(6)
    assert len(stream.compress(content) + stream.finish()) < most


def test_what_is_flushed_can_be_read_at_once() -> None:
    stream, reader = Deflater(6), zlib.decompressobj()
    packed = b"".join(stream.compress(piece) for piece in (PAGE, FILM, b"a word"))
    assert reader.decompress(packed + stream.flush()) == PAGE + FILM + b"a word"
