"""One SSH connection to a target's server, through Fabric: ~/.ssh/config, ssh-agent, key, jump host, host key."""

from __future__ import annotations

import logging
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fabric
import paramiko

from shipper.config.handed import SSH_KEY, handed_host_keys, handed_secret
from shipper.config.target import Target
from shipper.errors import HostError
from shipper.host import hostkeys
from shipper.host.failures import explain
from shipper.host.key import parse_key

# It writes tracebacks of what is explained here to standard error.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

# All that paramiko raises when a connection ends: EOFError, too, where it was to send something.
BROKEN = (OSError, EOFError, paramiko.SSHException)
CONNECT_SECONDS = 10
# Shorter than the whole, so that silence is told apart from a negotiation that fails.
_BANNER_SECONDS = 8
_KEEP_ALIVE_SECONDS = 15
_RETRY_SECONDS = (0.3, 0.7, 1.5)
# How long sent bytes may stay unconfirmed before the connection counts as lost, tcp(7).
_SILENCE_MILLISECONDS = 60_000


@dataclass(frozen=True)
class Host:
    """An open connection. `address` is "host:port", `user` who we are there."""

    address: str
    user: str
    transport: Any


@contextmanager
def open_host(target: Target, name: str) -> Iterator[Host]:
    """Connect to the server of the target called `name`; closed when the block ends.

    Raises HostError, a different one for each thing that can go wrong, with the next command to type.
    """
    if not handed_secret(SSH_KEY):
        _check_key_file(target.key)
    connection = _describe(target)
    address = f"{connection.host}:{connection.port}"
    hops = _hops(connection)
    try:
        try:
            transport = _connect(connection, hops, target.host_key, name)
        except paramiko.BadHostKeyException as error:
            found = hostkeys.describe(error.key)
            expected = hostkeys.describe(error.expected_key).fingerprint + " (known_hosts)"
            command = f"ssh-keygen -R {_known_name(connection)}; inv host.trust --to {name}"
            raise hostkeys.changed(error.hostname, expected, found, command) from error
        except BROKEN as error:
            raise explain(error, address, connection.user, _tried(connection)) from error
        yield Host(address, connection.user, transport)
    finally:
        for opened in (connection, *hops):
            opened.close()


def _connect(connection: Any, hops: list[Any], pin: str | None, name: str) -> Any:
    """Open a connection over its jump hosts, each with the host key that is expected of it."""
    handed = handed_host_keys()
    for hop in hops:
        _expect_known_host(hop, handed, name)
    _expect_known_host(connection, (pin,) if pin else handed, name)
    if connection.gateway is None:
        connection.connect_kwargs["sock"] = _open_socket(connection.host, connection.port)
    connection.open()
    transport = connection.client.get_transport()
    transport.set_keepalive(_KEEP_ALIVE_SECONDS)
    return transport


def scan_host_key(target: Target) -> hostkeys.HostKey:
    """Return the key that the target's server shows; nothing but the key exchange happens. Raises HostError."""
    connection = _describe(target)
    address = f"{connection.host}:{connection.port}"
    try:
        transport = paramiko.Transport(_open_socket(connection.host, connection.port))
        transport.banner_timeout = _BANNER_SECONDS
        try:
            transport.start_client(timeout=CONNECT_SECONDS)
            return hostkeys.describe(transport.get_remote_server_key())
        finally:
            transport.close()
    except BROKEN as error:
        raise explain(error, address, connection.user, "none") from error


def _describe(target: Target) -> Any:
    """Return the Fabric connection, not yet open; what the target leaves open comes from ~/.ssh/config."""
    kwargs: dict[str, Any] = {"banner_timeout": _BANNER_SECONDS, "auth_timeout": 2 * CONNECT_SECONDS}
    kwargs["channel_timeout"] = CONNECT_SECONDS
    if handed := handed_secret(SSH_KEY):
        kwargs |= {"pkey": parse_key(handed, SSH_KEY), "look_for_keys": False, "allow_agent": False}
    elif target.key:
        kwargs |= {"key_filename": str(Path(target.key).expanduser()), "look_for_keys": False}
    try:
        # A jump host is tried with the target's key as well as with what ~/.ssh/config says of it.
        jump = target.jump and fabric.Connection(
            target.jump, connect_timeout=CONNECT_SECONDS, connect_kwargs=dict(kwargs)
        )
        return fabric.Connection(
            target.host,
            user=target.user,
            port=target.port,
            gateway=jump or None,
            connect_timeout=CONNECT_SECONDS,
            connect_kwargs=kwargs,
        )
    except (paramiko.ConfigParseError, OSError) as error:
        raise HostError("~/.ssh/config cannot be read.", why=str(error)) from error


def _hops(connection: Any) -> list[Any]:
    """Return the jump hosts, nearest to the target first; a ProxyCommand is none."""
    hops = []
    gateway = connection.gateway
    while isinstance(gateway, fabric.Connection):
        hops.append(gateway)
        gateway = gateway.gateway
    return hops


def _expect_known_host(connection: Any, pins: tuple[str, ...], name: str) -> None:
    """Make Fabric check the host key: by itself it trusts everybody."""
    client = connection.client
    if pins:
        client.set_missing_host_key_policy(hostkeys.Pinned(pins, name))
    else:
        client.load_system_host_keys()
        client.set_missing_host_key_policy(hostkeys.Known(name))


def _known_name(connection: Any) -> str:
    return str(connection.host) if connection.port == 22 else f"[{connection.host}]:{connection.port}"


def _open_socket(host: str, port: int) -> socket.socket:
    """Connect without Nagle's delay, which paramiko leaves on: 44 ms for every channel instead of 2."""
    opened = _connect_patiently(host, port)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_MILLISECONDS)
    return opened


def _connect_patiently(host: str, port: int) -> socket.socket:
    """Connect. Who refuses or resets may be a server that is just starting: it is tried again, later each time."""
    for pause in _RETRY_SECONDS:
        try:
            return socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        except (ConnectionRefusedError, ConnectionResetError):
            time.sleep(pause)
    return socket.create_connection((host, port), timeout=CONNECT_SECONDS)


def _tried(connection: Any) -> str:
    if key := connection.connect_kwargs.get("pkey"):
        public = hostkeys.describe(key)
        return f"{SSH_KEY} ({public.kind} {public.fingerprint})"
    files = connection.connect_kwargs.get("key_filename") or "the usual files of ~/.ssh"
    names = ", ".join(files) if isinstance(files, list) else str(files)
    return f"{names}, and ssh-agent" if os.environ.get("SSH_AUTH_SOCK") else names


def _check_key_file(key: str | None) -> None:
    if not key:
        return
    path = Path(key).expanduser()
    try:
        mode = path.stat().st_mode
        first = path.read_bytes()[:200]
    except OSError as error:
        raise HostError(
            f"The key file {key} cannot be read.", why=str(error), fix="Check `key` in the target."
        ) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise HostError(
            f"The key file {key} is open to others (mode {stat.S_IMODE(mode):04o}).",
            why="Anybody on this machine could use it; ssh refuses such a key, too.",
            fix=f"chmod 600 {path}",
        )
    if first.startswith(b"PuTTY-User-Key-File"):
        raise HostError(
            f"{key} is a key of PuTTY.", fix=f"puttygen {path} -O private-openssh -o {path.with_suffix('.pem')}"
        )
    if first.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        raise HostError(f"{key} is a public key.", fix=f"Set `key` to the private one: {str(key).removesuffix('.pub')}")
