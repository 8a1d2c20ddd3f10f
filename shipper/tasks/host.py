"""`inv host.*`: the server itself."""

from __future__ import annotations

from invoke.context import Context

from shipper.tasks.face import command, confirmed
from shipper.tasks.job import find_job

_TO = "target of ship.toml; default: the only one, or the sandbox"


@command(help={"to": _TO})
def check(context: Context, to: str = "") -> None:
    """Show the server's facts: system, memory, disk, nginx, systemd, Python, Docker, ports."""
    from shipper.pipeline.server import connect
    from shipper.report.console import Reporter
    from shipper.report.facts import show_facts

    job = find_job(to)
    with connect(job, Reporter()) as session:
        facts = session.call("facts", {})
    show_facts(facts, job.target_name)


@command(help={"to": _TO, "yes": "do not ask", "replace": "pin another key than the one that is pinned"})
def trust(context: Context, to: str = "", yes: bool = False, replace: bool = False) -> None:
    """Show the server's host key and pin it in ship.toml."""
    from shipper.config.edit import set_target_value
    from shipper.errors import ConfigError, HostError
    from shipper.host.connection import scan_host_key
    from shipper.report.console import console

    job = find_job(to)
    if job.target_name not in job.workspace.project.targets:
        raise ConfigError("The sandbox's host key is pinned already; it was made here.", fix="inv ship --to sandbox")
    key = scan_host_key(job.target)
    pinned = job.target.host_key
    if pinned and pinned.rstrip("=") == key.fingerprint:
        console.print(f"{job.target_name}: {key.kind} {key.fingerprint} is pinned already.")
        return
    if pinned and not replace:
        raise HostError(
            f"WARNING: {job.target.host} shows another host key than the one that is pinned.",
            why=f"Pinned {pinned}\nFound  {key.fingerprint} ({key.kind})",
            fix=f"Only if you know that it was installed anew: inv host.trust --to {job.target_name} --replace",
        )
    console.print(f"{job.target.host} shows {key.kind} {key.fingerprint}")
    console.print(
        "Compare it with what your provider shows, or on the server: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub"
    )
    if confirmed(f"Pin it for {job.target_name}?", yes):
        set_target_value(job.workspace.root / "ship.toml", job.target_name, "host_key", key.fingerprint)
        console.print(f"Pinned in ship.toml. -> inv host.check --to {job.target_name}")
