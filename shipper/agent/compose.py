"""Compose on the server: what outlives releases (databases, their volumes and networks) is brought up and left alone.

The containers of a release run in a unit of their slot, like every backend: shipper.agent.systemd starts and stops it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from . import causes, containers, engine, programs, systemd
from .errors import AgentError
from .layout import Layout
from .once import services_unit

_SECONDS = 600.0
_ASK_SECONDS = 20.0
_STOP_SECONDS = 30
_LOOK_SECONDS = 0.2
# A database that is made for the first time on a small server takes its time.
_HEALTHY_SECONDS = 180.0
# One that ends at once, and is started again and again by the engine, is seen to do so.
_STEADY_SECONDS = 3.0
_HOPELESS_RESTARTS = 3
_SHOWN_LINES = 15


def services_file(layout: Layout) -> str:
    """Return where the definition of the lasting services is."""
    return os.path.join(layout.root, "services", "compose.json")


def installed(layout: Layout) -> str:
    """Return the definition of the lasting services that was brought up last, "" when none was, or not for certain."""
    return "" if os.path.exists(_unsure(layout)) else systemd.read_text(services_file(layout))


def in_force(layout: Layout) -> str:
    """Return the definition of the lasting services, with a line more when not all that it says runs for certain.

    That line makes it differ from any definition, and stands in the plan as what will be no more. Asks the engine.
    """
    text = systemd.read_text(services_file(layout))
    wanted = set(json.loads(text)["services"]) if text else set()
    running = {one.service for one in containers.of_project(layout.app) if one.running} if wanted else set()
    certain = wanted <= running and installed(layout) == text
    return text if certain else f"{text}(not all of it runs)\n"


def lasting(layout: Layout) -> list[str]:
    """Return the lasting services that have a container, running or not; asks the engine."""
    return sorted({one.service for one in containers.of_project(layout.app)})


def _unsure(layout: Layout) -> str:
    """Return the file that is there while it is not known whether the services came up."""
    return services_file(layout) + ".unsure"


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
    made anew when its definition changed; what is defined no more goes on (`retire`). Raises AgentError.
    """
    _make_missing(wanted["networks"], "/networks", "Name")
    _make_missing(wanted["volumes"], "/volumes", "Name")
    if not wanted["text"]:
        return False
    changed = installed(layout) != str(wanted["text"])
    systemd.write_text(_unsure(layout), "begun\n")
    systemd.write_text(services_file(layout), wanted["text"])
    options = [] if changed else ["--no-recreate"]
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        on_line(line)

    outcome = systemd.run_once(
        services_unit(layout),
        [*wanted["command"], "up", "--detach", *options],
        properties(layout),
        {},
        timeout=_SECONDS,
        on_line=keep,
    )
    if not outcome.ok:
        raise _refused(lines[-_SHOWN_LINES:])
    _wait_up(layout, set(json.loads(wanted["text"])["services"]))
    systemd.write_text(_unsure(layout), "")
    return changed


def _refused(lines: Sequence[str]) -> AgentError:
    """Explain that Compose itself gave up."""
    known = causes.known_cause("\n".join(lines))
    return AgentError(
        "release",
        "The lasting services (databases and the like) did not come up." + (f" {known[0]}" if known else ""),
        "\n".join(lines),
        known[1] if known else "The lines above are Compose's; on the server: sudo docker ps --all",
    )


def retire(layout: Layout, wanted: Mapping[str, Any]) -> list[str]:
    """Stop and remove the lasting services that `wanted` (as for `ensure`) has no more; return their names.

    Their volumes stay (field note H2). Raises AgentError.
    """
    text = str(wanted["text"])
    kept = set(json.loads(text)["services"]) if text else set()
    gone = [one for one in containers.of_project(layout.app) if one.service not in kept]
    for container in gone:
        _remove(container)
    if not text:
        systemd.write_text(services_file(layout), "")
        systemd.write_text(_unsure(layout), "")
    return sorted({one.service for one in gone})


