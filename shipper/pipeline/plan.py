"""The plan: which steps would run and what each would change. Pure: it computes from what is here and what is there.

`inv plan` prints it, `inv ship` runs it; there is no other list of steps. The steps with place "server" go to the agent
as data, in this order (shipper.agent.steps does them).
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from shipper.check.memory import check_memory
from shipper.config.backend import Backend
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.deliver.manifest import Tree
from shipper.deliver.upload import Cargo
from shipper.events import count_files, count_layers
from shipper.findings import Finding
from shipper.pipeline.images import Parcel
from shipper.pipeline.server import Record, ServerState
from shipper.render.systemd import boot_unit, one_off_properties, with_python

# How long the agent waits for this machine's word on the public address before it trusts what it saw itself.
PUBLIC_PATIENCE_SECONDS = 30
_SHOWN_FILES = 20


@dataclass(frozen=True)
class Step:
    """One step: its name, what it does, where, the lines of what it would change, and how it is undone."""

    name: str
    title: str
    place: Literal["here", "transfer", "server"]
    changes: tuple[str, ...] = ()
    undo: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wire(self) -> dict[str, Any]:
        """The step as the agent takes it."""
        return {"step": self.name, **self.arguments}


@dataclass(frozen=True)
class Plan:
    """The steps of one ship or rollback. `record` is the release's, as it will stand on the server."""

    action: Literal["ship", "rollback"]
    record: Record
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether what would be shipped is live already."""
        return not self.steps

    @property
    def on_server(self) -> list[dict[str, Any]]:
        """The agent's part."""
        return [step.wire for step in self.steps if step.place == "server"]


@dataclass(frozen=True)
class SiteBuild:
    """A built site: its tree, the paths of its content-hashed assets, and how it came about, in words."""

    tree: Tree
    immutable: tuple[str, ...]
    origin: str


@dataclass(frozen=True)
class Containers:
    """What a backend in containers is besides its slot.

    `parcel` is its image and what of it has to travel, `units` are its unit files besides the slot's, `services` goes
    to the agent (shipper.agent.compose), `command` runs something in a new container of the service, `findings` are
    about the compose file.
    """

    parcel: Parcel
    units: Mapping[str, str]
    services: Mapping[str, Any]
    command: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class BackendParts:
    """A backend ready to be a slot: code, dependencies, the unit, and the server's interpreter (an absolute path).

    In containers it has no dependencies and no interpreter, and its code is what Compose runs.
    """

    code: Tree
    dependencies: Tree
    unit: str
    interpreter: str
    origin: str
    containers: Containers | None = None


def slot_name(parts: BackendParts, backend: Backend, environment_digest: str) -> str:
    """Return the name of the slot: what a running copy is made of, and nothing else (docs/architecture.md, "Slot")."""
    static = backend.static_files
    made_of = (
        parts.code.digest,
        parts.dependencies.digest,
        parts.unit,
        parts.interpreter,
        environment_digest,
        repr(static.model_dump() if static else None),
        *([parts.containers.parcel.build.id] if parts.containers else []),
    )
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]


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
        "static": static.root if static else "",
        "unit": parts.unit if parts else "",
        **(containers.units if containers else {}),
        "image": containers.parcel.name if containers else "",
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
    installed = state.nginx == record["nginx"] and not _changed_units(record, state)
    lasting = not _services_change(record, state) and not _retired(record, state)
    return installed and lasting and (not record["slot"] or record["slot"] in state.running)


def _services_change(record: Record, state: ServerState) -> bool:
    """Whether what outlives releases is not as the record says, or does not run."""
    text = (record.get("services") or {}).get("text")
    return bool(text) and text != state.services


def _retired(record: Record, state: ServerState) -> tuple[str, ...]:
    """Return the lasting services that the record has no more; none for one without containers."""
    services = record.get("services")
    if not services:
        return ()
    wanted = json.loads(services["text"])["services"] if services["text"] else {}
    return tuple(sorted(state.lasting - set(wanted)))


def _changed_units(record: Record, state: ServerState) -> tuple[str, ...]:
    """Return the lines in which the installed units differ; a release made before there was a boot unit has none."""
    if not record["slot"]:
        return ()
    wanted = [name for name in ("unit", "socket", "proxy", "boot") if record.get(name)]
    return tuple(line for name in wanted for line in difference(state.units.get(name, ""), record[name]))


