"""What the client says between requests, and which of them it is about."""

from __future__ import annotations

import io
import os

import pytest

from shipper.agent.channel import Channel


@pytest.mark.parametrize(
    ("lines", "stops"),
    [
        (b'{"id": 1}\n{"cancel": true}\n', True),
        (b'{"id": 1}\n{"cancel": true}\n{"id": 2}\n', False),
        (b'{"id": 1}\n{"cancel": true}\n{"id": 2}\n{"cancel": true}\n', True),
    ],
)
def test_a_wish_to_stop_is_about_the_request_before_it_and_no_later_one(lines: bytes, stops: bool) -> None:
    ours, theirs = os.pipe()
    channel = Channel(os.fdopen(ours, "rb"), io.BytesIO())
    os.write(theirs, lines)
    os.close(theirs)
    channel.start()
    assert len(list(channel.requests())) == lines.count(b"id")
    assert channel.cancelled is stops
