"""The talk with the agent: large streams, early failures, and clients that vanish without a word."""

from __future__ import annotations

import hashlib
import os
import signal
import zlib
from collections.abc import Iterator

import pytest
from conftest import Exec
from corner import Corner
from test_ship_failures import START, start_ship, state, wait_until_idle

from shipper.errors import ConfigError, HostError
from shipper.host.connection import open_host
from shipper.host.session import AgentSession, open_agent
from shipper.sandbox.server import Sandbox

MEGABYTE = 1 << 20
CHANGE = {"app": "shop", "holder": {"who": "a test"}}
# The agent's own peak, kept by the kernel: proc(5), VmHWM.
AGENTS = "grep -la b64decode /proc/[0-9]*/cmdline | sed s/cmdline/status/"
PEAK = f"exec 2>&-; grep -h VmHWM $({AGENTS}) | sort -k2 -n | tail -1"


@pytest.fixture
def session(clean_server: Sandbox) -> Iterator[AgentSession]:
    with open_host(clean_server.as_target(), "sandbox") as host, open_agent(host, print) as opened:
        opened.call("lock", {**CHANGE, "action": "ship"})
        yield opened


def noise(megabytes: int) -> Iterator[bytes]:
    """Content that does not compress, the same every time."""
    for number in range(megabytes):
        yield hashlib.shake_128(str(number).encode()).digest(MEGABYTE)


def packed(megabytes: int) -> Iterator[bytes]:
    stream = zlib.compressobj(1)
    for piece in noise(megabytes):
        yield stream.compress(piece)
    yield stream.flush()


def test_a_large_stream_arrives_whole_and_the_agent_stays_small(session: AgentSession, sandbox_exec: Exec) -> None:
    megabytes = 150
    digest = hashlib.sha256()
    for piece in noise(megabytes):
        digest.update(piece)
    key = digest.hexdigest()
    request = {**CHANGE, "objects": [[key, megabytes * MEGABYTE]]}
    session.call("upload", request, stream=packed(megabytes), deadline=120)
    assert session.call("missing", {"app": "shop", "keys": [key]}) == []
    assert sandbox_exec(["sha256sum", f"/srv/shop/store/{key[:2]}/{key}"])[1].split()[0] == key
    kilobytes = int(sandbox_exec(["sh", "-c", PEAK])[1].split()[1])
    assert kilobytes <= 64 * 1024


def test_an_agent_that_fails_early_is_heard_while_the_stream_goes_on(session: AgentSession) -> None:
    sent = 0

    def counted() -> Iterator[bytes]:
        nonlocal sent
        for piece in packed(400):
            sent += len(piece)
            yield piece

    wrong = [["0" * 64, 10], ["1" * 64, 400 * MEGABYTE]]
    with pytest.raises(HostError, match="damaged"):
        session.call("upload", {**CHANGE, "objects": wrong}, stream=counted())
    assert sent < 200 * MEGABYTE
    assert session.call("missing", {"app": "shop", "keys": ["0" * 64]}) == ["0" * 64]


def test_what_the_agent_does_not_know_is_an_error_and_not_the_end(session: AgentSession) -> None:
    with pytest.raises(ConfigError, match="does not know"):
        session.call("reboot", {})
    with pytest.raises(ConfigError, match="cannot be the name"):
        session.call("state", {"app": "../etc"})
    assert session.call("state", {"app": "shop"})["live"] == ""


def test_a_connection_that_is_cut_is_told_as_such(session: AgentSession, sandbox_exec: Exec) -> None:
    sandbox_exec(["pkill", "-KILL", "-f", "sshd: deploy"])
    with pytest.raises(HostError, match="was lost"):
        session.call("state", {"app": "shop"})


@pytest.mark.live
@pytest.mark.parametrize("moment", ["... migrate", "... health", "... drain"])
def test_a_client_that_is_killed_leaves_a_whole_release_serving(
    corner: Corner, sandbox_exec: Exec, moment: str
) -> None:
    live = corner.live()
    corner.edit("backend/main.py", START, 'VERSION = "two"')
    client = start_ship(corner)
    assert client.stdout is not None
    assert any(moment in line for line in client.stdout)
    os.kill(client.pid, signal.SIGKILL)
    client.wait()
    wait_until_idle(corner, sandbox_exec)
    # The agent went on by itself: nobody was there any more, and everything was well.
    assert corner.live() != live
    assert '"two"' in corner.get("/api/health")[1]
    assert len(state(sandbox_exec)[1].splitlines()) == 1
    assert "live" in corner.shipper("status").output
    assert "Nothing to do" in corner.ship().output
