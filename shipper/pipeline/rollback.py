"""`inv rollback`: site, backend and environment of an earlier release together; nothing is built, nothing travels."""

from __future__ import annotations

import time
from collections.abc import Callable

from shipper.config.project import Target
from shipper.errors import ConfigError
from shipper.events import Emit, Event
from shipper.findings import refuse_errors
from shipper.pipeline.activate import Report, activate
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan, activation_steps, check_second_copy
from shipper.pipeline.server import Record, ServerState, connect, lock_server, read_state


def choose_release(state: ServerState, wanted: str | None) -> Record:
    """Return the record to go back to: the wanted one, else the newest good one before the live one.

    Raises ConfigError for an unknown or failed release, and when there is nothing to go back to.
    """
    if wanted:
        record = state.release(wanted)
        if record["state"] != "good":
            raise ConfigError(
                f"{wanted} was never live and healthy, so it is no way back.",
                fix="inv status   (shows the good ones)",
            )
        return record
    # Nothing is live when somebody removed the live release by hand: then the newest good one is the way back.
    earlier = [r for r in state.releases if r["state"] == "good" and (not state.live or r["id"] < state.live)]
    if not earlier:
        raise ConfigError(
            "There is no earlier good release to go back to.",
            why=f"Live is {state.live or 'nothing'}.",
            fix="Name one of `inv status`: inv rollback <release>",
        )
    return earlier[0]


def plan_rollback(state: ServerState, wanted: str | None, target: Target, target_name: str) -> Plan:
    """Compute the plan of a rollback; no steps when the release is live already. Raises FindingsError."""
    record = choose_release(state, wanted)
    if record["id"] == state.live:
        return Plan("rollback", record, ())
    if record["slot"] and record["slot"] not in state.slots:
        raise ConfigError(
            f"The backend of {record['id']} is no longer on the server (slot {record['slot']}).",
            fix="Check out its commit and ship that: git checkout " + (record["commit"][:7] or "<commit>"),
        )
    refuse_errors(check_second_copy(record, state, target, target_name))
    return Plan("rollback", record, activation_steps(record, state, target))


def rollback(job: Job, wanted: str | None, emit: Emit, confirm: Callable[[Plan], bool]) -> Report:
    """Make an earlier release live again. Raises the errors of shipper.errors; then what was live still is."""
    started = time.monotonic()
    with connect(job, emit) as session:
        state = read_state(session, job.app)
        plan = plan_rollback(state, wanted, job.target, job.target_name)
        url = job.target.public_url
        if plan.nothing_to_do:
            return Report(plan, state.live, url, time.monotonic() - started, outcome="unchanged")
        asked = time.monotonic()
        if not confirm(plan):
            return Report(plan, state.live, url, time.monotonic() - started, outcome="declined")
        started += time.monotonic() - asked
        locked = lock_server(job, session, "rollback")
        if not locked.plans_alike(state):
            emit(Event("note", "plan", "The server was changed meanwhile; the plan was made anew."))
            plan = plan_rollback(locked, plan.record["id"], job.target, job.target_name)
            if plan.nothing_to_do:
                return Report(plan, locked.live, url, time.monotonic() - started, outcome="unchanged")
        result = activate(job, session, plan, emit)
        return Report(plan, result["live"], url, time.monotonic() - started, trouble=tuple(result["trouble"]))
