"""The project's compose file, read by Compose itself: includes, anchors, extensions and short forms resolved.

Variables stay as they are written: their values belong to the server and never get into a file that is made here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipper.config.backend import Backend
from shipper.config.project import Workspace
from shipper.errors import ConfigError

# The order in which Compose looks, https://docs.docker.com/compose/intro/compose-application-model/
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_SECONDS = 60
_WHY = "It reads the compose file, so that all of its forms are understood."
_INSTALL = (
    "Install it: apt-get install docker-compose-v2 (Ubuntu), docker-compose-plugin (Docker's packages), "
    "or Docker Desktop"
)

Service = dict[str, Any]


@dataclass(frozen=True)
class ComposeFile:
    """A resolved compose file: where it is, and its services, networks and volumes by name."""

    path: Path
    services: dict[str, Service]
    networks: dict[str, dict[str, Any]]
    volumes: dict[str, dict[str, Any]]


def read_compose(workspace: Workspace, backend: Backend) -> ComposeFile:
    """Let Compose read the project's file. Raises ConfigError when there is none, or Compose does not accept it."""
    path = _find(workspace, backend)
    name = path.relative_to(workspace.root).as_posix()
    argv = [*_compose(), "--project-name", workspace.project.name, "--file", str(path)]
    argv += ["config", "--no-interpolate", "--format", "json"]
    try:
        done = subprocess.run(argv, cwd=workspace.root, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{name} could not be read.", why=str(error)) from None
    if done.returncode != 0:
        raise ConfigError(
            f"Compose does not accept {name}.",
            why=done.stderr.decode("utf-8", "replace").strip(),
            fix=f"Mend it and look at it with: docker compose --file {name} config",
        )
    model = json.loads(done.stdout)
    services = model.get("services") or {}
    for wanted in (backend.service or "", *backend.beside, *(backend.stateful or ())):
        if wanted not in services:
            raise ConfigError(
                f"There is no service '{wanted}' in {name}.",
                why=f"It has {', '.join(sorted(services)) or 'none'}.",
                fix="Correct [backend] in ship.toml.",
            )
    return ComposeFile(path, services, model.get("networks") or {}, model.get("volumes") or {})


def _find(workspace: Workspace, backend: Backend) -> Path:
    names = (backend.compose_file,) if backend.compose_file else _NAMES
    for name in names:
        if (workspace.root / name).is_file():
            return workspace.root / name
    raise ConfigError(
        f"There is no {' or '.join(names)} beside ship.toml.",
        why="runtime = 'compose' runs what a compose file says.",
        fix='Write its path into ship.toml: [backend] compose_file = "...".',
    )


def _compose() -> list[str]:
    """Return the program: the plugin of `docker`, or one of its own (field note S8).

    The first version cannot say what it read in full: it knows no `--format json`, prints its help instead, and calls
    that a success. A server may have it all the same.
    """
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    alone = shutil.which("docker-compose")
    if not alone:
        raise ConfigError("Compose was not found on this machine.", why=_WHY, fix=_INSTALL)
    done = subprocess.run([alone, "version", "--short"], capture_output=True, check=False)
    version = done.stdout.decode("utf-8", "replace").strip()
    if version.startswith("1."):
        raise ConfigError(
            f"Compose on this machine is {version}; at least version 2 is needed here.",
            why=f"{_WHY} The first version does not tell what it read. (On the server it is good enough.)",
            fix=_INSTALL,
        )
    return [alone]
