"""`inv rollback`: site, backend and environment of an earlier release together; nothing is built, nothing travels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from shipper.config.target import Target
from shipper.errors import ConfigError, ShipperError
from shipper.events import Emit, Event
from shipper.findings import refuse_errors
from shipper.pipeline.history import recording
from shipper.pipeline.hooks import hook_steps, run_on_failure
from shipper.pipeline.job import Job
from shipper.pipeline.plan import NO_HOOKS, HookSteps, Plan, activation_steps, check_second_copy
from shipper.pipeline.rollout import Member, Report, roll_out, round_trips_of
from shipper.pipeline.server import ServerState, connect_each, lock_each, read_state


def choose_release(states: Sequence[ServerState], wanted: str | None) -> str:
    """Return the id to go back to: the wanted one, else the newest before the live one that is good on all servers.

    Raises ConfigError for an unknown or failed release, and when there is nothing to go back to.
    """
    if wanted:
        for state in states:
            if state.release(wanted)["state"] != "good":
                raise ConfigError(
                    f"{wanted} was never live and healthy, so it is no way back.",
                    fix="inv status   (shows the good ones)",
                )
        return wanted
    common = set.intersection(*(_earlier(state) for state in states))
    if not common:
        raise ConfigError(
            "There is no earlier good release to go back to.",
            why=f"Live is {states[0].live or 'nothing'}.",
            fix="Name one of `inv status`: inv rollback --release <release>",
        )
    return max(common)


def _earlier(state: ServerState) -> set[str]:
    """Return the good releases before the live one; all of them when somebody removed the live one by hand."""
    return {r["id"] for r in state.releases if r["state"] == "good" and (not state.live or r["id"] < state.live)}


def plan_rollback(
    state: ServerState, release_id: str, target: Target, target_name: str, hooks: HookSteps = NO_HOOKS
) -> Plan:
    """Compute the plan of a rollback of one server; no steps when the release is live. Raises FindingsError."""
    record = state.release(release_id)
    if record["id"] == state.live:
        return Plan("rollback", record, ())
    if record["slot"] and record["slot"] not in state.slots:
        raise ConfigError(
            f"The backend of {record['id']} is no longer on the server (slot {record['slot']}).",
            fix="Check out its commit and ship that: git checkout " + (record["commit"][:7] or "<commit>"),
        )
    refuse_errors(check_second_copy(record, state, target, target_name))
    steps = (*activation_steps(record, state, target, hooks), *hooks.afterwards)
    return Plan("rollback", record, steps, on_failure=hooks.on_failure)


def _plan(job: Job, state: ServerState, release_id: str, first: bool) -> Plan:
    hooks = hook_steps(job, state.release(release_id), state, "rollback", first=first)
    return plan_rollback(state, release_id, job.target, job.target_name, hooks)


def rollback(job: Job, wanted: str | None, emit: Emit, confirm: Callable[[Sequence[Member]], bool]) -> Report:
    """Make an earlier release live again. Raises the errors of shipper.errors; then what was live still is."""
    with recording(job, "rollback", emit) as record:
        try:
            return record.ended(_rollback(job, wanted, record, record.watched(confirm)))
        except ShipperError as error:
            run_on_failure(job, "rollback", error, record)
            raise


def _rollback(job: Job, wanted: str | None, emit: Emit, confirm: Callable[[Sequence[Member]], bool]) -> Report:
    started = time.monotonic()
    url = job.target.public_url
    with connect_each(job, emit) as sessions:
        states = [read_state(session, one) for one, session in sessions]
        release_id = choose_release(states, wanted)
        members = [
            Member(one, session, state, _plan(one, state, release_id, number == 0))
            for number, ((one, session), state) in enumerate(zip(sessions, states, strict=True))
        ]
        plan = next((member.plan for member in members if not member.plan.nothing_to_do), members[0].plan)
        if plan.nothing_to_do:
            seconds = time.monotonic() - started
            return Report(plan, release_id, url, seconds, outcome="unchanged", round_trips=round_trips_of(members))

        def declined(state: ServerState) -> Report:
            seconds = time.monotonic() - started
            return Report(plan, state.live, url, seconds, outcome="declined", round_trips=round_trips_of(members))

        asked = time.monotonic()
        if not confirm(members):
            return declined(states[0])
        started += time.monotonic() - asked
        under = lock_each([(member.job, member.session) for member in members], "rollback")
        locked = [
            _locked(member, state, emit, first=member is members[0])
            for member, state in zip(members, under, strict=True)
        ]
        asked = time.monotonic()
        if locked != members and not confirm(locked):
            return declined(under[0])
        started += time.monotonic() - asked
        after = roll_out(locked, job.target.parallel, emit)
        servers = tuple(one.server for one, _ in sessions)
        seconds = time.monotonic() - started
        return Report(
            plan,
            release_id,
            url,
            seconds,
            trouble=after.trouble,
            servers=servers,
            failed_hooks=after.failed_hooks,
            round_trips=round_trips_of(members),
        )


def _locked(member: Member, state: ServerState, emit: Emit, *, first: bool) -> Member:
    """Plan anew when the server, seen under its lock, is not what the plan was made for."""
    if state.plans_alike(member.state):
        return member
    emit(Event("note", "plan", "The server was changed meanwhile; the plan is made anew.", server=member.job.server))
    plan = _plan(member.job, state, member.plan.record["id"], first)
    return replace(member, state=state, plan=plan)
