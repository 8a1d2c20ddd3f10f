"""The client's part in an activation: hand the plan to the agent, show what it tells, answer what it asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from shipper.events import Emit, Event
from shipper.host.session import AgentSession
from shipper.pipeline.hooks import answer_hook
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan
from shipper.pipeline.public import see_release

# A step ends at its limit over there: this, from one word to the next, is for a server that cannot even do that. The
# longest limit that a command of the project may have of its own (shipper.config), and a moment for the way back.
_OWN_SECONDS = 3600.0 + 300.0


def activate(
    job: Job, session: AgentSession, plan: Plan, emit: Emit, accepted: Collection[str] = (), previous: str = ""
) -> Mapping[str, Any]:
    """Let the agent run its part of the plan; answer its question about the public address from here, and run the hooks
    of this machine that it asks for.

    `previous` is what was live when the plan was made, `accepted` are the releases that may be seen at that address as
    well, because other servers still have them. Returns the agent's {"live", "seconds", "trouble", "hooks"}.
    """

    def answer(question: str, about: Mapping[str, Any]) -> object:
        if question == "hook":
            return answer_hook(job, plan.record, previous, plan.action, about["step"], emit)
        if question != "public":
            return None
        return see_release(job.target.public_url, {about["release"], *accepted}, about["paths"])

    titles = {step.name: step.title for step in (*plan.steps, *plan.on_failure)}

    def forward(event: Mapping[str, Any]) -> None:
        known = {key: event[key] for key in ("kind", "step", "text", "seconds") if key in event}
        if known["kind"] == "start":
            known["text"] = titles.get(known["step"], "")
        emit(Event(**known))

    limit = job.target.step_timeout
    request = {**job.change, "action": plan.action, "release": plan.record, "steps": plan.on_server, "limit": limit}
    request["on_failure"] = [step.wire for step in plan.on_failure]
    result: Mapping[str, Any] = session.call(
        "activate", request, on_event=forward, answer=answer, deadline=limit + _OWN_SECONDS, stoppable=True
    )
    return result
