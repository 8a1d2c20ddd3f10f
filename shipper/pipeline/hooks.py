"""The project's own commands at moments of a ship: those of this machine are run here, those of the server become
steps of the plan.

What a hook is told is in variables named SHIPPER_* (docs/hooks.md has the list).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from shipper.agent.mask import Mask
from shipper.build.program import run_program, want_programs
from shipper.config.backend import Backend
from shipper.config.hooks import BuildHook, Hook, When
from shipper.deliver.manifest import read_tree
from shipper.errors import BuildError, ConfigError, HookError, ShipperError
from shipper.events import Emit, Event
from shipper.git import ask_git
from shipper.hashes import FileHashes
from shipper.pipeline.environment import read_env_file
from shipper.pipeline.job import Job
from shipper.pipeline.parts import SiteBuild
from shipper.pipeline.plan import HookSteps, Step
from shipper.pipeline.server import Record, ServerState, backend_python
from shipper.render.systemd import COMPOSE_FILE, one_off_properties, with_python

_SHOWN_LINES = 12
_LONGEST_REASON = 500
_LONGEST_COMMAND = 80
_TITLES: Mapping[When, str] = {
    "before_build": "hook before the build",
    "after_build": "hook after the build",
    "before_switch": "hook before the switch",
    "after_switch": "hook after the switch",
    "on_failure": "hook after a failure",
}


def named_hooks(job: Job, when: When) -> list[tuple[str, BuildHook | Hook]]:
    """Return the hooks of that moment in their order, each with the name of its step: "before-switch", or with several
    of them "before-switch.1", "before-switch.2" and so on.
    """
    hooks: Sequence[BuildHook | Hook] = getattr(job.workspace.project.hooks, when)
    name = when.replace("_", "-")
    if len(hooks) == 1:
        return [(name, hooks[0])]
    return [(f"{name}.{number}", hook) for number, hook in enumerate(hooks, 1)]


def told(job: Job, when: When, commit: str, **more: str) -> dict[str, str]:
    """Return the variables that a hook is given besides those of its surroundings."""
    known = {"HOOK": when, "APP": job.app, "TARGET": job.target_name, "URL": job.target.public_url, "COMMIT": commit}
    return {f"SHIPPER_{name}": value for name, value in {**known, **more}.items()}


def commit_of(job: Job) -> str:
    """Return the commit that is checked out here, "" without git or a commit."""
    try:
        return ask_git(job.workspace.root, "rev-parse", "--verify", "--quiet", "HEAD").decode().strip()
    except ConfigError:
        return ""


def run_build_hooks(job: Job, when: When, emit: Emit, **more: str) -> None:
    """Run the hooks before or after the build, one after another. Raises HookError at the first that fails."""
    hooks = named_hooks(job, when)
    if not hooks:
        return
    variables = told(job, when, commit_of(job), **more)
    with _noting_generated(job) if when == "before_build" else nullcontext():
        for step, hook in hooks:
            began = time.monotonic()
            emit(Event("start", step, f"{_TITLES[when]}: {_shown(hook)}"))
            try:
                run_here(job, step, hook, variables, emit)
            except HookError as error:
                emit(Event("failed", step, error.what, seconds=time.monotonic() - began))
                raise
            emit(Event("done", step, _shown(hook), seconds=time.monotonic() - began))


def _noting_generated(job: Job) -> AbstractContextManager[None]:
    """Return what notes the sources that the hooks write: what is generated belongs in .gitignore (docs/hooks.md)."""
    from shipper.build.fingerprint import inputs_folder, output_inside
    from shipper.build.generated import noting_generated

    workspace, frontend = job.workspace, job.workspace.project.frontend
    if frontend is None or not (workspace.root / frontend.path).is_dir():
        return nullcontext()
    return noting_generated(workspace.cache, inputs_folder(workspace), output_inside(workspace))


def run_after_build(job: Job, site: SiteBuild | None, emit: Emit) -> None:
    """Run the hooks after the build; they know the folder of the built site and may only look at it.

    Raises HookError when one fails, and when one changed the site: it was proved as it was, and is kept for the next
    ship; what is spoiled is thrown away.
    """
    if not named_hooks(job, "after_build"):
        return
    folder = site.folder if site else None
    if site is None or folder is None:
        run_build_hooks(job, "after_build", emit)
        return
    from shipper.build.frontend import drop_build

    same = False
    try:
        run_build_hooks(job, "after_build", emit, SITE=str(folder))
    finally:  # one that failed, or was stopped, may have changed it as well
        same = _is_as_built(job, site, folder)
        if not same:
            with suppress(FileNotFoundError):
                drop_build(folder.parent)
    if not same:
        raise HookError(
            "A hook after the build changed the built site.",
            why="The site was proved as the build wrote it, and it is kept for the next ship of the same sources.",
            fix="Let the build itself do that: [frontend] command in ship.toml. What was changed is thrown away.",
        )


def _is_as_built(job: Job, site: SiteBuild, folder: Path) -> bool:
    try:
        with FileHashes.remember(job.workspace.cache / "hashes" / "site.json") as hashes:
            return read_tree(folder, hashes, executable=()).digest == site.tree.digest
    except (OSError, BuildError):  # it is gone, or holds what no site may hold
        return False


def run_here(job: Job, step: str, hook: BuildHook | Hook, variables: Mapping[str, str], emit: Emit) -> None:
    """Run one hook on this machine; its output becomes events of the step. Raises HookError when it fails."""
    root = job.workspace.root
    folder = root / hook.path
    mask = _mask(job)
    tail: list[str] = []

    def keep(event: Event) -> None:
        if event.kind == "output":
            masked = replace(event, text=mask(event.text))
            tail.append(masked.text)
            emit(masked)

    program = shutil.which(hook.command[0]) or str(folder / hook.command[0])
    environment = {**os.environ, **variables}
    fix = "Mend it, or take it out of [hooks] in ship.toml; the old release is still serving."
    try:
        ended = run_program((program, *hook.command[1:]), folder, environment, step, keep, hook.timeout)
    except OSError as error:
        raise HookError(f"The hook {step} could not be started: {_shown(hook)}", why=str(error), fix=fix) from None
    if ended.code == 0 and not ended.timed_out:
        return
    how = f"ended after {hook.timeout} s, its time limit" if ended.timed_out else f"exit code {ended.code}"
    raise HookError(f"The hook {step} failed ({how}): {_shown(hook)}", why="\n".join(tail[-_SHOWN_LINES:]), fix=fix)


def _mask(job: Job) -> Mask:
    """Return what hides the values of the target's env file, which is where a hook of this machine may find some."""
    try:
        return Mask(read_env_file(job).values.items())
    except ShipperError:  # there is none, or it cannot be read; the ship itself says so where it matters
        return Mask(())


