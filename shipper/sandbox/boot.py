"""Waiting until the practice server has booted: systemd has settled, sshd and nginx answer. Always by condition."""

from __future__ import annotations

import socket
import time
from http.client import HTTPConnection, HTTPException
from typing import Any

from shipper.errors import HostError
from shipper.sandbox.state import LOOPBACK, Access

_SECONDS = 60.0
_POLL_SECONDS = 0.1
_REQUEST_SECONDS = 5.0
# A unit that cannot work in a container leaves the system "degraded", which is of no concern to what is shipped.
_SETTLED = {"running", "degraded"}


def wait_until_ready(container: Any, access: Access) -> None:
    """Return when the server can be shipped to. Raises HostError when it is not within a minute, with its log."""
    deadline = time.monotonic() + _SECONDS
    missing = {
        "systemd has started everything": _has_settled,
        "sshd answers": _sshd_answers,
        "nginx answers": _nginx_answers,
    }
    for condition, holds in missing.items():
        while not holds(container, access):
            container.reload()
            if container.status != "running":
                raise _not_ready(container, access, f"It stopped before {condition}.")
            if time.monotonic() > deadline:
                raise _not_ready(
                    container, access, f"After {_SECONDS:.0f} seconds it still is not so that {condition}."
                )
            time.sleep(_POLL_SECONDS)


def _has_settled(container: Any, access: Access) -> bool:
    del access
    from docker.errors import APIError

    try:
        state = container.exec_run(["systemctl", "is-system-running"]).output
    except APIError:
        # Not running (any more): the caller looks at that.
        return False
    return bytes(state).decode("ascii", "replace").strip() in _SETTLED


def _sshd_answers(container: Any, access: Access) -> bool:
    del container
    try:
        with socket.create_connection((LOOPBACK, access.ssh_port), timeout=_REQUEST_SECONDS) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _nginx_answers(container: Any, access: Access) -> bool:
    del container
    connection = HTTPConnection(LOOPBACK, access.http_port, timeout=_REQUEST_SECONDS)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def _not_ready(container: Any, access: Access, reason: str) -> HostError:
    log = bytes(container.logs(tail=15)).decode("utf-8", "replace").strip()
    return HostError(
        f"The practice server '{access.name}' did not come up.",
        why=f"{reason}\n{log}".strip(),
        fix=f"Look at: docker logs {access.name}   For a fresh server: inv sandbox.reset",
    )
