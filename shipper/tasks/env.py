"""`inv env.*`: the environment of the backend on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.report.as_json import Answer

_JSON = "one JSON object instead of text"
_TO = "target of ship.toml; default: the only one, or the sandbox"


@command(help={"to": _TO, "json": _JSON})
def push(context: Context, to: str = "", json: bool = False) -> Answer:
    """Send the target's env file; the next ship starts the backend with it."""
    from shipper.pipeline.environment import push as push_environment
    from shipper.pipeline.server import connect_each
    from shipper.report.as_json import servers_answer
    from shipper.report.console import Reporter, show_findings, show_server
    from shipper.report.environment import show_pushed

    job = find_job(to)
    with connect_each(job, Reporter()) as sessions:
        pushed = [(one, *push_environment(one, session)) for one, session in sessions]
    if not json:
        for one, difference, findings in pushed:
            show_server(one.server)
            show_findings(findings)
            show_pushed(difference, job.target.env_file, job.target_name)
    found = tuple(dict.fromkeys(finding for _, _, findings in pushed for finding in findings))
    return servers_answer(job, [(one, difference) for one, difference, _ in pushed], found)


@command(help={"to": _TO, "json": _JSON})
def check(context: Context, to: str = "", json: bool = False) -> Answer:
    """Check the target's env file and compare it with the server's; values stay hidden."""
    from shipper.findings import refuse_errors
    from shipper.pipeline.environment import check_file, compare
    from shipper.pipeline.server import connect_each
    from shipper.report.as_json import servers_answer
    from shipper.report.console import Reporter, show_findings
    from shipper.report.environment import show_difference

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
