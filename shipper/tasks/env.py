"""`inv env.*`: the environment of the backend on the server."""

from __future__ import annotations

from invoke.context import Context

from shipper.tasks.face import command
from shipper.tasks.job import find_job

_TO = "target of ship.toml; default: the only one, or the sandbox"


@command(help={"to": _TO})
def push(context: Context, to: str = "") -> None:
    """Send the target's env file; the next ship starts the backend with it."""
    from shipper.pipeline.environment import push as push_environment
    from shipper.pipeline.server import connect_each
    from shipper.report.console import Reporter, show_findings, show_server
    from shipper.report.environment import show_pushed

    job = find_job(to)
    with connect_each(job, Reporter()) as sessions:
        pushed = [(one, *push_environment(one, session)) for one, session in sessions]
    for one, difference, findings in pushed:
        show_server(one.server)
        show_findings(findings)
        show_pushed(difference, job.target.env_file, job.target_name)


@command(help={"to": _TO})
def check(context: Context, to: str = "") -> None:
    """Check the target's env file and compare it with the server's; values stay hidden."""
    from shipper.findings import refuse_errors
    from shipper.pipeline.environment import check_file, compare
    from shipper.pipeline.server import connect_each
    from shipper.report.console import Reporter, show_findings
    from shipper.report.environment import show_difference

    job = find_job(to)
    env, findings = check_file(job)
    with connect_each(job, Reporter()) as sessions:
        for one, session in sessions:
            show_difference(compare(one, session, env), job.target.env_file, one.server or job.target_name)
    show_findings([finding for finding in findings if finding.severity != "error"])
    refuse_errors(findings)
