"""`inv ship`, as a story: gather what is needed, plan, ask, send what the server lacks, let the agent bring it live."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shipper.check.environment import check_server_environment
from shipper.check.routes import check_prefixes
from shipper.deliver.manifest import Tree
from shipper.deliver.upload import Cargo, Counter, choose, compress, keys_of, objects_of, room_besides
from shipper.events import Emit, Event, count_files
from shipper.findings import Finding, refuse_errors
from shipper.pipeline.activate import Report, activate
from shipper.pipeline.gather import Gathered, gather, new_release_id
from shipper.pipeline.job import Job
from shipper.pipeline.plan import (
    Plan,
    activation_steps,
    check_second_copy,
    is_live,
    release_record,
    ship_steps,
    slot_name,
)
from shipper.pipeline.server import Record, lock_server

_UPLOAD_SECONDS = 3600.0
# The server reads all of the contents that it will use, to find damaged ones.
_PREPARE_SECONDS = 600.0


def plan_ship(job: Job, gathered: Gathered) -> Plan:
    """Compute the plan of a ship. Reads from the server what it lacks; writes nothing. Raises FindingsError."""
    project, state = job.workspace.project, gathered.state
    findings = _findings(job, gathered)
    refuse_errors(findings)
    parts, site = gathered.parts, gathered.site
    slot = slot_name(parts, project.backend, state.environment_digest) if parts and project.backend else ""
    unit = parts.unit if parts else ""
    release_id = new_release_id(gathered.origin, state)
    record = release_record(release_id, gathered.origin, project, job.target, site, slot, unit, gathered.nginx)
    if is_live(record, state):
        return Plan("ship", record, (), tuple(findings))
    refuse_errors(check_second_copy(record, state, job.target, job.target_name))
    live = state.live_record
    if live and all(live.get(key) == record[key] for key in ("site", "slot", "nginx", "static", "unit", "boot")):
        # All of it is there; only what runs or what is installed is not as it should be.
        return Plan("ship", live, activation_steps(live, state, job.target), tuple(findings))
    cargo = _cargo(job, gathered, record)
    steps = ship_steps(record, state, project, job.target, site, parts, cargo)
    return Plan("ship", record, steps, tuple(findings))


def _findings(job: Job, gathered: Gathered) -> list[Finding]:
    project = job.workspace.project
    state, findings = gathered.state, list[Finding]()
    if project.backend:
        present, empty = state.environment, state.empty_variables
        findings += check_server_environment(project.backend, present, empty, job.target_name)
    if gathered.site and project.backend:
        findings += check_prefixes(gathered.site.tree, project.backend)
    return findings


def _trees(gathered: Gathered, record: Record) -> list[Tree]:
    """Return the trees that will be laid out: a slot that is there already needs none of its contents."""
    trees = [gathered.site.tree] if gathered.site else []
    if gathered.parts and record["slot"] not in gathered.state.slots:
        trees += [gathered.parts.code, gathered.parts.dependencies]
    return trees


def _cargo(job: Job, gathered: Gathered, record: Record) -> Cargo:
    trees = _trees(gathered, record)
    return choose(trees, gathered.session.call("missing", {"app": job.app, "keys": keys_of(trees)}))


def ship(job: Job, emit: Emit, confirm: Callable[[Plan], bool]) -> Report:
    """Ship the project to the target; `confirm` sees the plan before anything on the server is changed.

    Raises the errors of shipper.errors; with each of them the old release is still serving.
    """
    started = time.monotonic()
    with gather(job, emit) as gathered:
        planned_for = gathered.state
        plan = plan_ship(job, gathered)
        url = job.target.public_url
        if plan.nothing_to_do:
            return Report(plan, gathered.state.live, url, _since(started), outcome="unchanged")
        asked = time.monotonic()
        if not confirm(plan):
            return Report(plan, gathered.state.live, url, _since(started), outcome="declined")
        started += _since(asked)  # how long somebody thought about it is not how long it took
        gathered = replace(gathered, state=lock_server(job, gathered.session, "ship"))
        if not gathered.state.plans_alike(planned_for):
            emit(Event("note", "plan", "The server was changed meanwhile; the plan was made anew."))
            plan = plan_ship(job, gathered)
            if plan.nothing_to_do:
                return Report(plan, gathered.state.live, url, _since(started), outcome="unchanged")
        uploads = any(step.name == "upload" for step in plan.steps)
        files, sent = _transfer(job, gathered, plan.record, emit) if uploads else (0, 0)
        result = activate(job, gathered.session, plan, emit)
        return Report(plan, result["live"], url, _since(started), files, sent, tuple(result["trouble"]))


def _transfer(job: Job, gathered: Gathered, record: Record, emit: Emit) -> tuple[int, int]:
    """Send what the server lacks after it made room; return how many contents and how many bytes travelled."""
    began = time.monotonic()
    emit(Event("start", "upload", "What the server lacks"))
    trees = _trees(gathered, record)
    room = room_besides(trees)
    asked = {**job.change, "keep": job.target.keep, "objects": objects_of(trees), "room": room}
    cargo = choose(trees, gathered.session.call("prepare", asked, deadline=_PREPARE_SECONDS))
    counter = Counter()
    if cargo.entries:
        gathered.session.call(
            "upload",
            {**job.change, "objects": cargo.wire},
            stream=compress(cargo, counter),
            on_event=lambda event: emit(_progress(event)),
            deadline=_UPLOAD_SECONDS,
        )
    text = f"{count_files(len(cargo.entries))}, {cargo.size:,} bytes as {counter.sent:,}"
    emit(Event("done", "upload", text, seconds=_since(began)))
    return len(cargo.entries), counter.sent


def _progress(event: Mapping[str, Any]) -> Event:
    return Event("progress", "upload", done=event["done"], total=event["total"], unit="bytes")


def _since(moment: float) -> float:
    return time.monotonic() - moment
