"""Deltas: what one side makes, the other side turns into the same file again; and what was never made is refused."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server import Client, make_layout

from shipper.agent import store
from shipper.agent.delta import Base, Reader, applied
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout
from shipper.deliver.delta import encode

# Few different bytes, so that there is much to be found; and long enough to be cut in the middle of everything.
CONTENTS = st.lists(st.sampled_from([b"<p>", b"abc", b"0123456789" * 5, b"\0", b"xyz" * 30]), max_size=40).map(b"".join)


def together(old: bytes, deltas: bytes, size: int) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        file.write(old)
        file.flush()
        base = Base(file.name)
        try:
            made = b"".join(applied(Reader(iter([deltas])), base, size))
        finally:
            base.close()
    assert base.whole
    return made


@settings(max_examples=300, deadline=None)
@given(CONTENTS, CONTENTS, st.integers(1, 400))
def test_any_content_comes_back_from_any_other_one(old: bytes, new: bytes, piece: int) -> None:
    pieces = [new[at : at + piece] for at in range(0, len(new), piece)]
    assert together(old, b"".join(encode(old, pieces)), len(new)) == new


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 80), st.binary(max_size=80))))
def test_edits_of_a_content_come_back(old: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    new = old
    for place, removed, added in edits:
        new = new[:place] + added + new[place + removed :]
    assert together(old, b"".join(encode(old, [new] if new else [])), len(new)) == new


def page(number: int, script: str) -> bytes:
    words = " ".join(hashlib.sha256(f"{number} {row}".encode()).hexdigest() for row in range(100))
    return f'<html><script src="/{script}.js"></script>{words}<script>load("{script}")</script></html>'.encode()


def test_a_word_that_changed_in_a_page_costs_some_bytes_and_not_the_page() -> None:
    old, new = page(1, "main-0a1b2c3d"), page(1, "main-4e5f6071")
    assert len(b"".join(encode(old, [new]))) < 60


def test_what_moved_to_another_place_is_found() -> None:
    parts = [os.urandom(5000) for _ in range(8)]
    old, new = b"".join(parts), b"".join(reversed(parts))
    assert len(b"".join(encode(old, [new]))) < 500


def test_nothing_in_common_costs_next_to_nothing_more_than_the_content() -> None:
    old, new = os.urandom(300_000), os.urandom(300_000)
    assert len(b"".join(encode(old, [new]))) < 300_100


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_layout(tmp_path)


OLD = page(2, "main-0a1b2c3d")
NEW = page(2, "main-4e5f6071")


def key_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def receive(layout: Layout, *sent: tuple[object, ...], stream: bytes) -> list[str]:
    return store.receive(layout, [list(entry) for entry in sent], [zlib.compress(stream)], Client().channel)


def put(layout: Layout, content: bytes) -> str:
    key = key_of(content)
    assert receive(layout, (key, len(content)), stream=content) == []
    return key


def test_a_delta_becomes_the_content_beside_others_that_come_whole(layout: Layout) -> None:
    base, other = put(layout, OLD), b"something else"
    stream = other + b"".join(encode(OLD, [NEW])) + other[::-1]
    sent = [(key_of(other), 14), (key_of(NEW), len(NEW), base), (key_of(other[::-1]), 14)]
    assert receive(layout, *sent, stream=stream) == []
    assert Path(store.path_of(layout, key_of(NEW))).read_bytes() == NEW


def missing_base(path: Path) -> None:
    path.unlink()


def shorter_base(path: Path) -> None:
    path.write_bytes(OLD[:100])


def other_base(path: Path) -> None:
    path.write_bytes(OLD.replace(b"a", b"b"))


def unreadable_base(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [missing_base, shorter_base, other_base, unreadable_base])
def test_a_base_that_is_not_what_it_should_be_costs_this_content_and_no_other(layout: Layout, harm: object) -> None:
    base, other = put(layout, OLD), b"something else"
    assert callable(harm)
    harm(Path(store.path_of(layout, base)))
    stream = b"".join(encode(OLD, [NEW])) + other
    lacking = receive(layout, (key_of(NEW), len(NEW), base), (key_of(other), 14), stream=stream)
    assert lacking == [key_of(NEW)]
    assert store.missing(layout, [key_of(NEW), key_of(other)]) == [key_of(NEW)]
    assert not [name for name in os.listdir(layout.store) if name.startswith("incoming")]


def number(value: int) -> bytes:
    written = b""
    while value > 127:
        written += bytes([value & 127 | 128])
        value >>= 7
    return written + bytes([value])


def hostile() -> Iterator[tuple[str, bytes]]:
    yield "inserts more than was announced", number(1 << 40) + b"x" * 50
    yield "copies more than was announced", number(0) + number(1 << 40) + number(0)
    yield "makes nothing, for ever", (number(0) + number(0)) * 1000
    yield "a number without an end", b"\xff" * 50
    yield "ends in the middle of a number", b"\xff"
    yield "ends in the middle of what is new", number(50) + b"x"
    yield "ends before its length", number(10) + b"0123456789" + number(0)
    yield "nothing at all", b""


@pytest.mark.parametrize("stream", [stream for _, stream in hostile()], ids=[name for name, _ in hostile()])
def test_a_delta_that_nobody_made_is_refused_and_writes_no_more_than_was_announced(
    layout: Layout, stream: bytes
) -> None:
    base = put(layout, OLD)
    with pytest.raises(AgentError, match=r"damaged|ended too early"):
        receive(layout, (key_of(NEW), len(NEW), base), stream=stream)
    assert store.missing(layout, [key_of(NEW), base]) == [key_of(NEW)]


@pytest.mark.parametrize(
    "place",
    [2 * 10**9, 2 * 10**9 + 1, (1 << 63) - 1],
    ids=["behind the end", "before the beginning", "beyond any file"],
)
def test_a_copy_from_outside_of_the_base_makes_nothing_that_is_kept(layout: Layout, place: int) -> None:
    base = put(layout, OLD)
    stream = number(0) + number(len(NEW)) + number(place)
    assert receive(layout, (key_of(NEW), len(NEW), base), stream=stream) == [key_of(NEW)]
    assert store.missing(layout, [key_of(NEW)]) == [key_of(NEW)]


@pytest.mark.parametrize("entry", [("../../etc/passwd", 5), (key_of(NEW), -1), (key_of(NEW), 5, "../../etc/shadow")])
def test_names_and_lengths_that_cannot_be_are_refused(layout: Layout, entry: tuple[object, ...]) -> None:
    with pytest.raises(AgentError, match=r"not a content hash|damaged"):
        receive(layout, entry, stream=b"12345")


def test_what_arrived_as_a_delta_before_the_stream_broke_off_is_kept(layout: Layout) -> None:
    base = put(layout, OLD)
    contents = [OLD.replace(b"load", os.urandom(40).hex().encode()) for _ in range(20)]
    deltas = [b"".join(encode(OLD, [content])) for content in contents]
    sent = [(key_of(content), len(content), base) for content in contents]
    with pytest.raises(AgentError, match="ended too early"):
        receive(layout, *sent, stream=b"".join(deltas[:10]) + deltas[10][:7])
    there = {entry[0] for entry in sent} - set(store.missing(layout, [str(entry[0]) for entry in sent]))
    assert there == {key_of(content) for content in contents[:10]}
