"""The practice server's life: up, down, reset, and whether it is there."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, fields

from shipper.engine import connect
from shipper.errors import HostError
from shipper.events import Emit, Event
from shipper.sandbox import keys
from shipper.sandbox.boot import wait_until_ready
from shipper.sandbox.container import create_container, find_container, start_container
from shipper.sandbox.image import ensure_image
from shipper.sandbox.login import write_known_hosts
from shipper.sandbox.state import (
    DEFAULT_NAME,
    LOOPBACK,
    Access,
    host_key_file,
    key_file,
    load_access,
    save_access,
    state_folder,
)

_PREFERRED_SSH_PORT = 2222
_PREFERRED_HTTP_PORT = 8080
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Sandbox(Access):
    """A practice server: how it is reached, and whether it is running."""

    running: bool


def find(name: str) -> Sandbox | None:
    """Return the practice server `name`, None when there never was one.

    Raises HostError when the Docker engine cannot be asked, ConfigError when the state on this machine is damaged.
    """
    access = load_access(name)
    if access is None:
        return None
    with connect() as client:
        container = find_container(client, name)
        return _sandbox(access, running=container is not None and container.status == "running")


def up(name: str, emit: Emit) -> Sandbox:
    """Start the practice server `name` and return when it can be shipped to; safe to repeat.

    A server that was stopped comes back with everything on it. One that was made by an older recipe than this
    version's is replaced by a fresh one. Raises HostError when there is no Docker engine, when the server's keys are
    lost, and when it does not come up.
    """
    with connect() as client:
        access = load_access(name)
        container = find_container(client, name)
        if container is not None and access is None:
            raise HostError(
                f"The practice server '{name}' is there, but its keys are not.",
                why=f"Without what was in {state_folder(name)}, nobody can log in to it.",
                fix="Type: inv sandbox.reset   for a fresh server with new keys.",
            )
        image = ensure_image(client, emit)
        if container is not None and container.attrs["Config"]["Image"] != image:
            emit(Event("note", "sandbox.up", "The practice server's recipe has changed; a fresh one takes its place."))
            container.remove(force=True)
            container = None
        if container is None:
            access = _remember_access(name, access)
            container = create_container(client, access, image)
        assert access is not None
        if container.status != "running":
            start_container(container, access)
        wait_until_ready(container, access)
    return _sandbox(access, running=True)


def down(name: str) -> None:
    """Stop the practice server `name` in good order; what is on it stays. Without one, nothing happens."""
    with connect() as client:
        container = find_container(client, name)
        if container is not None:
            container.stop(timeout=_STOP_SECONDS)


def reset(name: str, emit: Emit) -> Sandbox:
    """Replace the practice server `name` by a fresh one with the same address, key and host key.

    Raises HostError like `up`.
    """
    with connect() as client:
        container = find_container(client, name)
        if container is not None:
            container.remove(force=True)
    return up(name, emit)


def _sandbox(access: Access, *, running: bool) -> Sandbox:
    return Sandbox(**{field.name: getattr(access, field.name) for field in fields(access)}, running=running)


def _remember_access(name: str, known: Access | None) -> Access:
    """Return the known access, with other ports where its own are taken, or a new one with new keys; it is on disk."""
    folder = state_folder(name)
    if known is None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        keys.create_key(key_file(folder))
        keys.create_key(host_key_file(folder))
    ssh_port, http_port = (known.ssh_port, known.http_port) if known else _preferred_ports(name)
    access = Access(
        name=name,
        state_folder=folder,
        ssh_port=_free_port(ssh_port),
        http_port=_free_port(http_port),
        key_file=key_file(folder),
        host_key_fingerprint=keys.fingerprint(keys.public_key(host_key_file(folder))),
    )
    write_known_hosts(access)
    save_access(access)
    return access


def _preferred_ports(name: str) -> tuple[int, int]:
    """Return the ports that are easy to remember for the server that people look at, 0 for any other."""
    return (_PREFERRED_SSH_PORT, _PREFERRED_HTTP_PORT) if name == DEFAULT_NAME else (0, 0)


def _free_port(wanted: int) -> int:
    """Return `wanted` when nobody listens there, otherwise any free port of the loopback interface."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            if sys.platform != "win32":
                # Connections that ended a moment ago, to the server that is replaced, do not occupy its port. Windows
                # means something else by this option: it would let two programs listen.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise HostError("This machine has no free port left.", fix="Look at what listens here: netstat -an")
