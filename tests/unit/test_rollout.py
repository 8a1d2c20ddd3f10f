"""Several servers, and somebody who presses Ctrl-C: whatever has ended by then, all of them serve one release."""

from __future__ import annotations

import _thread
import json
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.errors import ConnectionLostError, ReleaseError, ShipperError, StoppedError
from shipper.events import Event
from shipper.host.connection import Host
from shipper.host.kept import KeptHosts
from shipper.host.session import AgentSession
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan, Step
from shipper.pipeline.rollout import Member, roll_out
from shipper.pipeline.server import ServerState

PROJECT = parse_project('name = "shop"\n[frontend]\npreset = "static"\n', "ship.toml")
OLD, NEW = "20261120T000001Z-abcdef1", "20261120T000002Z-abcdef1"
NGINX = {"http": "", "server": ""}
RECORD = {"id": OLD, "state": "good", "slot": "", "nginx": NGINX, "host": "shop.example.com", "paths": ["/"]}
SWITCH = Step("switch", "make it live", "server")
STATE: dict[str, Any] = {
    "live": OLD,
    "releases": [RECORD],
    "slots": [],
    "running": [],
    "environment": {"keys": [], "empty": [], "digest": "", "settings": {}},
    "nginx": NGINX,
    "units": {},
    "migrations": [],
    "memory": 0,
    "facts": {},
    "services": "",
    "lasting": [],
    "containers": {},
    "token": "",
    "unfinished": False,
}


class Server:
    """The channel to a server whose agent does what it is asked for, and hears of a wish to stop too late."""

    closed = False
    fails = False
    loses = False  # the connection, and goes on

    def __init__(self) -> None:
        self.live = OLD
        self._said: queue.Queue[bytes] = queue.Queue()

    def _say(self, message: dict[str, Any]) -> None:
        self._said.put(json.dumps(message).encode() + b"\n")

    def open_session(self, timeout: float) -> Server:
        """Begin to talk to it again, as the transport of a new connection."""
        self.loses = False
        self._said = queue.Queue()
        return self

    def exec_command(self, command: str) -> None:
        self._say({"agent": "ready"})

    def settimeout(self, seconds: float) -> None:
        """Wait for ever."""

    def close(self) -> None:
        """Stay."""

    def send(self, data: bytes) -> int:
        request = json.loads(data)
        if request.get("do") == "lock":
            self._say({"ok": True, "result": {**STATE, "live": self.live}})
        if request.get("do") == "state":
            self._say({"ok": True, "result": {**STATE, "live": self.live}})
        if request.get("do") == "activate" and self.fails:
            self._say({"ok": False, "error": {"kind": "release", "what": "no", "why": "", "fix": ""}})
        elif request.get("do") == "activate":
            self.live = request["with"]["release"]["id"]
            if self.loses:
                self._said.put(b"")
                return len(data)
            self._say({"event": {"kind": "done", "step": "switch", "text": ""}})
            self._say({"ok": True, "result": {"live": self.live, "seconds": 0.1, "trouble": [], "hooks": []}})
        return len(data)

    def recv(self, size: int) -> bytes:
        return self._said.get()

    def recv_stderr(self, size: int) -> bytes:
        return b""


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    more = ({"host": "203.0.113.8"}, {"host": "203.0.113.9"})
    target = Target.model_validate({"host": "203.0.113.7", "domain": "shop.example.com", "more": more})
    job = Job(Workspace(tmp_path, PROJECT), "production", target)
    plan = Plan("ship", {**RECORD, "id": NEW}, (SWITCH,))
    found = []
    for one in job.each:
        session = AgentSession(Server(), Host(one.target.host, "deploy", None), lambda text: None)
        found.append(Member(one, session, ServerState.parse(STATE), plan))
    return found


def waits_for_results() -> bool:
    """Whether the main thread waits for what other threads do."""
    frame = sys._current_frames()[threading.main_thread().ident or 0]
    return any(one.f_code.co_name == "result" for one, _ in traceback.walk_stack(frame))


class Hosts(KeptHosts):
    """Connections to these servers, where one is opened again."""

    def __init__(self, members: list[Member]) -> None:
        self._channels = {member.job.target.host: member.session._channel for member in members}

    @contextmanager
    def reach(self, target: Target, name: str) -> Iterator[Host]:
        yield Host(target.host, "deploy", self._channels[target.host])


@pytest.fixture
def reachable(members: list[Member]) -> list[Member]:
    """The same servers, which can be reached again when a connection to them is lost."""
    hosts = Hosts(members)
    return [replace(member, job=replace(member.job, hosts=hosts)) for member in members]


def live(members: list[Member]) -> list[str]:
    return [member.session._channel.live for member in members]


@pytest.mark.parametrize(("number", "ends"), [(0, [OLD] * 3), (1, [OLD] * 3), (2, [NEW] * 3)])
def test_a_ctrl_c_that_comes_too_late_for_one_server_leaves_all_with_the_same_release(
    members: list[Member], number: int, ends: list[str]
) -> None:
    stopped = []

    def emit(event: Event) -> None:
        if event.server == members[number].job.server and event.kind == "done" and not stopped:
            stopped.append(event)
            raise KeyboardInterrupt

    with pytest.raises(StoppedError):
        roll_out(members, 1, emit)
    assert stopped
    assert live(members) == ends


@pytest.mark.parametrize("failing", [False, True], ids=["all had switched", "one had not"])
def test_a_ctrl_c_while_several_servers_switch_at_once_waits_for_all_of_them(
    members: list[Member], failing: bool
) -> None:
    members[2].session._channel.fails = failing
    pressed = threading.Event()

    def emit(event: Event) -> None:
        if event.server == members[1].job.server and event.kind == "done" and not pressed.is_set():
            pressed.set()
            while not waits_for_results():
                time.sleep(0.001)
            _thread.interrupt_main()

    with pytest.raises(ShipperError):
        roll_out(members, 2, emit)
    assert pressed.is_set()
    assert live(members) == [OLD] * 3 if failing else [NEW] * 3


def test_a_server_that_went_live_after_its_connection_was_lost_goes_back_too(
    reachable: list[Member],
) -> None:
    reachable[1].session._channel.loses = True
    with pytest.raises(ConnectionLostError) as lost:
        roll_out(reachable, 1, lambda event: None)
    assert live(reachable) == [OLD] * 3
    assert lost.value.why.splitlines() == [
        f"203.0.113.7: went back to {OLD}",
        f"203.0.113.8: went back to {OLD}",
        "203.0.113.9: not touched",
    ]


def test_of_two_servers_that_fail_at_once_each_is_told_of_and_taken_back(reachable: list[Member]) -> None:
    reachable[1].session._channel.fails = reachable[2].session._channel.loses = True
    with pytest.raises(ReleaseError) as failed:
        roll_out(reachable, 2, lambda event: None)
    assert live(reachable) == [OLD] * 3
    assert failed.value.why.splitlines() == [
        f"203.0.113.7: went back to {OLD}",
        "203.0.113.8: failed, and keeps what it had",
        f"203.0.113.9: went back to {OLD}",
    ]
