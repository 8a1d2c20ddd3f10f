"""When the old copy may be stopped: as soon as the kernel knows of nobody who is connected to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.agent import drain

LONG = 3600.0


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "old.sock"))
        made.listen()
        yield made


def connect(listener: socket.socket) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(listener.getsockname())
    return client


def test_a_connection_counts_from_the_clients_connect_to_the_servers_close(listener: socket.socket) -> None:
    path = listener.getsockname()
    assert drain.connections([path]) == 0
    client = connect(listener)
    assert drain.connections([path]) == 1, "the server has not accepted it yet"
    server, _ = listener.accept()
    assert drain.connections([path]) == 1
    client.close()
    assert drain.connections([path]) == 1, "the server has not ended it yet"
    server.close()
    assert drain.connections([path]) == 0


def test_of_a_socket_under_another_path_nothing_is_known(listener: socket.socket, tmp_path: Path) -> None:
    path = listener.getsockname()
    assert drain.connections([path, str(tmp_path / "other.sock")]) is None
    assert drain.connections([]) == 0, "where nothing runs, nobody is connected"
    listener.close()
    assert drain.connections([path]) is None


def test_the_wait_ends_with_the_last_connection(listener: socket.socket) -> None:
    with connect(listener), listener.accept()[0] as server:
        looks = []

        def look() -> None:
            looks.append(drain.connections([listener.getsockname()]))
            if len(looks) == 2:
                server.close()

        words = drain.wait([listener.getsockname()], time.monotonic(), 0.0, LONG, look)
    assert looks[:2] == [1, 1]
    assert words.startswith("nobody is connected to it any more")


def test_the_wait_takes_no_longer_than_it_may(listener: socket.socket, tmp_path: Path) -> None:
    with connect(listener):
        assert drain.wait([listener.getsockname()], time.monotonic(), 0.0, 0.3, int) == "0.3 s since the switch"
    unknown = [str(tmp_path / "other.sock")]
    assert drain.wait(unknown, time.monotonic(), 0.0, 0.3, int) == "0.3 s since the switch"


def test_a_fixed_time_is_waited_also_for_nobody(listener: socket.socket) -> None:
    assert drain.wait([listener.getsockname()], time.monotonic(), 0.3, 0.3, int) == "0.3 s since the switch"


def test_a_new_copy_that_ended_is_noticed_even_if_the_time_is_over_already(listener: socket.socket) -> None:
    def look() -> None:
        raise RuntimeError("it ended")

    with pytest.raises(RuntimeError, match="it ended"):
        drain.wait([listener.getsockname()], time.monotonic() - LONG, 0.0, 1.0, look)
