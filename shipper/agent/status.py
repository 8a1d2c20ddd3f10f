"""What is on the server now: for the plan (`state`) and for people (`status`)."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from . import compose, environment, facts, images, journal, nginx, release, store, systemd
from .layout import Layout

_SHOWN_SHIPS = 10
# A record's rendered files are long and only wanted for the release that is live or rolled back to.
_LONG = ("unit", "socket", "proxy", "boot", "nginx", "services", "steps")


def state(layout: Layout, containers: bool) -> dict[str, Any]:
    """Return all that a plan compares with: releases, slots, environment (no secrets), installed files, facts.

    `containers` is whether Docker is to be asked as well: the first question may start it.
    """
    live = release.live(layout)
    records = release.records(layout)
    env = environment.read(layout.env)
    slot = next((str(entry.get("slot") or "") for entry in records if entry["id"] == live), "")
    planned = {
        "live": live,
        "releases": records,
        "slots": _folders(layout.slots),
        "running": systemd.running_slots(layout),
        "environment": {
            "keys": sorted(env),
            "empty": sorted(k for k in env if not env[k]),
            "digest": environment.digest(layout),
            "settings": environment.settings(env),
        },
        "nginx": nginx.installed(layout),
        "units": systemd.installed_units(layout),
        "migrations": _migrations(layout, slot),
        "services": compose.in_force(layout) if containers else "",
        "lasting": compose.lasting(layout) if containers else [],
        "containers": _containers(layout) if containers else {},
    }
    return {
        **planned,
        # A plan made for one state is right for every other one with the same token.
        "token": hashlib.sha256(json.dumps(planned, sort_keys=True).encode()).hexdigest(),
        "memory": facts.memory_of(layout.unit(slot)) + compose.memory(layout, slot) if slot else 0,
        "facts": facts.basic(),
        "unfinished": store.unfinished(layout),
    }


def _containers(layout: Layout) -> dict[str, Any]:
    return {**images.facts(release.image_layers(layout)), "compose": compose.program()}


def _folders(path: str) -> list[str]:
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def _migrations(layout: Layout, slot: str) -> list[str]:
    """Return the migration modules of the live backend, to be compared with the new one's (paths in the backend)."""
    found = []
    root = os.path.join(layout.slot(slot), "backend") if slot else ""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        if os.path.basename(folder) == "migrations":
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names if name.endswith(".py")]
    return sorted(found)


def status(layout: Layout) -> dict[str, Any]:
    """Return what `inv status` shows: the live release, its unit and memory, all releases, disk, the last ships."""
    live = release.live(layout)
    records = release.records(layout)
    current = next((entry for entry in records if entry["id"] == live), None)
    slot = str((current or {}).get("slot") or "")
    unit = systemd.state_of(layout.unit(slot)) if slot else None
    memory = unit.memory + compose.memory(layout, slot) if unit else 0
    return {
        "live": live,
        "dangling": release.dangling(layout),
        "releases": [{key: value for key, value in entry.items() if key not in _LONG} for entry in records],
        "slot": slot,
        "unit": {"active": unit.active, "memory": memory, "restarts": unit.restarts} if unit else None,
        "running": systemd.running_slots(layout),
        "ships": journal.last(layout, ("ship", "rollback"), _SHOWN_SHIPS),
        "facts": facts.basic(),
    }
