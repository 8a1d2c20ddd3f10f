"""`inv lock.*`: who is changing the app on the server, and freezing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.report.as_json import Answer

_TO = "target of ship.toml; default: the only one, or the sandbox"


@command(help={"to": _TO, "json": "one JSON object instead of text"})
def show(context: Context, to: str = "", json: bool = False) -> Answer:
    """Show who is changing the app on the server, and whether it is frozen."""
    from shipper.pipeline.lock import show as show_state
    from shipper.report.as_json import servers_answer
    from shipper.report.console import show_server
    from shipper.report.lock import show_lock
    from shipper.report.reporter import Reporter

    job = find_job(to)
    states = show_state(job, Reporter())
    if not json:
        for server, state in states:
            show_server(server)
            show_lock(state["holder"], state["freeze"], job.app)
    return servers_answer(job, [(one, state) for one, (_, state) in zip(job.each, states, strict=True)])


@command(
    help={
        "reason": "told to everybody who wants to ship",
        "until": "such as 2h, 3d, monday, 2026-11-23 or '2026-11-23 08:00'; default: until it is released",
        "to": _TO,
    }
)
def take(context: Context, reason: str = "", until: str = "", to: str = "") -> None:
    """Freeze the app: nobody can ship until then; a rollback still goes through."""
    from shipper.errors import ConfigError
    from shipper.pipeline.lock import freeze
    from shipper.report.console import console
    from shipper.report.reporter import Reporter

    if not reason:
        raise ConfigError("A freeze needs a reason.", fix='inv lock.take --reason "no deploys until monday"')
    job = find_job(to)
    end = freeze(job, reason, until, Reporter())
    told = f"until {end:%a %Y-%m-%d %H:%M}" if end else "until somebody lifts it"
    console.print(f"{job.app} is frozen {told}. -> inv lock.release", markup=False)


@command(help={"to": _TO})
def release(context: Context, to: str = "") -> None:
    """Lift the freeze. Who is shipping right now is not stopped by it."""
    from shipper.pipeline.lock import lift
    from shipper.report.console import console, show_server
    from shipper.report.lock import show_holder
    from shipper.report.reporter import Reporter

    job = find_job(to)
    for server, done in lift(job, Reporter()):
        show_server(server)
        console.print("The freeze is lifted." if done["lifted"] else f"{job.app} was not frozen.", markup=False)
        if done["holder"]:
            show_holder(done["holder"], job.app)
