"""Compose on the server: what outlives releases (databases, their volumes and networks) is brought up and left alone.

The containers of a release run in a unit of their slot, like every backend: shipper.agent.systemd starts and stops it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from . import engine, programs, systemd
from .errors import AgentError
from .layout import Layout

_SECONDS = 600.0
_ASK_SECONDS = 20.0
_STOP_SECONDS = 30


def services_file(layout: Layout) -> str:
    """Return where the definition of the lasting services is."""
    return os.path.join(layout.root, "services", "compose.json")


def installed(layout: Layout) -> str:
    """Return the definition of the lasting services that is in force, "" when there is none."""
    return systemd.read_text(services_file(layout))


def program() -> list[str]:
    """Return how Compose is called here, whichever version there is (field note S8); nothing when there is none.

    The second version is a plugin of `docker`, and is called directly: between it and systemd `docker` would end at the
    first signal and leave it in the middle of its work.
    """
    told = programs.run(["docker", "info", "--format", "{{json .ClientInfo.Plugins}}"], timeout=_ASK_SECONDS)
    with suppress(ValueError, IndexError):
        for plugin in json.loads(told.lines[-1]) or []:
            if plugin["Name"] == "compose" and plugin.get("Path"):
                return [str(plugin["Path"])]
    alone = shutil.which("docker-compose")
    return [alone] if alone else []


def ensure(layout: Layout, wanted: Mapping[str, Any], on_line: Callable[[str], None]) -> bool:
    """Bring the lasting services up; return whether their definition changed.

    `wanted` holds "text" (of the compose file, "" for none), "command" (how Compose is called for it), "volumes" and
    "networks" (names that are made when they are not there, and never removed). A service that runs is only
    made anew when its definition changed. Raises AgentError.
    """
    _make_missing(wanted["networks"], "/networks", "Name")
    _make_missing(wanted["volumes"], "/volumes", "Name")
    if not wanted["text"]:
        return False
    changed = installed(layout) != str(wanted["text"])
    systemd.write_text(services_file(layout), wanted["text"])
    options = [] if changed else ["--no-recreate"]
    outcome = systemd.run_once(
        f"{layout.app}-services.service",
        [*wanted["command"], "up", "--detach", "--wait", *options],
        properties(layout),
        timeout=_SECONDS,
        on_line=on_line,
    )
    if not outcome.ok:
        raise AgentError(
            "release",
            "The lasting services (databases and the like) did not come up.",
            outcome.text,
            "The lines above are Compose's; on the server: sudo docker ps --all",
        )
    return changed


def stop(layout: Layout, slot: str) -> None:
    """Make sure that nothing of a slot's containers is left, nor of what is in front of them."""
    for kind in ("socket", "service"):
        systemd.stop(f"{layout.app}-proxy@{slot}.{kind}", tolerated=True)
    label = json.dumps({"label": [f"com.docker.compose.project={layout.app}-{slot}"]})
    for container in engine.ask("GET", "/containers/json", {"all": "true", "filters": label}):
        engine.ask("POST", f"/containers/{container['Id']}/stop", {"t": str(_STOP_SECONDS)})
        engine.ask("DELETE", f"/containers/{container['Id']}")


def properties(layout: Layout) -> dict[str, str]:
    """Return the properties with which Compose runs for the lasting services: their variables are the env file's."""
    return {
        "WorkingDirectory": os.path.dirname(services_file(layout)),
        "EnvironmentFile": f"-{layout.env}",
        "Environment": "DOCKER_CONFIG=/var/empty/shipper",
    }


def _make_missing(names: Sequence[str], path: str, key: str) -> None:
    there = engine.ask("GET", path)
    entries = there["Volumes"] if isinstance(there, dict) else there
    known = {entry[key] for entry in entries or []}
    for name in names:
        if name not in known:
            engine.create(f"{path}/create", {"Name": name})
