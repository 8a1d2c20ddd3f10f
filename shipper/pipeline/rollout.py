"""From a plan for each server to a target that serves one release: the first server goes first, then the others.

Whatever fails on one of them, those that had switched already go back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from shipper.completion.known import remember_releases
from shipper.deliver.consignment import Presence
from shipper.errors import ConnectionLostError, ShipperError, StoppedTooLateError
from shipper.events import Emit, Event, of_server
from shipper.findings import Finding
from shipper.host.session import AgentSession
from shipper.pipeline.activate import activate
from shipper.pipeline.hooks import because, failure_steps, run_after_switch
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan, activation_steps
from shipper.pipeline.server import ServerState, read_state


@dataclass(frozen=True)
class Member:
    """One server with the plan for it, what it has by then, and whether its lock is ours already."""

    job: Job
    session: AgentSession
    state: ServerState
    plan: Plan
    presence: Presence = field(default_factory=Presence)
    locked: bool = False


@dataclass(frozen=True)
class Report:
    """How it ended: what is live now, on which servers, what it took (seconds, contents, bytes), and troubles after
    the switches, with the hooks among them that failed. `plan` is the first server's; `findings` are what was found out
    when the release was live. `round_trips` are those to the servers' agents (shipper.host.session), together.
    """

    plan: Plan
    live: str
    url: str
    seconds: float
    files: int = 0
    bytes_sent: int = 0
    trouble: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    failed_hooks: tuple[str, ...] = ()
    outcome: Literal["live", "unchanged", "declined"] = "live"
    findings: tuple[Finding, ...] = ()
    round_trips: int = 0


def round_trips_of(members: Sequence[Member]) -> int:
    """Return how often the members' agents were talked to so far."""
    return sum(member.session.round_trips for member in members)


@dataclass(frozen=True)
class Aftermath:
    """What went wrong after the switches, in lines for people, and the steps of the hooks among it."""

    trouble: tuple[str, ...] = ()
    failed_hooks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Ended:
    """How the activation on one server ended: the agent's result, or what went wrong."""

    member: Member
    result: Mapping[str, Any] | None = None
    error: ShipperError | None = None

    @property
    def is_live(self) -> bool:
        """Whether the release is live there, also when that was not wanted any more."""
        return self.result is not None or isinstance(self.error, StoppedTooLateError)


def roll_out(members: Sequence[Member], parallel: int, emit: Emit) -> Aftermath:
    """Run the plans: the first server's, then `parallel` at a time, and then the hooks of this machine.

    Raises the error of the server that failed; with several servers it says what became of each.
    """
    waiting = [member for member in members if not member.plan.nothing_to_do]
    switched: list[Member] = []
    trouble: list[str] = []
    failed_hooks: list[str] = []
    while waiting:
        batch = waiting[: parallel if switched else 1]
        waiting = waiting[len(batch) :]
        # While servers differ, visitors may see the other release at the address that all share.
        mixed = [member for member in members if member not in (*switched, *(batch if len(batch) == 1 else ()))]
        ended = _activate_each(batch, {member.state.live for member in mixed}, emit)
        switched += [end.member for end in ended if end.is_live]
        trouble += [_of(end.member, text) for end in ended if end.result for text in end.result["trouble"]]
        failed_hooks += [_of(end.member, step) for end in ended if end.result for step in end.result["hooks"]]
        failed = [end for end in ended if end.error]
        if failed and failed[0].error:
            raise failed[0].error if len(members) == 1 else _explained(members, switched, failed, failed[0].error, emit)
    if switched:
        first, plan = members[0], members[0].plan
        releases = [{**plan.record, "state": "good"}, *first.state.releases]
        remember_releases(first.job.workspace.cache, first.job.target_name, plan.record["id"], releases)
        for step, text in run_after_switch(first.job, plan.record, first.state.live, plan.action, emit):
            trouble.append(f"{step}: {text}")
            failed_hooks.append(step)
    return Aftermath(tuple(trouble), tuple(failed_hooks))


def _activate_each(batch: Sequence[Member], accepted: Collection[str], emit: Emit) -> list[_Ended]:
    if len(batch) == 1:  # in this thread, so that Ctrl-C is heard
        return [_activate(batch[0], accepted, emit)]
    with ThreadPoolExecutor(len(batch), thread_name_prefix="activate") as pool:
        return list(pool.map(lambda member: _activate(member, accepted, emit), batch))


def _activate(member: Member, accepted: Collection[str], emit: Emit) -> _Ended:
    told = of_server(emit, member.job.server)
    try:
        return _Ended(member, activate(member.job, member.session, member.plan, told, accepted, member.state.live))
    except ShipperError as error:
        return _Ended(member, error=error)


def _explained(
    members: Sequence[Member], switched: Sequence[Member], failed: Sequence[_Ended], error: ShipperError, emit: Emit
) -> ShipperError:
    """Take the switched servers back; return the error, that of the first that failed, with what became of each."""
    first = failed[0].member
    emit(Event("note", "rollout", f"{first.job.server} failed; what had switched goes back."))
    became = {member.job.server: "not touched" for member in members}
    became |= {end.member.job.server: _failed(end.error) for end in failed}
    ids = {member.state.live for member in members} | {first.plan.record["id"]}
    for member in reversed(switched):
        became[member.job.server] = _go_back(member, ids, error.what, emit, first=member is members[0])
    lines = [f"{server}: {words}" for server, words in became.items()]
    return type(error)(_of(first, error.what), why="\n".join([*lines, error.why]).strip(), fix=error.fix)


def _failed(error: ShipperError | None) -> str:
    if isinstance(error, ConnectionLostError):  # the agent finishes without us, one way or the other
        return "lost on the way; it ends by itself what was begun there: inv status"
    return "failed, and keeps what it had"


def _go_back(member: Member, accepted: Collection[str], reason: str, emit: Emit, *, first: bool) -> str:
    record = member.state.live_record
    if record is None:
        return f"keeps {member.plan.record['id']}, because nothing was live before"
    try:
        now = read_state(member.session, member.job)
        steps = activation_steps(record, now, member.job.target)
        told = failure_steps(member.job, member.plan.record, record, now, "ship", first=first)
        plan = Plan("rollback", record, (*steps, *(because(step, reason, record["id"]) for step in told)))
        activate(member.job, member.session, plan, of_server(emit, member.job.server), accepted)
    except ShipperError as error:
        return f"could not go back ({error.what}): inv rollback"
    return f"went back to {record['id']}"


def _of(member: Member, text: str) -> str:
    return f"{member.job.server}: {text}" if member.job.server else text
