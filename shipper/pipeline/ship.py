"""`inv ship`, as a story: gather what is needed, plan, ask, send what the server lacks, let the agent bring it live."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Literal

from shipper.check.environment import check_server_environment
from shipper.check.routes import check_prefixes
from shipper.check.web_settings import Source, check_web_settings
from shipper.deliver.consignment import Presence
from shipper.deliver.upload import choose
from shipper.errors import ShipperError, StaleError
from shipper.events import Emit, Event
from shipper.findings import Finding, refuse_errors
from shipper.limit import Limit
from shipper.pipeline.cors import check_cors, origins_across
from shipper.pipeline.gather import Gathered, Reached, gather, new_release_id
from shipper.pipeline.history import recording
from shipper.pipeline.hooks import hook_steps, run_on_failure
from shipper.pipeline.job import Job
from shipper.pipeline.parts import BackendParts, slot_name
from shipper.pipeline.plan import Plan, activation_steps, check_second_copy, cors_steps, ship_steps
from shipper.pipeline.record import is_live, release_record
from shipper.pipeline.rollout import Member, Report, roll_out, round_trips_of
from shipper.pipeline.server import Record, lock_each
from shipper.pipeline.transfer import Transferred, presence, remember, transfer_each, trees_of

# What makes a release the same as the live one, but for its id.
_SAME = ("site", "slot", "nginx", "static", "unit", "socket", "proxy", "boot", "services")


def plan_ship(gathered: Gathered) -> tuple[Member, ...]:
    """Compute the plan of a ship for each server. Reads from them what they lack; writes nothing.

    When one of several servers needs the release, all get it: they shall have the same one. Raises FindingsError.
    """
    release_id = new_release_id(gathered.origin, [server.state for server in gathered.servers])
    refuse_errors(gathered.findings)
    refuse_errors(finding for server in gathered.servers for finding in _findings(server, gathered))
    records = [record_of(server, gathered, release_id) for server in gathered.servers]
    pairs = list(zip(gathered.servers, records, strict=True))
    live = all(is_live(record, server.state) for server, record in pairs)
    members = []
    for number, (server, record) in enumerate(pairs):
        there = Presence() if live else presence(server, trees_of(server, gathered, record))
        plan = _plan(server, gathered, record, there, live, number == 0)
        members.append(Member(server.job, server.session, server.state, plan, there))
    return tuple(members)


def record_of(server: Reached, gathered: Gathered, release_id: str) -> Record:
    """Return the record that a release made of what was gathered would have on this server."""
    project, parts = server.job.workspace.project, server.parts
    slot = slot_name(parts, project.backend, server.state.environment_digest) if parts and project.backend else ""
    return release_record(
        release_id, gathered.origin, project, server.job.target, gathered.site, slot, parts, server.nginx
    )


def _plan(server: Reached, gathered: Gathered, record: Record, there: Presence, live: bool, first: bool) -> Plan:
    job, state = server.job, server.state
    findings = tuple(_findings(server, gathered))
    if live:
        return Plan("ship", record, (), findings)
    refuse_errors(check_second_copy(record, state, job.target, job.target_name))
    hooks = hook_steps(job, record, state, "ship", first=first)
    known = state.live_record
    if len(gathered.servers) == 1 and known and all((known.get(key) or "") == (record.get(key) or "") for key in _SAME):
        # All of it is there; only what runs or what is installed is not as it should be.
        again = hook_steps(job, known, state, "ship", first=first)
        asked = cors_steps(job.workspace.project, job.target)
        steps = (*activation_steps(known, state, job.target, again), *again.afterwards, *asked)
        return Plan("ship", known, steps, findings, again.on_failure)
    cargo = choose(trees_of(server, gathered, record).values(), there.missing)
    steps = ship_steps(record, state, job.workspace.project, job.target, gathered.site, server.parts, cargo, hooks)
    # The database is one for all servers: the first one migrates it.
    return Plan(
        "ship", record, tuple(step for step in steps if first or step.name != "migrate"), findings, hooks.on_failure
    )


def _findings(server: Reached, gathered: Gathered) -> list[Finding]:
    project = server.job.workspace.project
    state, findings = server.state, list(gathered.findings)
    if server.parts and server.parts.containers:
        findings += server.parts.containers.findings
    if project.backend:
        present, empty = state.environment, state.empty_variables
        name, target = server.job.target_name, server.job.target
        findings += check_server_environment(project.backend, present, empty, name)
        findings += check_web_settings(state.settings, project, target, name, Source())
    if gathered.site and project.backend:
        findings += check_prefixes(gathered.site.tree, project.backend)
    return findings


def ship(
    job: Job,
    emit: Emit,
    confirm: Callable[[Sequence[Member]], bool],
    is_wanted: Callable[[], bool] = lambda: True,
) -> Report:
    """Ship the project to the target; `confirm` sees the plans before anything on a server is changed.

    It sees them again when they had to be made anew, because a server was changed meanwhile. A failure after
    `is_wanted` says no is none that the hooks of a failure are told, and leaves no record: somebody called the ship
    off. Raises the errors of shipper.errors; with each of them the old release is still serving. How it went is
    recorded.
    """
    with recording(job, "ship", emit) as record:
        try:
            return record.ended(_ship(job, record, record.watched(confirm)))
        except ShipperError as error:
            record.unwanted = not is_wanted()
            if not record.unwanted:
                run_on_failure(job, "ship", error, record)
            raise


class DeclinedError(Exception):
    """Somebody saw plans that had to be made anew, those of `members`, and said no."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = members