def _remove(container: containers.Container) -> None:
    if container.running:
        engine.ask("POST", f"/containers/{container.id}/stop", {"t": str(_STOP_SECONDS)})
    engine.ask("DELETE", f"/containers/{container.id}", {"force": "true"})


def _wait_up(layout: Layout, wanted: set[str]) -> None:
    """Wait until all services are healthy; one without a health check has to run for some seconds.

    The first version of Compose cannot wait. Raises AgentError with what became of the one that does not come up.
    """
    began = time.monotonic()
    while True:
        found = containers.of_project(layout.app)
        late = [one for one in found if one.service in wanted and not _is_up(one, time.monotonic() - began)]
        missing = wanted - {one.service for one in found}
        if not late and not missing:
            return
        hopeless = any(one.restarts >= _HOPELESS_RESTARTS or one.health == "unhealthy" for one in late)
        if missing or hopeless or time.monotonic() - began > _HEALTHY_SECONDS:
            raise _not_up(late, missing)
        time.sleep(_LOOK_SECONDS)


def _is_up(container: containers.Container, waited: float) -> bool:
    if container.health:
        return container.health == "healthy"
    # The engine counts restarts for as long as the container exists: one of long ago says nothing of today.
    seconds = container.age if container.restarts else max(waited, container.age)
    return container.running and seconds > _STEADY_SECONDS


def _not_up(late: Sequence[containers.Container], missing: set[str]) -> AgentError:
    names = ", ".join(sorted({*(one.service for one in late), *missing}))
    lines = [line for one in late for line in (one.fate(), *containers.last_lines(one, _SHOWN_LINES))]
    known = causes.known_cause("\n".join(lines))
    return AgentError(
        "release",
        f"A lasting service did not come up: {names}." + (f" {known[0]}" if known else ""),
        "\n".join(lines),
        known[1] if known else "Its last lines say why; on the server: sudo docker ps --all",
    )


def stop(layout: Layout, slot: str) -> None:
    """Make sure that nothing of a slot's containers is left, nor of what is in front of them."""
    for kind in ("socket", "service"):
        systemd.stop(f"{layout.app}-proxy@{slot}.{kind}", tolerated=True)
    for container in containers.of_project(f"{layout.app}-{slot}"):
        _remove(container)


def memory(layout: Layout, slot: str) -> int:
    """Return the memory that a slot's containers hold, in bytes; 0 for one without, or when the engine is away."""
    if not slot or not os.path.exists(os.path.join(layout.slot(slot), "port")):
        return 0
    try:
        running = [one for one in containers.of_project(f"{layout.app}-{slot}") if one.running]
        return sum(map(containers.memory, running))
    except AgentError:
        return 0


def failed_checks(layout: Layout, slot: str) -> list[str]:
    """Run the health checks of a slot's containers now; return what those said that failed, nothing when all passed."""
    failed = []
    for container in containers.of_project(f"{layout.app}-{slot}"):
        told = "it does not run" if not container.running else containers.failed_check(container)
        if told:
            failed.append(f"health check of {container.service}: {told}")
    return failed


def fates(layout: Layout, slot: str) -> list[str]:
    """Return what became of the containers of a slot, in lines for people."""
    return [container.fate() for container in containers.of_project(f"{layout.app}-{slot}")]


def properties(layout: Layout) -> dict[str, str]:
    """Return the properties with which Compose runs for the lasting services: their variables are the env file's."""
    return {
        "WorkingDirectory": os.path.dirname(services_file(layout)),
        "EnvironmentFile": f"-{layout.env}",
        # What is defined no more is removed later, and needs no warning.
        "Environment": "DOCKER_CONFIG=/var/empty/shipper COMPOSE_IGNORE_ORPHANS=true",
    }


def _make_missing(names: Sequence[str], path: str, key: str) -> None:
    there = engine.ask("GET", path)
    entries = there["Volumes"] if isinstance(there, dict) else there
    known = {entry[key] for entry in entries or []}
    for name in names:
        if name not in known:
            engine.create(f"{path}/create", {"Name": name})
