"""The main tasks: ship, plan, build, status, rollback, logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command, confirmed
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.pipeline.rollout import Member
    from shipper.report.console import Reporter

_TO = "target of ship.toml; default: the only one, or the sandbox"
_YES = "do not ask"
# The first that looks after an interrupted ship waits until that was finished or undone.
_STATUS_SECONDS = 180.0
_DIRTY = "ship changes that are in no commit; the release says so"
_WAIT = "seconds to wait while somebody else is shipping; default: fail with exit code 5"


@command(
    help={
        "to": _TO,
        "yes": _YES,
        "dry-run": "show the plan and stop",
        "lock-wait": _WAIT,
        "allow-dirty": _DIRTY,
    }
)
def ship(
    context: Context,
    to: str = "",
    yes: bool = False,
    dry_run: bool = False,
    lock_wait: int = 0,
    allow_dirty: bool = False,
) -> None:
    """Build here, prove it, send what the server lacks, go live."""
    from shipper.pipeline.ship import ship as run_ship
    from shipper.report.console import Reporter
    from shipper.report.outcome import refuse_failed_hooks, show_report

    if dry_run:
        plan(context, to=to, allow_dirty=allow_dirty)
        return
    job = find_job(to, lock_wait, allow_dirty)
    with Reporter() as reporter:
        report = run_ship(job, reporter, _asking("Ship this?", reporter, job.target_name, yes))
    show_report(report, job.target_name, reporter.stages)
    refuse_failed_hooks(report, job.target_name)


@command(help={"to": _TO, "allow-dirty": _DIRTY})
def plan(context: Context, to: str = "", allow_dirty: bool = False) -> None:
    """Show what ship would do, step by step; nothing on the server is changed."""
    from shipper.pipeline.environment import compare_environment
    from shipper.pipeline.gather import gather
    from shipper.pipeline.ship import plan_ship
    from shipper.report.console import Reporter
    from shipper.report.environment import show_difference
    from shipper.report.plan import show_plans

    job = find_job(to, allow_dirty=allow_dirty)
    with Reporter() as reporter, gather(job, reporter) as gathered:
        members = plan_ship(gathered)
        differences = [(one.job, compare_environment(one.job, one.session)) for one in members]
    show_plans(members, job.target_name)
    for one, difference in differences:
        if difference is not None:
            show_difference(difference, job.target.env_file, one.server or job.target_name)


@command(help={"to": _TO})
def build(context: Context, to: str = "") -> None:
    """Build and prove the frontend and the backend's dependencies here; nothing is sent."""
    from shipper.pipeline.gather import build_only
    from shipper.report.console import Reporter

    job = find_job(to)
    with Reporter() as reporter:
        build_only(job, reporter)


@command(help={"to": _TO})
def status(context: Context, to: str = "") -> None:
    """Show what is live: release, age, backend, memory, disk, last ships."""
    from shipper.completion.known import remember_releases
    from shipper.pipeline.server import connect_each
    from shipper.report.console import Reporter, show_server
    from shipper.report.status import show_status

    job = find_job(to)
    with connect_each(job, Reporter()) as sessions:
        answers = [
            (one, session.call("status", {"app": job.app}, deadline=_STATUS_SECONDS)) for one, session in sessions
        ]
    for one, answer in answers:
        remember_releases(one.workspace.cache, one.target_name, answer["live"], answer["releases"])
        show_server(one.server)
        show_status(answer, job.target_name, job.target.public_url)


@command(
    help={
        "release": "a release of `inv status`; default: the good one before",
        "to": _TO,
        "yes": _YES,
        "lock-wait": _WAIT,
    }
)
def rollback(context: Context, release: str = "", to: str = "", yes: bool = False, lock_wait: int = 0) -> None:
    """Go back to an earlier release, site and backend together; nothing is built or sent."""
    from shipper.pipeline.rollback import rollback as run_rollback
    from shipper.report.console import Reporter
    from shipper.report.outcome import refuse_failed_hooks, show_report

    job = find_job(to, lock_wait)
    with Reporter() as reporter:
        ask = _asking("Roll back?", reporter, job.target_name, yes)
        report = run_rollback(job, release or None, reporter, ask)
    show_report(report, job.target_name, reporter.stages)
    refuse_failed_hooks(report, job.target_name)


@command(
    help={
        "to": _TO,
        "follow": "go on until Ctrl-C",
        "nginx": "nginx's logs instead of the backend's",
        "lines": "how many",
    }
)
def logs(context: Context, to: str = "", follow: bool = False, nginx: bool = False, lines: int = 100) -> None:
    """Show the last lines of the backend's log, or of nginx's."""
    from concurrent.futures import ThreadPoolExecutor

    from shipper.pipeline.server import connect_each
    from shipper.report.console import Reporter, show_line

    job = find_job(to)
    asked = {"app": job.app, "source": "nginx" if nginx else "backend", "lines": lines, "follow": follow}
    with connect_each(job, Reporter()) as sessions, ThreadPoolExecutor(len(sessions)) as pool:
        for one, session in sessions:
            pool.submit(session.call, "logs", asked, on_event=show_line(one.server))


def _asking(question: str, reporter: Reporter, target: str, yes: bool) -> Callable[[Sequence[Member]], bool]:
    """Return what shows a plan and asks for a yes; with `yes` nobody is asked and nothing is shown."""

    def ask(members: Sequence[Member]) -> bool:
        if yes:
            return True
        from shipper.report.plan import show_plans

        with reporter.paused():
            show_plans(members, target)
            return confirmed(question, yes)

    return ask
