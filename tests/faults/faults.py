"""The faults: each a thing that happens to a ship while the agent is held between two steps."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from boundaries import let_go
from conftest import Exec
from corner import Corner
from network import Network

from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox import server


@dataclass
class Scene:
    """What a fault can reach: the server, the ship that is held, and the network between them."""

    corner: Corner
    run: Exec
    ship: subprocess.Popen[str]
    network: Network


@dataclass(frozen=True)
class Fault:
    """A column of the matrix.

    `strike` does it and lets the agent go; `mend` takes away what only this test put there, nothing else. `allowed`
    are the failures that no server could have spared its visitors, as patterns of their words. `after` is the first
    step from which on it can happen at all.
    """

    name: str
    strike: Callable[[Scene], None]
    mend: Callable[[Scene], None] = field(default=lambda scene: None)
    allowed: tuple[str, ...] = ()
    after: str = ""


# What visitors see of a machine, or of an nginx, that is not there.
_AWAY = ("*: ConnectionRefusedError", "*: ConnectionResetError", "*: RemoteDisconnected", "*: closed without an answer")
_BROKEN = (*_AWAY, "*: BrokenPipeError", "*: TimeoutError", "*: IncompleteRead")
# What visitors see of a backend whose only copy was killed, until systemd has started it again: nginx without an
# answer to pass on, and one that was cut while nginx passed it on.
KILLED = ("POST /api/note: HTTP 50[24]*", "POST /api/note: IncompleteRead")


def _client_killed(scene: Scene) -> None:
    scene.ship.send_signal(signal.SIGKILL)
    scene.ship.wait()
    let_go(scene.run)


def _network_cut(scene: Scene) -> None:
    scene.network.vanish()
    let_go(scene.run)
    scene.ship.send_signal(signal.SIGKILL)
    scene.ship.wait()


def _agent_killed(scene: Scene) -> None:
    holder = json.loads(scene.run(["cat", f"/srv/{scene.corner.app}/lock"])[1])
    assert scene.run(["kill", "-KILL", str(holder["process"])])[0] == 0
    let_go(scene.run)


def _power_lost(scene: Scene) -> None:
    with connect() as client:
        client.containers.get(scene.corner.sandbox.name).kill()
    server.up(scene.corner.sandbox.name, discard)


def _disk_filled(scene: Scene) -> None:
    scene.run(["sh", "-c", "dd if=/dev/zero of=/srv/corner/shared/filler bs=4k 2>/dev/null"])
    let_go(scene.run)
    scene.ship.wait(timeout=120)


def _disk_emptied(scene: Scene) -> None:
    assert scene.run(["rm", "-f", "/srv/corner/shared/filler"])[0] == 0


def _sshd_stopped(scene: Scene) -> None:
    scene.run(["sh", "-c", "systemctl stop ssh; pkill -KILL sshd"])
    let_go(scene.run)


def _sshd_started(scene: Scene) -> None:
    assert scene.run(["systemctl", "start", "ssh"])[0] == 0


def _nginx_killed(scene: Scene) -> None:
    scene.run(["pkill", "-KILL", "nginx"])
    let_go(scene.run)


def _backend_crashed(scene: Scene) -> None:
    scene.run(["systemctl", "kill", "--signal=KILL", _newest_unit(scene)])
    let_go(scene.run)


_ASK_FOR_TOO_MUCH = """
import socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.settimeout(10)
    asked.connect(sys.argv[1])
    asked.sendall(b"GET /api/hog HTTP/1.1\\r\\nHost: corner\\r\\nConnection: close\\r\\n\\r\\n")
    asked.recv(1000)
"""


def _backend_out_of_memory(scene: Scene) -> None:
    socket = "/run/corner/" + _newest_unit(scene).removeprefix("corner@").replace(".service", ".sock")
    scene.run(["python3", "-c", _ASK_FOR_TOO_MUCH, socket])
    let_go(scene.run)


def _newest_unit(scene: Scene) -> str:
    """Return the unit that was started last: the one of the release that is on its way."""
    units = "systemctl list-units --plain --no-legend --state=active 'corner@*' | cut -d' ' -f1"
    script = f'for unit in $({units}); do systemctl show "$unit" --value -p ActiveEnterTimestampMonotonic -p Id; done'
    values = scene.run(["sh", "-c", script])[1].split()
    pairs = [sorted(values[at : at + 2], key=lambda word: not word.isdigit()) for at in range(0, len(values), 2)]
    return max(pairs, key=lambda pair: int(pair[0]))[1]


FAULTS = (
    Fault("client-killed", _client_killed),
    Fault("network-cut", _network_cut),
    Fault("agent-killed", _agent_killed),
    Fault("power-lost", _power_lost, allowed=(*_BROKEN, *KILLED)),
    Fault("disk-filled", _disk_filled, _disk_emptied, allowed=("POST /api/note: HTTP 500*",)),
    Fault("sshd-stopped", _sshd_stopped, _sshd_started),
    Fault("nginx-killed", _nginx_killed, allowed=_BROKEN),
    Fault("backend-crashed", _backend_crashed, allowed=KILLED, after="health"),
    Fault("backend-out-of-memory", _backend_out_of_memory, allowed=KILLED, after="health"),
)