def _shown(hook: BuildHook | Hook) -> str:
    """Return the command in one line that is not too long: one with a script in it has many."""
    text = " ".join(" ".join(hook.command).split())
    return text if len(text) <= _LONGEST_COMMAND else f"{text[:_LONGEST_COMMAND]}..."


def answer_hook(job: Job, record: Record, previous: str, action: str, step: str, emit: Emit) -> dict[str, Any]:
    """Run the hook of a step that the server asks for; return how it went, as the agent takes it."""
    hook = dict(named_hooks(job, "before_switch"))[step]
    variables = told(job, "before_switch", record["commit"], **_of_release(record["id"], previous, action))
    want_programs()
    try:
        run_here(job, step, hook, variables, emit)
    except HookError as error:
        return {"ok": False, "what": error.what, "why": error.why, "fix": error.fix}
    return {"ok": True}


def _of_release(release: str, previous: str, action: str) -> dict[str, str]:
    return {"RELEASE": release, "PREVIOUS": previous, "ACTION": action}


def run_after_switch(job: Job, record: Record, previous: str, action: str, emit: Emit) -> list[tuple[str, str]]:
    """Run the hooks of this machine after the switch; return the step and the trouble of those that failed."""
    variables = told(job, "after_switch", record["commit"], **_of_release(record["id"], previous, action))
    return _run_all(job, "after_switch", variables, emit)


def run_on_failure(job: Job, action: str, error: ShipperError, emit: Emit) -> None:
    """Run the hooks of this machine after a failure, other than wrong usage. Their own failures hide nothing."""
    if isinstance(error, ConfigError):
        return
    reason = _mask(job)(" ".join(error.what.split()))[:_LONGEST_REASON]
    variables = told(job, "on_failure", commit_of(job), ACTION=action, REASON=reason)
    _run_all(job, "on_failure", variables, emit)


def _run_all(job: Job, when: When, variables: Mapping[str, str], emit: Emit) -> list[tuple[str, str]]:
    failed = []
    want_programs()
    for step, hook in named_hooks(job, when):
        if hook.on != "here":
            continue
        began = time.monotonic()
        emit(Event("start", step, f"{_TITLES[when]}: {_shown(hook)}"))
        try:
            run_here(job, step, hook, variables, emit)
            emit(Event("done", step, _shown(hook), seconds=time.monotonic() - began))
        except HookError as error:
            failed.append((step, error.what))
            emit(Event("failed", step, error.what, seconds=time.monotonic() - began))
        except KeyboardInterrupt:  # what was to be told is told; who has no patience for more gets no more
            failed.append((step, "stopped with Ctrl-C"))
            emit(Event("failed", step, "stopped with Ctrl-C", seconds=time.monotonic() - began))
            break
    return failed


