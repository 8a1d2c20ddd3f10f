"""What a rollout to several servers says of each when one of them fails: only what is known."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_plan import EMPTY, TOML

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.errors import ShipperError
from shipper.events import Emit, Event, discard
from shipper.host.connection import Host
from shipper.host.session import AgentSession
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan, Step
from shipper.pipeline.rollout import Member, roll_out

SERVERS = """
[targets.pair]
host = "one.example.com"
domain = "shop.example.com"
[[targets.pair.more]]
host = "two.example.com"
[[targets.pair.more]]
host = "three.example.com"
"""
NEW = {"id": "20261121T200000Z-abcdef1", "commit": "", "slot": ""}
DONE = {"ok": True, "result": {"live": NEW["id"], "seconds": 1, "trouble": [], "hooks": []}}
LAST = {"event": {"kind": "done", "step": "verify", "text": "seen"}}
REFUSED = {"ok": False, "error": {"kind": "release", "what": "It is not healthy.", "why": "", "fix": ""}}


class Wire:
    """A channel to a server that answers every request in the same way; without an answer the connection is lost."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers, self._said, self.closed = answers, queue.Queue[bytes](), False

    def send(self, data: bytes) -> int:
        self._said.put(b"".join(json.dumps(answer).encode() + b"\n" for answer in self._answers))
        return len(data)

    def recv(self, size: int) -> bytes:
        return self._said.get()

    def recv_stderr(self, size: int) -> bytes:
        return b""


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., list[str]]:
    """Roll out to three servers that answer like this; return what the error says of each."""
    project = parse_project(TOML + SERVERS, "ship.toml")
    job = Job(Workspace(tmp_path, project), "pair", project.targets["pair"])
    plan = Plan("ship", NEW, (Step("switch", "make it live", "server"),))

    def roll(*answers: list[dict[str, Any]], parallel: int = 1, emit: Emit = discard) -> list[str]:
        members = [
            Member(one, AgentSession(Wire(*said), Host(one.server, "deploy", None), print), EMPTY, plan)
            for one, said in zip(job.each, answers, strict=True)
        ]
        with pytest.raises(ShipperError) as failed:
            roll_out(members, parallel, emit)
        return failed.value.why.splitlines()

    return roll


def test_of_a_server_that_was_lost_on_the_way_nobody_says_what_is_live_there(told: Callable[..., list[str]]) -> None:
    lines = told([DONE], [], [DONE])
    assert "two.example.com: lost on the way; it ends by itself what was begun there: inv status" in lines
    assert "three.example.com: not touched" in lines


def test_of_two_servers_that_fail_at_once_both_are_told_of(told: Callable[..., list[str]]) -> None:
    lines = told([DONE], [REFUSED], [REFUSED], parallel=2)
    assert "two.example.com: failed, and keeps what it had" in lines
    assert "three.example.com: failed, and keeps what it had" in lines


def test_a_server_that_was_stopped_too_late_goes_back_with_the_others(told: Callable[..., list[str]]) -> None:
    def stop(event: Event) -> None:
        if event.step == "verify" and event.server == "two.example.com":
            raise KeyboardInterrupt

    lines = told([DONE], [LAST, DONE], [DONE], emit=stop)
    # That is what going back is where nothing was live before.
    kept = f"keeps {NEW['id']}, because nothing was live before"
    assert lines == [
        f"one.example.com: {kept}",
        f"two.example.com: {kept}",
        "three.example.com: not touched",
        *lines[3:],
    ]
