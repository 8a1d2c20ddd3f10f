"""What this machine remembers about a practice server: its ports and keys. Nothing here talks to Docker.

The state outlives the container, so that the address, the key and the pinned host key stay what they were.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shipper.errors import ConfigError

if TYPE_CHECKING:
    from shipper.config.target import Target

DEFAULT_NAME = "shipper-sandbox"
NAME_VARIABLE = "SHIPPER_SANDBOX"
USER = "deploy"
# Ports are published here and nowhere else: a practice server is nobody else's business.
LOOPBACK = "127.0.0.1"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FORMAT = 1


@dataclass(frozen=True)
class Access:
    """How a practice server is reached. Both ports are on the loopback interface only.

    `host_key_fingerprint` is `SHA256:...` as OpenSSH prints it; it was known before the server existed.
    """

    name: str
    state_folder: Path
    ssh_port: int
    http_port: int
    key_file: Path
    host_key_fingerprint: str

    @property
    def url(self) -> str:
        """The address visitors use."""
        return f"http://{LOOPBACK}:{self.http_port}"

    @property
    def user(self) -> str:
        """The user who logs in, and who may become root without a password."""
        return USER

    @property
    def host_key_file(self) -> Path:
        """The server's private host key, which is put into every container of this name."""
        return host_key_file(self.state_folder)

    def as_target(self) -> Target:
        """Return the target `sandbox`, as `ship.toml` would describe it."""
        from shipper.config.target import Target

        return Target(
            host=LOOPBACK,
            user=self.user,
            port=self.ssh_port,
            key=str(self.key_file),
            host_key=self.host_key_fingerprint,
            domain=LOOPBACK,
            url=self.url,
            env_file=".env.sandbox",
        )


def chosen_name() -> str:
    """Return the name of the practice server that is meant: $SHIPPER_SANDBOX, or the default.

    Raises ConfigError when it could not be the name of a container and of a folder.
    """
    name = os.environ.get(NAME_VARIABLE) or DEFAULT_NAME
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{NAME_VARIABLE}={name!r} cannot be the name of a practice server.",
            why="It names a container and a folder: small letters, digits and hyphens, at most 63.",
            fix=f"Unset {NAME_VARIABLE}, or set it to a name such as {DEFAULT_NAME}-2.",
        )
    return name


def state_folder(name: str) -> Path:
    """Return the folder of the practice server `name`; it may not be there."""
    from platformdirs import user_data_path  # `--list` imports this module

    return user_data_path("shipper", appauthor=False) / "sandbox" / name


def key_file(folder: Path) -> Path:
    """Return the path of the private key that logs in."""
    return folder / "id_ed25519"


def host_key_file(folder: Path) -> Path:
    """Return the path of the private key that the server shows."""
    return folder / "ssh_host_ed25519_key"


def load_access(name: str) -> Access | None:
    """Return how the practice server `name` is reached, None when there never was one.

    Raises ConfigError when the state is damaged: without it nobody can log in.
    """
    folder = state_folder(name)
    try:
        text = _record(folder).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        content = json.loads(text)
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']!r} is not known to this version")
        access = Access(
            name=name,
            state_folder=folder,
            ssh_port=int(content["ssh_port"]),
            http_port=int(content["http_port"]),
            key_file=key_file(folder),
            host_key_fingerprint=str(content["host_key"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"What is remembered about the practice server '{name}' cannot be read.",
            why=f"{_record(folder)}: {error}",
            fix=f"Delete the folder {folder} and type: inv sandbox.reset",
        ) from error
    return access if key_file(folder).is_file() and host_key_file(folder).is_file() else None


def load_target(name: str) -> Target | None:
    """Return the practice server `name` as a target, None when there is none yet. Takes milliseconds."""
    access = load_access(name)
    return access.as_target() if access else None


def save_access(access: Access) -> None:
    """Remember `access`. The record replaces the old one in one step and is written after the keys it speaks of."""
    record = _record(access.state_folder)
    content = {
        "format": _FORMAT,
        "ssh_port": access.ssh_port,
        "http_port": access.http_port,
        "host_key": access.host_key_fingerprint,
    }
    scratch = record.with_name(f"{record.name}.{os.getpid()}")
    scratch.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    scratch.replace(record)


def _record(folder: Path) -> Path:
    return folder / "sandbox.json"
