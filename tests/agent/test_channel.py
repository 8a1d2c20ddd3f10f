"""What the client says between requests, and which of them it is about."""

from __future__ import annotations

import io
import json
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


def test_an_answer_that_came_too_late_is_not_taken_for_that_to_the_next_question() -> None:
    ours, theirs = os.pipe()
    told = io.BytesIO()
    channel = Channel(os.fdopen(ours, "rb"), told)
    channel.start()
    os.write(theirs, b'{"id": 1}\n')
    next(channel.requests())
    assert channel.ask("public", {}, timeout=0) is None
    os.write(theirs, b'{"id": 1, "answer": {"ok": false}, "number": 1}\n{"id": 1, "answer": "mine", "number": 2}\n')
    assert channel.ask("hook", {}, timeout=60) == "mine"
    channel.flush()
    asked = [message for message in map(json.loads, told.getvalue().splitlines()) if "ask" in message]
    assert [message["number"] for message in asked] == [1, 2]
    os.close(theirs)
