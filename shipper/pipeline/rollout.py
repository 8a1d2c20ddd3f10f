"""From a plan for each server to a target that serves one release: the first server goes first, then the others.

Whatever fails on one of them, those that had switched already go back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from shipper.errors import ShipperError
from shipper.events import Emit, Event, of_server
from shipper.findings import Finding
from shipper.host.session import AgentSession
from shipper.pipeline.activate import activate
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan, activation_steps
from shipper.pipeline.server import ServerState, read_state


@dataclass(frozen=True)
class Member:
    """One server with the plan for it."""

    job: Job
    session: AgentSession
    state: ServerState
    plan: Plan


@dataclass(frozen=True)
class Report:
    """How it ended: what is live now, on which servers, what it took (seconds, contents, bytes), and troubles after
    the switches. `plan` is the first server's; `findings` are what was found out when the release was live.
    """

    plan: Plan
    live: str
    url: str
    seconds: float
    files: int = 0
    bytes_sent: int = 0
    trouble: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    outcome: Literal["live", "unchanged", "declined"] = "live"
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Ended:
    """How the activation on one server ended: the agent's result, or what went wrong."""

    member: Member
    result: Mapping[str, Any] | None = None
    error: ShipperError | None = None


def roll_out(members: Sequence[Member], parallel: int, emit: Emit) -> tuple[str, ...]:
    """Run the plans: the first server's, then `parallel` at a time; return the troubles after the switches.

    Raises the error of the server that failed; with several servers it says what became of each.
    """
    waiting = [member for member in members if not member.plan.nothing_to_do]
    switched: list[Member] = []
    trouble: list[str] = []
    while waiting:
        batch = waiting[: parallel if switched else 1]
        waiting = waiting[len(batch) :]
        # While servers differ, visitors may see the other release at the address that all share.
        mixed = [member for member in members if member not in (*switched, *(batch if len(batch) == 1 else ()))]
        ended = _activate_each(batch, {member.state.live for member in mixed}, emit)
        switched += [end.member for end in ended if end.result is not None]
        trouble += [_of(end.member, text) for end in ended if end.result for text in end.result["trouble"]]
        failed = next((end for end in ended if end.error), None)
        if failed and failed.error:
            raise failed.error if len(members) == 1 else _explained(members, switched, failed, failed.error, emit)
    return tuple(trouble)


def _activate_each(batch: Sequence[Member], accepted: Collection[str], emit: Emit) -> list[_Ended]:
    if len(batch) == 1:  # in this thread, so that Ctrl-C is heard
        return [_activate(batch[0], accepted, emit)]
    with ThreadPoolExecutor(len(batch), thread_name_prefix="activate") as pool:
        return list(pool.map(lambda member: _activate(member, accepted, emit), batch))


def _activate(member: Member, accepted: Collection[str], emit: Emit) -> _Ended:
    told = of_server(emit, member.job.server)
    try:
        return _Ended(member, activate(member.job, member.session, member.plan, told, accepted))
    except ShipperError as error:
        return _Ended(member, error=error)


def _explained(
    members: Sequence[Member], switched: Sequence[Member], failed: _Ended, error: ShipperError, emit: Emit
) -> ShipperError:
    """Take the switched servers back; return the error with what became of every server."""
    emit(Event("note", "rollout", f"{failed.member.job.server} failed; what had switched goes back."))
    became = {member.job.server: "not touched" for member in members}
    became[failed.member.job.server] = "failed, and keeps what it had"
    ids = {member.state.live for member in members} | {failed.member.plan.record["id"]}
    for member in reversed(switched):
        became[member.job.server] = _go_back(member, ids, emit)
    lines = [f"{server}: {words}" for server, words in became.items()]
    return type(error)(_of(failed.member, error.what), why="\n".join([*lines, error.why]).strip(), fix=error.fix)


def _go_back(member: Member, accepted: Collection[str], emit: Emit) -> str:
    record = member.state.live_record
    if record is None:
        return f"keeps {member.plan.record['id']}, because nothing was live before"
    try:
        now = read_state(member.session, member.job)
        plan = Plan("rollback", record, activation_steps(record, now, member.job.target))
        activate(member.job, member.session, plan, of_server(emit, member.job.server), accepted)
    except ShipperError as error:
        return f"could not go back ({error.what}): inv rollback"
    return f"went back to {record['id']}"


def _of(member: Member, text: str) -> str:
    return f"{member.job.server}: {text}" if member.job.server else text
