"""`inv ship`, as a story: gather what is needed, plan, ask, send what the server lacks, let the agent bring it live."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from shipper.check.environment import check_server_environment
from shipper.check.routes import check_prefixes
from shipper.check.web_settings import Source, check_web_settings
from shipper.deliver.manifest import Tree
from shipper.deliver.upload import Cargo, Counter, choose, compress, keys_of, objects_of, room_besides
from shipper.errors import ConnectionLostError
from shipper.events import Emit, Event, count_files, count_layers, of_server
from shipper.findings import Finding, refuse_errors
from shipper.pipeline.containers import renew_parts
from shipper.pipeline.cors import check_cors, origins_across
from shipper.pipeline.gather import Gathered, Reached, gather, new_release_id
from shipper.pipeline.history import recording
from shipper.pipeline.job import Job
from shipper.pipeline.parts import BackendParts, slot_name
from shipper.pipeline.plan import Plan, activation_steps, check_second_copy, ship_steps
from shipper.pipeline.record import is_live, release_record
from shipper.pipeline.rollout import Member, Report, roll_out
from shipper.pipeline.server import Record, connect, lock_server

_UPLOAD_SECONDS = 3600.0
# The server reads all of the contents that it will use, to find damaged ones.
_PREPARE_SECONDS = 600.0
# Pauses before a lost connection is opened again; the next loss after them ends the ship.
_RECONNECT_SECONDS = (1.0, 3.0, 9.0)
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
    return tuple(
        Member(server.job, server.session, server.state, _plan(server, gathered, record, live, number == 0))
        for number, (server, record) in enumerate(pairs)
    )


def record_of(server: Reached, gathered: Gathered, release_id: str) -> Record:
    """Return the record that a release made of what was gathered would have on this server."""
    project, parts = server.job.workspace.project, server.parts
    slot = slot_name(parts, project.backend, server.state.environment_digest) if parts and project.backend else ""
    return release_record(
        release_id, gathered.origin, project, server.job.target, gathered.site, slot, parts, server.nginx
    )


def _plan(server: Reached, gathered: Gathered, record: Record, live: bool, first: bool) -> Plan:
    job, state = server.job, server.state
    findings = tuple(_findings(server, gathered))
    if live:
        return Plan("ship", record, (), findings)
    refuse_errors(check_second_copy(record, state, job.target, job.target_name))
    known = state.live_record
    if len(gathered.servers) == 1 and known and all((known.get(key) or "") == (record.get(key) or "") for key in _SAME):
        # All of it is there; only what runs or what is installed is not as it should be.
        return Plan("ship", known, activation_steps(known, state, job.target), findings)
    trees = _trees(server, gathered, record)
    cargo = choose(trees, server.session.call("missing", {"app": job.app, "keys": keys_of(trees)}))
    steps = ship_steps(record, state, job.workspace.project, job.target, gathered.site, server.parts, cargo)
    # The database is one for all servers: the first one migrates it.
    return Plan("ship", record, tuple(step for step in steps if first or step.name != "migrate"), findings)


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


def _trees(server: Reached, gathered: Gathered, record: Record) -> list[Tree]:
    """Return the trees that will be laid out: a slot that is there already needs none of its contents."""
    trees = [gathered.site.tree] if gathered.site else []
    if server.parts and record["slot"] not in server.state.slots:
        trees += [server.parts.code, server.parts.dependencies]
    return trees


def ship(job: Job, emit: Emit, confirm: Callable[[Sequence[Member]], bool]) -> Report:
    """Ship the project to the target; `confirm` sees the plans before anything on a server is changed.

    Raises the errors of shipper.errors; with each of them the old release is still serving. How it went is recorded.
    """
    with recording(job, "ship", emit) as record:
        return record.ended(_ship(job, record, record.watched(confirm)))


def _ship(job: Job, emit: Emit, confirm: Callable[[Sequence[Member]], bool]) -> Report:
    started = time.monotonic()
    url = job.target.public_url
    with ExitStack() as stack:
        gathered = stack.enter_context(gather(job, emit))
        members = plan_ship(gathered)
        plan = members[0].plan
        if plan.nothing_to_do:
            return Report(plan, members[0].state.live, url, _since(started), outcome="unchanged")
        asked = time.monotonic()
        if not confirm(members):
            return Report(plan, members[0].state.live, url, _since(started), outcome="declined")
        started += _since(asked)  # how long somebody thought about it is not how long it took
        gathered, members = _lock(gathered, members, emit)
        plan = members[0].plan
        if plan.nothing_to_do:
            return Report(plan, members[0].state.live, url, _since(started), outcome="unchanged")
        _publish(gathered, plan, emit)
        members, files, sent = _transfer_each(gathered, members, stack, emit)
        trouble = roll_out(members, job.target.parallel, emit)
        servers = tuple(member.job.server for member in members)
        found = _ask_across(job, emit)
        release_id = plan.record["id"]
        return Report(plan, release_id, url, _since(started), files, sent, trouble, servers, findings=found)


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


def _publish(gathered: Gathered, plan: Plan, emit: Emit) -> None:
    """Do once what all servers need before they fetch their image."""
    containers = [server.parts.containers for server in gathered.servers if server.parts]
    if gathered.images:
        gathered.images.publish([one.parcel for one in containers if one], plan.record["id"], emit)


def _lock(gathered: Gathered, members: tuple[Member, ...], emit: Emit) -> tuple[Gathered, tuple[Member, ...]]:
    """Take the locks, in the order of the servers; plan anew when one of them is not what the plan was made for."""
    states = [lock_server(server.job, server.session, "ship") for server in gathered.servers]
    if all(state.plans_alike(member.state) for state, member in zip(states, members, strict=True)):
        return gathered, members
    emit(Event("note", "plan", "The server was changed meanwhile; the plan is made anew."))
    parts: list[BackendParts | None] = [server.parts for server in gathered.servers]
    if gathered.images:  # what an image lacks there, and the variables in what Compose runs, come from the state
        jobs = [server.job for server in gathered.servers]
        parts = [*renew_parts(jobs, states, [part for part in parts if part], gathered.images, emit)]
    servers = (
        replace(server, state=state, parts=part)
        for server, state, part in zip(gathered.servers, states, parts, strict=True)
    )
    gathered = replace(gathered, servers=tuple(servers))
    return gathered, plan_ship(gathered)


def _transfer_each(
    gathered: Gathered, members: Sequence[Member], stack: ExitStack, emit: Emit
) -> tuple[tuple[Member, ...], int, int]:
    """Send every server what it lacks, side by side.

    Returns the members, with other sessions where the connection was lost meanwhile, and how many contents and bytes
    travelled.
    """
    pairs = list(zip(gathered.servers, members, strict=True))
    if len(pairs) == 1:  # in this thread, so that Ctrl-C is heard at once
        sent = [_transfer(pairs[0][0], pairs[0][1], gathered, stack, emit)]
    else:
        with ThreadPoolExecutor(len(pairs), thread_name_prefix="transfer") as pool:
            sent = list(pool.map(lambda pair: _transfer(pair[0], pair[1], gathered, stack, emit), pairs))
    return tuple(member for member, _, _ in sent), sum(files for _, files, _ in sent), sum(size for _, _, size in sent)


def _transfer(
    server: Reached, member: Member, gathered: Gathered, stack: ExitStack, emit: Emit
) -> tuple[Member, int, int]:
    """Send what the server lacks, over another connection when one is lost: what arrived stays and counts."""
    if not any(step.name == "upload" for step in member.plan.steps):
        return member, 0, 0
    began = time.monotonic()
    emit = of_server(emit, server.job.server)
    emit(Event("start", "upload", "What the server lacks"))
    trees = _trees(server, gathered, member.plan.record)
    counter, image = Counter(), 0
    lacked = None
    for pause in (*_RECONNECT_SECONDS, None):
        try:
            cargo = _prepare(server, member, gathered, trees)
            lacked = lacked or cargo
            _upload(member, cargo, counter, emit)
            text = f"{count_files(len(lacked.entries))}, {lacked.size:,} bytes as {counter.sent:,}"
            whole = _size_of_all(server, gathered)
            emit(Event("done", "upload", text, counter.sent, whole, "bytes", seconds=_since(began)))
            if any(step.name == "image" for step in member.plan.steps):
                image = _send_image(server, member, gathered, emit)
            break
        except ConnectionLostError as error:
            if pause is None:
                raise
            emit(Event("note", "upload", f"{error.what} Connecting again; what arrived stays."))
            time.sleep(pause)
            member = replace(member, session=stack.enter_context(connect(server.job, emit)))
            lock_server(server.job, member.session, "ship")
    return member, len(lacked.entries) if lacked else 0, counter.sent + image


def _size_of_all(server: Reached, gathered: Gathered) -> int:
    """Return the bytes of all that the release is made of: what a copy of everything would send."""
    trees = [gathered.site.tree] if gathered.site else []
    trees += [server.parts.code, server.parts.dependencies] if server.parts else []
    return sum({entry.value: entry.size for tree in trees for entry in tree.files}.values())


def _prepare(server: Reached, member: Member, gathered: Gathered, trees: Sequence[Tree]) -> Cargo:
    """Let the server make room; return what it lacks."""
    containers = server.parts.containers if server.parts else None
    pieces = [gathered.images.pieces(containers.parcel)] if containers and gathered.images else []
    asked = {
        **member.job.change,
        "keep": member.job.target.keep,
        "image": member.plan.record["image"],
        "image_room": containers.parcel.room if containers else 0,
        "objects": objects_of([*trees, *pieces]),
        "room": room_besides(trees),
    }
    return choose(trees, member.session.call("prepare", asked, deadline=_PREPARE_SECONDS))


def _upload(member: Member, cargo: Cargo, counter: Counter, emit: Emit) -> None:
    if cargo.entries:
        member.session.call(
            "upload",
            {**member.job.change, "objects": cargo.wire},
            stream=compress(cargo, counter),
            on_event=lambda event: emit(_progress(event)),
            deadline=_UPLOAD_SECONDS,
        )


def _send_image(server: Reached, member: Member, gathered: Gathered, emit: Emit) -> int:
    """Let the server's engine have what it lacks of the image; return how many bytes went there from here."""
    assert server.parts and server.parts.containers and gathered.images
    parcel, began = server.parts.containers.parcel, time.monotonic()
    emit(Event("start", "image", f"Image {parcel.name}"))
    sent = gathered.images.send(member.session, member.job.change, parcel, emit)
    size = f", {sent:,} bytes" if sent else ", by the server itself"
    emit(Event("done", "image", f"{count_layers(parcel.count)}{size}", sent, unit="bytes", seconds=_since(began)))
    return sent


def _progress(event: Mapping[str, Any]) -> Event:
    return Event("progress", "upload", done=event["done"], total=event["total"], unit="bytes")


def _since(moment: float) -> float:
    return time.monotonic() - moment
