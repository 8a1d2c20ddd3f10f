"""`inv host.*`: the server itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command, confirmed, refuse_negative
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.pipeline.job import Job
    from shipper.report.as_json import Answer

_CLEAN_SECONDS = 900.0
_TO = "target of ship.toml; default: the only one, or the sandbox"


@command(help={"to": _TO, "json": "one JSON object instead of text"})
def check(context: Context, to: str = "", json: bool = False) -> Answer:
    """Show the server's facts: system, memory, disk, nginx, systemd, Python, Docker, ports."""
    from shipper.pipeline.server import connect_each
    from shipper.report.as_json import servers_answer
    from shipper.report.console import show_server
    from shipper.report.facts import show_facts
    from shipper.report.reporter import Reporter

    job = find_job(to)
    with connect_each(job, Reporter()) as sessions:
        answers = [(one, session.call("facts", {})) for one, session in sessions]
    if not json:
        for one, facts in answers:
            show_server(one.server)
            show_facts(facts, job.target_name)
    return servers_answer(job, [(one, {"facts": facts}) for one, facts in answers])


@command(
    help={
        "to": _TO,
        "days": "how long something must not have been used; default: 7",
        "aggressive": "whatever is unused, however new, and volumes without a name; asks first",
        "yes": "do not ask",
    }
)
def clean(context: Context, to: str = "", days: int = 7, aggressive: bool = False, yes: bool = False) -> None:
    """Remove what Docker piled up and no release needs: containers, images, build caches; never a named volume."""
    from shipper.pipeline.server import connect_each
    from shipper.report.console import show_server
    from shipper.report.facts import show_cleaning
    from shipper.report.reporter import Reporter

    refuse_negative("--days", days)
    job = find_job(to)
    if aggressive and not confirmed(f"Remove all that is unused now on {job.target_name}?", yes):
        return
    with connect_each(job, Reporter()) as sessions:
        asked = {"days": days, "aggressive": aggressive}
        answers = [(one, session.call("clean", asked, deadline=_CLEAN_SECONDS)) for one, session in sessions]
    for one, answer in answers:
        show_server(one.server)
        show_cleaning(answer)


@command(help={"to": _TO, "yes": "do not ask", "replace": "pin another key than the one that is pinned"})
def trust(context: Context, to: str = "", yes: bool = False, replace: bool = False) -> None:
    """Show the server's host key and pin it in ship.toml."""
    from shipper.errors import ConfigError

    job = find_job(to)
    if job.target_name not in job.workspace.project.targets:
        raise ConfigError("The sandbox's host key is pinned already; it was made here.", fix="inv ship --to sandbox")
    for number, one in enumerate(job.each):
        _trust_server(one, number, yes, replace)


def _trust_server(job: Job, number: int, yes: bool, replace: bool) -> None:
    """Show the key of the server with this number in the target (0 is the first), and pin it if somebody says yes."""
    from shipper.config.edit import set_target_value
    from shipper.errors import HostError
    from shipper.host.connection import scan_host_key
    from shipper.report.console import console

    target, name = job.target, job.server or job.target_name
    key = scan_host_key(target)
    if target.host_key and target.host_key.rstrip("=") == key.fingerprint:
        console.print(f"{name}: {key.kind} {key.fingerprint} is pinned already.")
        return
    if target.host_key and not replace:
        raise HostError(
            f"WARNING: {target.host} shows another host key than the one that is pinned.",
            why=f"Pinned {target.host_key}\nFound  {key.fingerprint} ({key.kind})",
            fix=f"Only if you know that it was installed anew: inv host.trust --to {job.target_name} --replace",
        )
    console.print(f"{target.host} shows {key.kind} {key.fingerprint}")
    console.print(
        "Compare it with what your provider shows, or on the server: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub"
    )
    if confirmed(f"Pin it for {name}?", yes):
        set_target_value(job.workspace.root / "ship.toml", job.target_name, "host_key", key.fingerprint, number)
        console.print(f"Pinned in ship.toml. -> inv host.check --to {job.target_name}")
