"""`inv env.*`: the environment of the backend on the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command, confirmed
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.errors import ShipperError
    from shipper.findings import Finding
    from shipper.report.as_json import Answer

_JSON = "one JSON object instead of text"
_TO = "target of ship.toml; default: the only one, or the sandbox"


@command(help={"to": _TO, "json": _JSON})
def push(context: Context, to: str = "", json: bool = False) -> Answer:
    """Send the target's env file; the next ship starts the backend with it."""
    from shipper.pipeline.environment import push as push_environment
    from shipper.report.as_json import servers_answer
    from shipper.report.console import show_findings, show_server
    from shipper.report.environment import show_pushed
    from shipper.report.reporter import Reporter

    job = find_job(to)
    pushed, findings = push_environment(job, Reporter())
    if not json:
        show_findings(findings)
        for one, difference in pushed:
            show_server(one.server)
            show_pushed(difference, job.target.env_file, job.target_name)
    return servers_answer(job, pushed, findings)


@command(help={"to": _TO, "json": _JSON})
def check(context: Context, to: str = "", json: bool = False) -> Answer:
    """Check the target's env file and compare it with the server's; values stay hidden."""
    from shipper.findings import refuse_errors
    from shipper.pipeline.environment import check_file, compare
    from shipper.pipeline.server import connect_each
    from shipper.report.as_json import servers_answer
    from shipper.report.console import show_findings
    from shipper.report.environment import show_difference
    from shipper.report.reporter import Reporter

    job = find_job(to)
    env, findings = check_file(job)
    with connect_each(job, Reporter()) as sessions:
        compared = [(one, compare(one, session, env)) for one, session in sessions]
    if not json:
        for one, difference in compared:
            show_difference(difference, job.target.env_file, one.server or job.target_name)
        show_findings([finding for finding in findings if finding.severity != "error"])
        refuse_errors(findings)
    return servers_answer(job, compared, findings)


@command(help={"to": _TO, "json": _JSON})
def diff(context: Context, to: str = "", json: bool = False) -> Answer:
    """Compare the server's environment with the env file here and the example; values as kind and length."""
    from shipper.findings import refuse_errors
    from shipper.pipeline.env_difference import compare_environments
    from shipper.report.as_json import servers_answer
    from shipper.report.console import show_findings
    from shipper.report.environment import difference_as_data, show_environments
    from shipper.report.reporter import Reporter

    job = find_job(to)
    differences = compare_environments(job, Reporter())
    findings = list(dict.fromkeys(finding for one in differences for finding in one.findings))
    if not json:
        show_environments(differences, job.target_name)
        show_findings(finding for finding in findings if finding.severity != "error")
        refuse_errors(findings)
    told = [(one, difference_as_data(difference)) for one, difference in zip(job.each, differences, strict=True)]
    return servers_answer(job, told, findings)


@command(help={"to": _TO})
def generate(context: Context, to: str = "") -> None:
    """Make the target's env file from .env.example, with new random secrets; nothing is overwritten."""
    from shipper.pipeline.generate import generate_environment
    from shipper.report.console import show_findings
    from shipper.report.environment import show_generated

    job = find_job(to)
    file, example, made, findings = generate_environment(job)
    show_findings(findings)
    show_generated(file.name, example.name, made, job.target_name)


@command(
    help={
        "to": _TO,
        "yes": "do not ask before it is sent",
        "ship": "ship afterwards: the backend starts with it",
    }
)
def edit(context: Context, to: str = "", yes: bool = False, ship: bool = False) -> None:
    """Edit the server's environment in $EDITOR: checked, shown by key, asked, sent."""
    from shipper.pipeline.edit import edit_environment
    from shipper.report.environment import show_edited
    from shipper.report.reporter import Reporter

    job = find_job(to)
    edited = edit_environment(job, Reporter(), _open_again, _confirm_edit(job.target_name, yes))
    show_edited(edited, job.target.env_file, job.target_name)
    if edited.sent and edited.stale and (ship or (not yes and _wants_ship())):
        from shipper.tasks.ship import ship as ship_task

        ship_task(context, to=to, yes=yes)


def _open_again(error: ShipperError) -> bool:
    """Show what is wrong with an edited text; whether to open it again, which without a terminal is no."""
    import sys

    if not sys.stdin.isatty():
        return False
    from shipper.report.console import show_error

    show_error(error)
    return confirmed("Open it again?", False)


def _confirm_edit(target: str, yes: bool) -> Callable[[Mapping[str, list[str]], Sequence[Finding]], bool]:
    def ask(difference: Mapping[str, list[str]], findings: Sequence[Finding]) -> bool:
        from shipper.report.console import show_findings
        from shipper.report.environment import show_changes

        show_changes(difference)
        show_findings(findings)
        return confirmed(f"Send this to {target}?", yes)

    return ask


def _wants_ship() -> bool:
    import sys

    return sys.stdin.isatty() and confirmed("Ship now, so that the backend starts with it?", False)
