"""Logging in to the practice server with the `ssh` program; everything else uses shipper's own connection."""

from __future__ import annotations

from pathlib import Path

from shipper.sandbox import keys
from shipper.sandbox.state import LOOPBACK, USER, Access


def write_known_hosts(access: Access) -> None:
    """Write down the host key in the form `ssh` reads, so that its first login asks nothing and trusts nobody else."""
    line = f"[{LOOPBACK}]:{access.ssh_port} {keys.public_key(access.host_key_file)}\n"
    _known_hosts(access).write_text(line, encoding="ascii")


def ssh_command(access: Access) -> list[str]:
    """Return the command that logs in as an argument list. The user's own ssh configuration has no part in it."""
    return [
        *("ssh", "-F", "none", "-p", str(access.ssh_port), "-i", str(access.key_file)),
        *("-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"),
        *("-o", f"UserKnownHostsFile={_as_option(_known_hosts(access))}"),
        f"{USER}@{LOOPBACK}",
    ]


def _known_hosts(access: Access) -> Path:
    return access.state_folder / "known_hosts"


def _as_option(path: Path) -> str:
    """Return a path as ssh_config(5) wants a list of files: quoted because of spaces, with percent signs doubled."""
    return '"' + path.as_posix().replace("%", "%%") + '"'
