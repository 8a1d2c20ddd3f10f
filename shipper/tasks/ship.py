"""The main tasks: ship, plan, build, status, rollback, logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command, confirmed, refuse_negative
from shipper.tasks.job import find_job, reached_early

if TYPE_CHECKING:
    from shipper.pipeline.rollout import Member, Report
    from shipper.report.as_json import Answer, JsonReporter
    from shipper.report.reporter import Reporter

_TO = "target of ship.toml; default: the only one, or the sandbox"
_YES = "do not ask"
# The first that looks after an interrupted ship waits until that was finished or undone.
_STATUS_SECONDS = 180.0
_DIRTY = "ship changes that are in no commit; the release says so"
_JSON = "one line of JSON for every event, and one at the end, for programs"
_JSON_OBJECT = "one JSON object instead of text"
_VERBOSE = "also what the programs of a build say"
_WAIT = "seconds to wait while somebody else is shipping; default: fail with exit code 5"


@command(
    help={
        "to": _TO,
        "yes": _YES,
        "dry-run": "show the plan and stop",
        "lock-wait": _WAIT,
        "allow-dirty": _DIRTY,
        "json": _JSON,
        "verbose": _VERBOSE,
    }
)
def ship(
    context: Context,
    to: str = "",
    yes: bool = False,
    dry_run: bool = False,
    lock_wait: int = 0,
    allow_dirty: bool = False,
    json: bool = False,
    verbose: bool = False,
) -> Answer:
    """Build here, prove it, send what the server lacks, go live."""
    if dry_run:
        return _plan(to, allow_dirty, json, verbose)
    with reached_early(find_job(to, lock_wait, allow_dirty, unattended=yes)) as job:
        from shipper.pipeline.ship import ship as run_ship

        with _reporter(json, verbose) as reporter:
            report = run_ship(job, reporter, _asking("Ship this?", reporter, job.target_name, yes))
    return _ended(report, job.target_name, reporter, json)


@command(help={"to": _TO, "allow-dirty": _DIRTY, "json": _JSON_OBJECT, "verbose": _VERBOSE})
def plan(
    context: Context, to: str = "", allow_dirty: bool = False, json: bool = False, verbose: bool = False
) -> Answer:
    """Show what ship would do, step by step; nothing on the server is changed."""
    return _plan(to, allow_dirty, json, verbose)


def _plan(to: str, allow_dirty: bool, json: bool, verbose: bool) -> Answer:
    from shipper.pipeline.environment import compare_environment
    from shipper.pipeline.gather import gather
    from shipper.pipeline.ship import plan_ship
    from shipper.report.as_json import plans_answer
    from shipper.report.environment import show_difference
    from shipper.report.plan import show_plans
    from shipper.report.reporter import Reporter

    job = find_job(to, allow_dirty=allow_dirty)
    with Reporter(verbose) as reporter, gather(job, reporter) as gathered:
        members = plan_ship(gathered)
        differences = [(one.job, compare_environment(one.job, one.session)) for one in members]
    if not json:
        show_plans(members, job.target_name)
        for one, difference in differences:
            if difference is not None:
                show_difference(difference, job.target.env_file, one.server or job.target_name)
    return plans_answer(members, differences, job.target_name)


@command(help={"to": _TO, "json": _JSON, "verbose": _VERBOSE})
def build(context: Context, to: str = "", json: bool = False, verbose: bool = False) -> Answer:
    """Build and prove the frontend and the backend's dependencies here; nothing is sent."""
    from shipper.pipeline.gather import build_only
    from shipper.report.as_json import Answer

    job = find_job(to)
    with _reporter(json, verbose) as reporter:
        build_only(job, reporter)
    return Answer({"target": job.target_name})


@command(help={"to": _TO, "json": _JSON_OBJECT})
def status(context: Context, to: str = "", json: bool = False) -> Answer:
    """Show what is live: release, age, backend, memory, disk, last ships."""
    from shipper.completion.known import remember_releases
    from shipper.pipeline.server import connect_each
    from shipper.report.as_json import servers_answer
    from shipper.report.console import show_server
    from shipper.report.reporter import Reporter
    from shipper.report.status import show_status

    job = find_job(to)
    with connect_each(job, Reporter()) as sessions:
        answers = [
            (one, session.call("status", {"app": job.app}, deadline=_STATUS_SECONDS)) for one, session in sessions
        ]
    for one, answer in answers:
        remember_releases(one.workspace.cache, one.target_name, answer["live"], answer["releases"])
        if not json:
            show_server(one.server)
            show_status(answer, job.target_name, job.target.public_url)
    return servers_answer(job, answers)


@command(
    help={
        "release": "a release of `inv status`; default: the good one before",
        "to": _TO,
        "yes": _YES,
        "lock-wait": _WAIT,
        "json": _JSON,
        "verbose": _VERBOSE,
    }
)
def rollback(
    context: Context,
    release: str = "",
    to: str = "",
    yes: bool = False,
    lock_wait: int = 0,
    json: bool = False,
    verbose: bool = False,
) -> Answer:
    """Go back to an earlier release, site and backend together; nothing is built or sent."""
    with reached_early(find_job(to, lock_wait)) as job:
        from shipper.pipeline.rollback import rollback as run_rollback

        with _reporter(json, verbose) as reporter:
            ask = _asking("Roll back?", reporter, job.target_name, yes)
            report = run_rollback(job, release or None, reporter, ask)
    return _ended(report, job.target_name, reporter, json)


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
    from shipper.errors import StoppedError
    from shipper.pipeline.logs import read_logs
    from shipper.report.console import show_line
    from shipper.report.reporter import Reporter

    refuse_negative("--lines", lines)
    job = find_job(to)
    try:
        read_logs(job, "nginx" if nginx else "backend", lines, follow, Reporter(), show_line)
    except KeyboardInterrupt:  # nothing is on its way live here
        raise StoppedError("Stopped.") from None


def _reporter(json: bool, verbose: bool) -> Reporter | JsonReporter:
    """Return what tells of events: to a program, or to people."""
    if json:
        from shipper.report.as_json import JsonReporter

        return JsonReporter()
    from shipper.report.reporter import Reporter

    return Reporter(verbose)


def _ended(report: Report, target: str, reporter: Reporter | JsonReporter, json: bool) -> Answer:
    """Tell people how a ship or a rollback ended, and return it for programs."""
    from shipper.report.as_json import report_answer

    if json:
        from shipper.report.summary import summarise_report

        summarise_report(report, target, reporter.stages)
    else:
        from shipper.report.outcome import refuse_failed_hooks, show_report

        show_report(report, target, reporter.stages)
        refuse_failed_hooks(report, target)
    return report_answer(report, target)


def _asking(
    question: str, reporter: Reporter | JsonReporter, target: str, yes: bool
) -> Callable[[Sequence[Member]], bool]:
    """Return what shows a plan and asks for a yes; with `yes` nobody is asked and nothing is shown."""

    def ask(members: Sequence[Member]) -> bool:
        if yes:
            return True
        from shipper.report.plan import show_plans

        with reporter.paused():
            show_plans(members, target)
            return confirmed(question, yes)

    return ask
