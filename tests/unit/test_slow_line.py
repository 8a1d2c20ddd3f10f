"""The slow line of the benchmarks: what passes through it, and when, by a clock that the test sets."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from benchmarks.link import LOOPBACK, SEGMENT, Link, Window, Wire

MBIT = 1e6
# What a full segment takes of the line, with its headers, in bits.
FRAME = (SEGMENT + 66) * 8


@pytest.fixture
def link() -> Iterator[Link]:
    with Link(round_trip=0.002, rate=1e9) as made:
        yield made


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((LOOPBACK, 0)) as made:
        yield made


def read_all(source: socket.socket) -> bytes:
    pieces = []
    while piece := source.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def test_both_directions_carry_what_was_sent_and_count_it(link: Link, listener: socket.socket) -> None:
    question, answer = os.urandom(3_000_000), os.urandom(1_000_000)
    heard = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(read_all(connection))
            connection.sendall(answer)

    server = threading.Thread(target=serve)
    server.start()
    with socket.create_connection((LOOPBACK, link.door(listener.getsockname()[1])), timeout=30) as client:
        client.sendall(question)
        client.shutdown(socket.SHUT_WR)  # the end of one direction leaves the other as it is
        assert read_all(client) == answer
    server.join()
    assert heard == [question]
    assert (link.sent, link.received) == (len(question), len(answer))


def test_a_door_to_a_port_where_nobody_listens_closes(link: Link, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    client = socket.create_connection((LOOPBACK, link.door(port)), timeout=30)
    with client, suppress(ConnectionResetError):
        assert client.recv(1) == b""


def test_a_server_that_goes_away_ends_the_connection_of_a_client_that_says_nothing(
    link: Link, listener: socket.socket
) -> None:
    with socket.create_connection((LOOPBACK, link.door(listener.getsockname()[1])), timeout=30) as client:
        listener.accept()[0].close()
        assert client.recv(1) == b""


@pytest.mark.parametrize(
    ("sizes", "arrives"),
    [
        pytest.param([SEGMENT], FRAME / MBIT + 0.02, id="one-segment"),
        pytest.param([1], 67 * 8 / MBIT + 0.02, id="a-byte-with-its-headers"),
        pytest.param([2 * SEGMENT], 2 * FRAME / MBIT + 0.02, id="two-segments-at-once"),
        pytest.param([SEGMENT, SEGMENT], 2 * FRAME / MBIT + 0.02, id="two-segments-one-behind-the-other"),
    ],
)
def test_what_is_sent_arrives_after_what_was_before_it_and_the_delay(sizes: list[int], arrives: float) -> None:
    wire = Wire(rate=MBIT, delay=0.02)
    moments = [wire.send(size, now=0.0) for size in sizes]
    assert moments[-1] == pytest.approx(arrives)
    assert wire.carried == sum(sizes)


def test_a_line_that_was_idle_sends_at_once() -> None:
    wire = Wire(rate=MBIT, delay=0.02)
    wire.send(SEGMENT, now=0.0)
    assert wire.send(SEGMENT, now=10.0) == pytest.approx(10.0 + FRAME / MBIT + 0.02)


def test_a_sender_begins_with_ten_segments_doubles_with_every_round_trip_and_has_a_limit() -> None:
    window = Window(most=50 * SEGMENT, round_trip=0.04)
    rooms = []
    for number in range(5):
        now = number * 0.04
        room = window.room
        rooms.append(room // SEGMENT)
        for _ in range(room // SEGMENT):
            window.send(SEGMENT, now)
        assert window.room == 0
        for _ in range(room // SEGMENT):
            window.confirm(SEGMENT)
    assert rooms == [10, 20, 40, 50, 50]


def test_a_line_that_holds_less_than_a_sender_begins_with_is_filled_and_never_overfilled() -> None:
    window = Window(most=5 * SEGMENT, round_trip=0.04)
    for size in (SEGMENT, 9 * SEGMENT):
        window.send(size, now=0.0)
    window.confirm(SEGMENT)
    assert window.room == SEGMENT


def test_a_sender_that_made_a_pause_begins_again_with_ten_segments() -> None:
    window = Window(most=100 * SEGMENT, round_trip=0.04)
    window.send(10 * SEGMENT, now=0.0)
    window.confirm(10 * SEGMENT)
    window.send(SEGMENT, now=0.05)
    assert window.room == 19 * SEGMENT
    window.confirm(SEGMENT)
    window.send(SEGMENT, now=1.0)
    assert window.room == 9 * SEGMENT


def test_a_sender_of_small_messages_is_not_trusted_with_more() -> None:
    window = Window(most=100 * SEGMENT, round_trip=0.04)
    for number in range(50):
        window.send(100, now=number * 0.04)
        window.confirm(100)
    assert window.room == 10 * SEGMENT


def test_a_round_trip_that_somebody_waited_for_is_counted_and_what_is_sent_meanwhile_is_not() -> None:
    down = Wire(MBIT, 0.02)
    up = Wire(MBIT, 0.02, down)
    up.send(100, 1.0)
    up.send(100, 1.001)
    assert up.turns == 0, "nothing was heard yet"
    down.delivered = 1.05
    up.send(100, 1.051)
    assert up.turns == 1
    down.delivered = 1.06
    up.send(100, 1.07)
    assert up.turns == 1, "who goes on at once has not waited"