def activation_steps(record: Record, state: ServerState, target: Target) -> tuple[Step, ...]:
    """Return the steps that bring a release live that is already laid out on the server."""
    starts = bool(record["slot"]) and record["slot"] not in state.running
    leaves = state.running - {record["slot"]}
    steps: list[Step] = []
    units = _changed_units(record, state)
    if units:
        steps.append(Step("unit", "install the unit", "server", units, "the old unit is put back"))
    services = _services_of(record)
    lacking = _places(services) - _places(_services_of(state.live_record))
    if _services_change(record, state):
        changes = difference(state.services, services["text"])
        title = "bring up what outlives releases; what changed is made anew, volumes stay"
        steps.append(Step("services", title, "server", changes, "the old definition is put back"))
    elif lacking and not services.get("text"):
        # Nothing else makes them: to the file of a release they are external, so that they outlive it.
        names = tuple(f"+ {name}" for name in sorted(lacking))
        steps.append(Step("services", "make the volumes and networks that outlive releases", "server", names))
    if starts and leaves and target.strategy == "stop-first":
        title = "stop the old backend first: it is away until the switch, for as long as the new one takes to start"
        steps.append(Step("stop-first", title, "server", (), "the old backend is started again"))
    if starts:
        steps += _start_steps(record)
    if state.nginx != record["nginx"]:
        changes = tuple(
            line for name in ("http", "server") for line in difference(state.nginx[name], record["nginx"][name])
        )
        steps.append(
            Step("nginx", "test and install nginx's files, reload", "server", changes, "the old files are put back")
        )
    steps += _switch_steps(record, state, target, bool(leaves) and target.strategy == "rolling")
    retired = _retired(record, state)
    if retired:
        title = f"stop and remove what is defined no more ({', '.join(retired)}); volumes stay"
        steps.append(Step("retire", title, "server"))
    return tuple(steps)


def _services_of(record: Record | None) -> Mapping[str, Any]:
    return (record or {}).get("services") or {}


def _places(services: Mapping[str, Any]) -> set[str]:
    return {*services.get("volumes", ()), *services.get("networks", ())}


def check_second_copy(record: Record, state: ServerState, target: Target, target_name: str) -> list[Finding]:
    """Return a finding when the release's backend would run beside the old one for a while and both do not fit."""
    beside = bool(record["slot"]) and record["slot"] not in state.running and bool(state.running)
    if not beside or target.strategy == "stop-first":
        return []
    return check_memory(state.memory, state.facts["memory"]["available"], target_name)


def _start_steps(record: Record) -> list[Step]:
    health = {
        "path": record["health"],
        "host": record["host"],
        "scheme": record["scheme"],
        "timeout": record["health_timeout"],
        "memory": record["memory"],
    }
    return [
        Step("start", f"start the new backend (slot {record['slot']})", "server", (), "it is stopped"),
        Step("health", f"wait until {record['health']} is healthy on its socket", "server", (), "", health),
    ]


def _switch_steps(record: Record, state: ServerState, target: Target, leaves: bool) -> list[Step]:
    verify = {"host": record["host"], "paths": record["paths"], "patience": PUBLIC_PATIENCE_SECONDS}
    before = state.live or "nothing"
    steps = [
        Step(
            "switch",
            f"make {record['id']} live",
            "server",
            (f"current: {before} -> {record['id']}",),
            f"{before} is live again",
        ),
        Step("verify", "see it through nginx and at the public address", "server", (), "", verify),
    ]
    if target.auto_rollback:
        limits = target.auto_rollback
        title = f"watch visitors' requests for {limits.seconds} s; back at {limits.errors} % more server errors"
        steps.append(Step("watch", title, "server", (), "", limits.model_dump()))
    if leaves:
        steps += [
            Step(
                "drain",
                f"let the old backend finish ({record['drain']} s)",
                "server",
                (),
                "",
                {"seconds": record["drain"]},
            ),
            Step("stop", "stop the old backend", "server"),
        ]
    return steps


