"""The unit of a backend, and the properties with which its one-off commands (migrate, collectstatic) run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shipper.config.backend import Backend
from shipper.render.templates import fill

# Needs no quotes in ExecStart=, systemd.service(5) "Command lines".
_BARE = re.compile(r"[A-Za-z0-9_./:=@,+{}-]+")


COMPOSE_FILE = "compose.json"


def backend_unit(app: str, backend: Backend, python: str) -> str:
    """Return the unit template of the app. `python` is the absolute path of the server's interpreter (S1)."""
    line = " ".join(map(_quoted, with_python(backend.start_command, python))).replace("{socket}", f"/run/{app}/%i.sock")
    return fill("systemd/app@.service.j2", app=app, command=line, memory=backend.memory)


def boot_unit(app: str) -> str:
    """Return the unit that starts, after a reboot, the slot of the live release."""
    return fill("systemd/app.service.j2", app=app)


def compose_unit(app: str, compose: Sequence[str]) -> str:
    """Return the unit template of an app in containers. `compose` is how Compose is called on the server."""
    words = [*compose, "--project-name", f"{app}-%i", "--file", COMPOSE_FILE]
    return fill("systemd/compose@.service.j2", app=app, compose=" ".join(words))


def proxy_units(app: str) -> dict[str, str]:
    """Return the templates of the unix socket in front of a container's port, and of what is between the two."""
    return {
        "socket": fill("systemd/proxy@.socket.j2", app=app),
        "proxy": fill("systemd/proxy@.service.j2", app=app),
    }


def _quoted(word: str) -> str:
    """Quote a word for ExecStart=: `%` and `$` doubled, the rest in double quotes (systemd.service(5))."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    if _BARE.fullmatch(escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def one_off_properties(app: str, slot: str, backend: Backend) -> dict[str, str]:
    """Return the properties of systemd-run for a command of the app: its user, folder, environment and limits."""
    folder = f"/srv/{app}/slots/{slot}"
    if backend.runtime == "compose":
        return {
            "WorkingDirectory": f"{folder}/backend",
            "EnvironmentFile": f"-{folder}/env",
            # The port is not published by a one-off container, but the file asks for it.
            "Environment": "DOCKER_CONFIG=/var/empty/shipper SHIPPER_PORT=0",
        }
    static = backend.static_files
    writable = [f"/srv/{app}/shared/data", *([f"{folder}/backend/{static.root}"] if static else [])]
    return {
        "User": app,
        "Group": app,
        "WorkingDirectory": f"{folder}/backend",
        "EnvironmentFile": f"-{folder}/env",
        "Environment": f"PYTHONPATH={folder}/deps PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SHIPPER_SLOT={slot}",
        "MemoryMax": backend.memory.upper(),
        "NoNewPrivileges": "yes",
        "PrivateTmp": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "ReadWritePaths": " ".join(writable),
    }


def with_python(command: tuple[str, ...], python: str) -> list[str]:
    """Return a command of the app with the server's interpreter where it begins with `python`."""
    return [python, *command[1:]] if command[:1] == ("python",) else list(command)