def _ship(job: Job, emit: Emit, confirm: Callable[[Sequence[Member]], bool]) -> Report:
    started = time.monotonic()
    url = job.target.public_url

    def ask(members: Sequence[Member]) -> bool:
        nonlocal started
        asked = time.monotonic()
        try:
            return confirm(members)
        finally:
            started += _since(asked)  # how long somebody thought about it is not how long it took

    with ExitStack() as stack:
        gathered = stack.enter_context(gather(job, emit))
        members = plan_ship(gathered)
        if members[0].plan.nothing_to_do:
            return _nothing_done(members, url, _since(started), "unchanged")
        if not ask(members):
            return _nothing_done(members, url, _since(started), "declined")
        try:
            gathered, members, sent = _send(gathered, members, stack, emit, ask)
        except DeclinedError as declined:
            return _nothing_done(declined.members, url, _since(started), "declined")
        plan = members[0].plan
        if sent is None:
            return _nothing_done(members, url, _since(started), "unchanged")
        try:
            after = roll_out(sent.members, job.target.parallel, emit)
        finally:
            remember(gathered, job.workspace.cache)
        servers = tuple(member.job.server for member in members)
        found = _ask_across(job, emit)
        release_id = plan.record["id"]
        return Report(
            plan,
            release_id,
            url,
            _since(started),
            sent.files,
            sent.sent,
            after.trouble,
            servers,
            after.failed_hooks,
            findings=found,
            round_trips=round_trips_of(sent.members),
        )


def _nothing_done(
    members: Sequence[Member], url: str, seconds: float, outcome: Literal["unchanged", "declined"]
) -> Report:
    first = members[0]
    return Report(first.plan, first.state.live, url, seconds, outcome=outcome, round_trips=round_trips_of(members))


def _ask_across(job: Job, emit: Emit) -> tuple[Finding, ...]:
    """Ask the API on another origin as a browser would, now that the site calls it."""
    project = job.workspace.project
    origins = origins_across(project, job.target)
    if origins is None:
        return ()
    began = time.monotonic()
    emit(Event("start", "cors", f"Asking {origins[1]} as a browser does"))
    found = tuple(check_cors(project, job.target))
    text = "a browser would object; see below" if found else "browsers let the site read the API's answers"
    emit(Event("done", "cors", text, seconds=_since(began)))
    return found


def _is_quick(gathered: Gathered, plan: Plan) -> bool:
    """Whether the lock can be taken with the delivery, which saves its round trip.

    Several servers are locked before anything goes to one of them. An image is published and looked for under the lock.
    """
    return len(gathered.servers) == 1 and not gathered.images and any(step.name == "upload" for step in plan.steps)


def _send(
    gathered: Gathered,
    members: tuple[Member, ...],
    stack: ExitStack,
    emit: Emit,
    confirm: Callable[[Sequence[Member]], bool],
) -> tuple[Gathered, tuple[Member, ...], Transferred | None]:
    """Take the locks and send; return what is shipped in the end, and what was sent: None for nothing to do.

    Raises DeclinedError.
    """
    try:
        if not _is_quick(gathered, members[0].plan):
            gathered, members = _lock(gathered, members, emit, confirm)
        return gathered, members, _transfer(gathered, members, stack, emit)
    except StaleError:
        gathered, members = _lock(gathered, members, emit, confirm)
        return gathered, members, _transfer(gathered, members, stack, emit)


def _transfer(gathered: Gathered, members: tuple[Member, ...], stack: ExitStack, emit: Emit) -> Transferred | None:
    """Send the servers what they lack; None when, seen under the lock, there is nothing to do."""
    if members[0].plan.nothing_to_do:
        return None
    if all(member.locked for member in members):
        _publish(gathered, members[0].plan, emit)
    return transfer_each(gathered, members, stack, emit)


def _publish(gathered: Gathered, plan: Plan, emit: Emit) -> None:
    """Do once what all servers need before they fetch their image."""
    containers = [server.parts.containers for server in gathered.servers if server.parts]
    if gathered.images:
        limit = Limit.begin("image.push", gathered.servers[0].job.target.step_timeout)
        gathered.images.publish([one.parcel for one in containers if one], plan.record["id"], emit, limit)


def _lock(
    gathered: Gathered, members: tuple[Member, ...], emit: Emit, confirm: Callable[[Sequence[Member]], bool]
) -> tuple[Gathered, tuple[Member, ...]]:
    """Take the locks. Where a server is not what the plan was made for, plan anew and ask again: or DeclinedError."""
    states = lock_each([(server.job, server.session) for server in gathered.servers], "ship")
    if all(state.plans_alike(member.state) for state, member in zip(states, members, strict=True)):
        return gathered, tuple(replace(member, locked=True) for member in members)
    emit(Event("note", "plan", "The server was changed meanwhile; the plan is made anew."))
    parts: list[BackendParts | None] = [server.parts for server in gathered.servers]
    if gathered.images:  # what an image lacks there, and the variables in what Compose runs, come from the state
        from shipper.pipeline.containers import renew_parts

        jobs = [server.job for server in gathered.servers]
        parts = [*renew_parts(jobs, states, [part for part in parts if part], gathered.images, emit)]
    servers = (
        replace(server, state=state, parts=part)
        for server, state, part in zip(gathered.servers, states, parts, strict=True)
    )
    gathered = replace(gathered, servers=tuple(servers))
    members = tuple(replace(member, locked=True) for member in plan_ship(gathered))
    if not members[0].plan.nothing_to_do and not confirm(members):
        raise DeclinedError(members)
    return gathered, members


def _since(moment: float) -> float:
    return time.monotonic() - moment
