"""The plan: which steps would run and what each would change. Pure: it computes from what is here and what is there.

`inv plan` prints it, `inv ship` runs it; there is no other list of steps. The steps with place "server" go to the agent
as data, in this order (shipper.agent.steps does them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shipper.check.memory import check_memory
from shipper.config.backend import Backend
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.deliver.manifest import Tree
from shipper.deliver.upload import Cargo
from shipper.events import count_files, count_layers
from shipper.findings import Finding
from shipper.pipeline.cors import origins_across
from shipper.pipeline.parts import BackendParts, SiteBuild
from shipper.pipeline.record import changed_units, difference, places_of, retired_services, services_change, services_of
from shipper.pipeline.server import Record, ServerState
from shipper.render.systemd import one_off_properties, with_python

# How long the agent waits for this machine's word on the public address before it trusts what it saw itself.
PUBLIC_PATIENCE_SECONDS = 30
# A connect of nginx that was under way at the switch is in the kernel's table by then, however busy the server is.
_SURE_SECONDS = 1
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
class HookSteps:
    """The steps of the project's own commands, by the moment they run at (shipper.pipeline.hooks makes them).

    `after_switch` are those of the server; `afterwards` run on this machine when the servers are done. `on_failure` are
    no part of the order: they run when a step failed and all was undone.
    """

    before_build: tuple[Step, ...] = ()
    after_build: tuple[Step, ...] = ()
    before_switch: tuple[Step, ...] = ()
    after_switch: tuple[Step, ...] = ()
    afterwards: tuple[Step, ...] = ()
    on_failure: tuple[Step, ...] = ()


NO_HOOKS = HookSteps()


@dataclass(frozen=True)
class Plan:
    """The steps of one ship or rollback. `record` is the release's, as it will stand on the server.

    `on_failure` are the hooks that run when one of the steps failed, after all was undone.
    """

    action: Literal["ship", "rollback"]
    record: Record
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...] = ()
    on_failure: tuple[Step, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether what would be shipped is live already."""
        return not self.steps

    @property
    def on_server(self) -> list[dict[str, Any]]:
        """The agent's part."""
        return [step.wire for step in self.steps if step.place == "server"]


def activation_steps(
    record: Record, state: ServerState, target: Target, hooks: HookSteps = NO_HOOKS
) -> tuple[Step, ...]:
    """Return the steps that bring a release live that is already laid out on the server."""
    starts = bool(record["slot"]) and record["slot"] not in state.running
    leaves = state.running - {record["slot"]}
    steps: list[Step] = []
    units = changed_units(record, state)
    if units:
        steps.append(Step("unit", "install the unit", "server", units, "the old unit is put back"))
    services = services_of(record)
    lacking = places_of(services) - places_of(services_of(state.live_record))
    if services_change(record, state):
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
    steps += hooks.before_switch
    if state.nginx != record["nginx"]:
        changes = tuple(
            line for name in ("http", "server") for line in difference(state.nginx[name], record["nginx"][name])
        )
        steps.append(
            Step("nginx", "test and install nginx's files, reload", "server", changes, "the old files are put back")
        )
    steps += _switch_steps(record, state, target, bool(leaves) and target.strategy == "rolling")
    retired = retired_services(record, state)
    if retired:
        title = f"stop and remove what is defined no more ({', '.join(retired)}); volumes stay"
        steps.append(Step("retire", title, "server"))
    return (*steps, *hooks.after_switch)


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
        steps += [_drain_step(record, state), Step("stop", "stop the old backend", "server")]
    return steps


def _drain_step(record: Record, state: ServerState) -> Step:
    """Return the step that lets the old backend finish.

    A release that was never live is watched for the whole time, as long as the way back costs nothing. One that was
    good before is not: somebody waits to be rid of the live one, which is stopped as soon as nobody is connected to it.
    """
    seconds = record["drain"]
    if record.get("state") != "good":
        title = f"let the old backend finish ({seconds} s)"
        return Step("drain", title, "server", (), "", {"at_least": seconds, "seconds": seconds})
    # The copy that has to finish is the live one: it gets the time that its own release gives it.
    seconds = max(seconds, (state.live_record or record)["drain"])
    title = f"let the old backend finish (at most {seconds} s)"
    return Step("drain", title, "server", (), "", {"at_least": _SURE_SECONDS, "seconds": seconds})


def ship_steps(
    record: Record,
    state: ServerState,
    project: Project,
    target: Target,
    site: SiteBuild | None,
    parts: BackendParts | None,
    cargo: Cargo,
    hooks: HookSteps = NO_HOOKS,
) -> tuple[Step, ...]:
    """Return all steps of a ship, from what was built here to the removal of what is old there."""
    backend = project.backend
    new_slot = bool(record["slot"]) and record["slot"] not in state.slots
    lay = {
        # By its digest: the agent has it from the delivery.
        "site": (site.tree if site else Tree()).digest,
        "immutable": list(site.immutable) if site else [],
        "slot": _slot_wire(record, parts) if parts and new_slot else None,
    }
    title = "lay out the release" + (f" and its slot {record['slot']}" if new_slot else "")
    steps = [
        *hooks.before_build,
        *_build_steps(site, parts),
        *hooks.after_build,
        _upload_step(cargo),
        *_image_steps(parts),
        Step("lay", title, "server", (), "the slot is removed, the release is marked bad", lay),
    ]
    activation = list(activation_steps(record, state, target, hooks))
    if new_slot and backend and parts:
        # The unit comes first, because it brings the app's user; then what prepares the slot, then its start.
        first = [step for step in activation if step.name in ("unit", "services")]
        rest = [step for step in activation if step.name not in ("unit", "services")]
        activation = [*first, *_preparation(record, state, project.name, backend, parts), *rest]
    prune = Step(
        "prune", f"keep {target.keep} good releases, remove what is older", "server", (), "", {"keep": target.keep}
    )
    return (*steps, *activation, prune, *hooks.afterwards, *cors_steps(project, target))


def cors_steps(project: Project, target: Target) -> list[Step]:
    """Return the step that asks the API on another origin, where the site calls one: the last of every ship."""
    origins = origins_across(project, target)
    if origins is None:
        return []
    return [
        Step("cors", f"ask {origins[1]} as a browser on {origins[0]} does, and tell what it would object to", "here")
    ]


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
        "code": parts.code.digest,
        "dependencies": parts.dependencies.digest,
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