def hook_steps(job: Job, record: Record, state: ServerState, action: str, *, first: bool) -> HookSteps:
    """Return the steps of all hooks for one server; `first` is whether it is the first one of the target.

    Nothing may stand in the way of going back: a rollback has none before its switch. Raises HostError when the server
    has not the Python that those of a ship are to run with.
    """

    of_ship = action == "ship"
    slot = str(record["slot"] or "")
    return HookSteps(
        before_build=_here_steps(job, "before_build") if of_ship and first else (),
        after_build=_here_steps(job, "after_build") if of_ship and first else (),
        before_switch=_steps(job, "before_switch", record, slot, state, action, first) if of_ship else (),
        after_switch=_steps(job, "after_switch", record, slot, state, action, first),
        afterwards=_here_steps(job, "after_switch") if first else (),
        on_failure=failure_steps(job, record, state.live_record, state, action, first=first),
    )


def failure_steps(
    job: Job, record: Record, kept: Record | None, state: ServerState, action: str, *, first: bool
) -> tuple[Step, ...]:
    """Return the steps of the hooks that run on the server when `record` failed and `kept` is live: in its slot."""
    slot = str(kept["slot"] or "") if kept else ""
    return _steps(job, "on_failure", record, slot if slot in state.slots else "", state, action, first)


def because(step: Step, reason: str, previous: str) -> Step:
    """Return the step of a failure's hook as one that follows a rollback, with what had failed."""
    text = " ".join(reason.split())[:_LONGEST_REASON]
    told = {**step.arguments["variables"], "SHIPPER_REASON": text, "SHIPPER_PREVIOUS": previous}
    return replace(step, arguments={**step.arguments, "variables": told})


def _steps(
    job: Job, when: When, record: Record, slot: str, state: ServerState, action: str, first: bool
) -> tuple[Step, ...]:
    """Return the steps that the server does; without a slot there is nothing that a command could run in."""
    made = []
    for step, hook in named_hooks(job, when):
        assert isinstance(hook, Hook)
        if hook.on == "server" and slot and (first or hook.servers == "each"):
            made.append(_server_step(job, step, when, hook, slot, record, state, action))
        elif hook.on == "here" and first and when == "before_switch":
            # The server asks for it at the right moment.
            arguments = {"on": "here", "shown": _shown(hook), "timeout": hook.timeout}
            made.append(Step(step, f"{_TITLES[when]}, on this machine: {_shown(hook)}", "server", (), "", arguments))
    return tuple(made)


def _here_steps(job: Job, when: When) -> tuple[Step, ...]:
    return tuple(
        Step(step, f"{_TITLES[when]}, on this machine: {_shown(hook)}", "here")
        for step, hook in named_hooks(job, when)
        if hook.on == "here"
    )


def _server_step(
    job: Job, step: str, when: When, hook: Hook, slot: str, record: Record, state: ServerState, action: str
) -> Step:
    backend = job.workspace.project.backend
    assert backend is not None
    variables = told(job, when, record["commit"], RELEASE=record["id"], ACTION=action)
    arguments = {
        "on": "server",
        "slot": slot,
        "shown": _shown(hook),
        "timeout": hook.timeout,
        # What does not end when it is asked to has had its time.
        "properties": {**one_off_properties(job.app, slot, backend), "TimeoutStopSec": "5"},
        **_server_command(job, backend, hook, slot, state, action),
    }
    if not job.in_containers:
        variables["SHIPPER_SOCKET"] = f"/run/{job.app}/{slot}.sock"
    return Step(
        step, f"{_TITLES[when]}, on the server: {_shown(hook)}", "server", (), "", {**arguments, "variables": variables}
    )


def _server_command(
    job: Job, backend: Backend, hook: Hook, slot: str, state: ServerState, action: str
) -> dict[str, Any]:
    if not job.in_containers:
        if action == "rollback" and backend.python not in state.facts["pythons"]:
            # What newer sources ask for must not stand in the way; the server's own Python is always there.
            backend = backend.model_copy(update={"python": None})
        _, interpreter = backend_python(state, backend, job.target.host)
        return {"command": with_python(hook.command, interpreter), "container": []}
    assert backend.service is not None
    words = [*state.containers["compose"], "--project-name", f"{job.app}-{slot}", "--file", COMPOSE_FILE]
    return {"command": [backend.service, *hook.command], "container": [*words, "run", "--rm", "--no-deps", "-T"]}