def ship_steps(
    record: Record,
    state: ServerState,
    project: Project,
    target: Target,
    site: SiteBuild | None,
    parts: BackendParts | None,
    cargo: Cargo,
) -> tuple[Step, ...]:
    """Return all steps of a ship, from what was built here to the removal of what is old there."""
    backend = project.backend
    new_slot = bool(record["slot"]) and record["slot"] not in state.slots
    lay = {
        "site": site.tree.wire if site else [],
        "immutable": list(site.immutable) if site else [],
        "slot": _slot_wire(record, parts) if parts and new_slot else None,
    }
    title = "lay out the release" + (f" and its slot {record['slot']}" if new_slot else "")
    steps = [
        *_build_steps(site, parts),
        _upload_step(cargo),
        *_image_steps(parts),
        Step("lay", title, "server", (), "the slot is removed, the release is marked bad", lay),
    ]
    activation = list(activation_steps(record, state, target))
    if new_slot and backend and parts:
        # The unit comes first, because it brings the app's user; then what prepares the slot, then its start.
        first = [step for step in activation if step.name in ("unit", "services")]
        rest = [step for step in activation if step.name not in ("unit", "services")]
        activation = [*first, *_preparation(record, state, project.name, backend, parts), *rest]
    prune = Step(
        "prune", f"keep {target.keep} good releases, remove what is older", "server", (), "", {"keep": target.keep}
    )
    return (*steps, *activation, prune)


def _upload_step(cargo: Cargo) -> Step:
    files = tuple(f"{entry.path}  {entry.size:,} bytes" for entry in cargo.entries)
    shown = files if len(files) <= _SHOWN_FILES else (*files[:_SHOWN_FILES], f"and {len(files) - _SHOWN_FILES:,} more")
    return Step("upload", f"send {count_files(len(files))}, {cargo.size:,} bytes before compression", "transfer", shown)


def _image_steps(parts: BackendParts | None) -> list[Step]:
    containers = parts.containers if parts else None
    if containers is None or containers.parcel.there:
        return []
    parcel = containers.parcel
    size = f", {parcel.size:,} bytes" if parcel.size else ""
    title = f"send {count_layers(parcel.count)} of the image {parcel.name}{size}"
    return [Step("image", title, "transfer", parcel.lines)]


def _build_steps(site: SiteBuild | None, parts: BackendParts | None) -> list[Step]:
    steps = []
    if site:
        steps.append(Step("build.frontend", f"build and prove the frontend ({site.origin})", "here"))
    if parts:
        steps.append(Step("build.backend", f"gather the backend and its dependencies ({parts.origin})", "here"))
    return steps


def _slot_wire(record: Record, parts: BackendParts) -> dict[str, Any]:
    return {
        "name": record["slot"],
        "python": parts.interpreter,
        "code": parts.code.wire,
        "dependencies": parts.dependencies.wire,
        "static": record["static"],
        "port": parts.containers is not None,
    }


def _preparation(record: Record, state: ServerState, app: str, backend: Backend, parts: BackendParts) -> list[Step]:
    properties = one_off_properties(app, record["slot"], backend)
    steps = []
    if backend.migrate_command:
        if parts.containers:
            command = [word.replace("%i", record["slot"]) for word in parts.containers.command]
            command += backend.migrate_command
        else:
            command = with_python(backend.migrate_command, parts.interpreter)
        arguments = {"command": command, "properties": properties, "timeout": backend.migrate_timeout}
        pending = pending_migrations(parts.code, state)
        changes = tuple(f"pending: {name}" for name in pending) or ("pending: none by the files",)
        if parts.containers:
            changes = ("in a container of its own, of the new image",)
        title = f"migrate the database ({' '.join(backend.migrate_command)})"
        steps.append(Step("migrate", title, "server", changes, "a migration is not undone", arguments))
    if backend.static_files:
        command = with_python(backend.static_files.command, parts.interpreter)
        arguments = {"command": command, "properties": properties, "timeout": backend.migrate_timeout}
        steps.append(Step("collect-static", "collect static files", "server", (), "", arguments))
    return steps


def pending_migrations(code: Tree, state: ServerState) -> list[str]:
    """Return the migration modules that the live backend does not have, as paths inside the backend's folder."""
    here = {entry.path for entry in code.files if "/migrations/" in f"/{entry.path}" and entry.path.endswith(".py")}
    return sorted(path for path in here - state.migrations if not path.endswith("/__init__.py"))


def difference(old: str, new: str) -> tuple[str, ...]:
    """Return the lines of a unified diff, without its header; nothing when the texts are equal."""
    lines: Sequence[str] = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))
    return tuple(lines[2:])
