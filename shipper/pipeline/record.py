"""The record of a release, all that bringing it live again needs, and in what a server differs from it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from shipper.config.project import Project
from shipper.config.target import Target
from shipper.pipeline.parts import BackendParts, SiteBuild
from shipper.pipeline.server import Record, ServerState
from shipper.render.systemd import boot_unit


def release_record(
    release_id: str,
    origin: Mapping[str, Any],
    project: Project,
    target: Target,
    site: SiteBuild | None,
    slot: str,
    parts: BackendParts | None,
    nginx: Mapping[str, str],
) -> Record:
    """Return the record of a release: all that bringing it live again will need, long after its sources changed."""
    backend = project.backend
    static = backend.static_files if backend else None
    containers = parts.containers if parts else None
    return {
        "id": release_id,
        **origin,
        "site": site.tree.digest if site else "",
        "slot": slot,
        "code": parts.code.digest if parts else "",
        "dependencies": parts.dependencies.digest if parts else "",
        "static": static.root if static else "",
        "unit": parts.unit if parts else "",
        **(containers.units if containers else {}),
        "image": containers.parcel.name if containers else "",
        # Not every engine can tell them later (shipper.agent.images.facts).
        "layers": list(containers.parcel.build.layers) if containers else [],
        "services": dict(containers.services) if containers else {},
        "boot": boot_unit(project.name) if slot else "",
        "nginx": dict(nginx),
        "host": urlsplit(target.public_url).netloc,
        "scheme": urlsplit(target.public_url).scheme,
        "health": backend.health if backend else "",
        "health_timeout": backend.health_timeout if backend else 0,
        "memory": backend.memory if backend else "",
        "drain": backend.drain if backend else 0,
        "paths": [*(["/"] if site else []), *([backend.health] if backend else [])],
    }


def is_live(record: Record, state: ServerState) -> bool:
    """Whether what the record describes is what the server serves already, down to a running backend."""
    live = state.live_record
    compared = ("site", "slot", "nginx", "static", "services")
    # A release made before there were containers has no such key.
    if live is None or any((live.get(key) or "") != (record[key] or "") for key in compared):
        return False
    installed = state.nginx == record["nginx"] and not changed_units(record, state)
    lasting = not services_change(record, state) and not retired_services(record, state)
    return installed and lasting and (not record["slot"] or record["slot"] in state.running)


def services_change(record: Record, state: ServerState) -> bool:
    """Whether what outlives releases is not as the record says, or does not run."""
    text = (record.get("services") or {}).get("text")
    return bool(text) and text != state.services


def retired_services(record: Record, state: ServerState) -> tuple[str, ...]:
    """Return the lasting services that the record has no more; none for one without containers."""
    services = record.get("services")
    if not services:
        return ()
    wanted = json.loads(services["text"])["services"] if services["text"] else {}
    return tuple(sorted(state.lasting - set(wanted)))


def changed_units(record: Record, state: ServerState) -> tuple[str, ...]:
    """Return the lines in which the installed units differ; a release made before there was a boot unit has none."""
    if not record["slot"]:
        return ()
    wanted = [name for name in ("unit", "socket", "proxy", "boot") if record.get(name)]
    return tuple(line for name in wanted for line in difference(state.units.get(name, ""), record[name]))


def services_of(record: Record | None) -> Mapping[str, Any]:
    """Return what a record says of the lasting services; nothing without containers, or without a record."""
    return (record or {}).get("services") or {}


def places_of(services: Mapping[str, Any]) -> set[str]:
    """Return the names of the volumes and networks that have to be there."""
    return {*services.get("volumes", ()), *services.get("networks", ())}


def difference(old: str, new: str) -> tuple[str, ...]:
    """Return the lines of a unified diff, without its header; nothing when the texts are equal."""
    lines: Sequence[str] = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))
    return tuple(lines[2:])
