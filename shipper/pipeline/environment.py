"""The env file of a target: sending it to the server, and comparing the two by key. Values are shown nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shipper.check.web_settings import Source, check_web_settings
from shipper.config.envfile import EnvFile, check_env, parse_env, render_env
from shipper.config.handed import ENV_FILE, handed_secret
from shipper.errors import ConfigError
from shipper.events import Emit
from shipper.findings import Finding, refuse_errors
from shipper.host.session import AgentSession
from shipper.pipeline.job import Job
from shipper.pipeline.server import ServerState, connect_each, lock_each

Difference = Mapping[str, list[str]]


def read_env_file(job: Job) -> EnvFile:
    """Read the target's env file on this machine, or what a CI run hands over instead of it.

    Raises ConfigError when it is not there or cannot be read.
    """
    if handed := handed_secret(ENV_FILE):
        return parse_env(handed, ENV_FILE)
    file = job.workspace.root / job.target.env_file
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"The env file {job.target.env_file} is not there.",
            why=f"env_file of the target {job.target_name} names it.",
            fix=f"Write it beside ship.toml (never into git), one KEY=value a line: {file}\n"
            f"Or from an example: inv env.generate --to {job.target_name}",
        ) from None
    except OSError as error:
        raise ConfigError(f"The env file {job.target.env_file} cannot be read.", why=str(error)) from error
    return parse_env(content, job.target.env_file)


def refuse_without_backend(job: Job) -> None:
    """Raise ConfigError for an app that has nothing to give an environment to."""
    if job.workspace.project.backend is None:
        raise ConfigError("This app has no [backend], so it has no environment.", fix="inv ship")


def check_file(job: Job) -> tuple[EnvFile, list[Finding]]:
    """Read the env file and return it with what the rules say of it."""
    refuse_without_backend(job)
    env = read_env_file(job)
    return env, check_values(job, env)


def check_values(job: Job, env: EnvFile) -> list[Finding]:
    """Return what the rules say of an environment for this target, wherever it was written."""
    project = job.workspace.project
    own = check_env(env, project.backend) if project.backend else []
    source = Source(env.source, env.lines)
    return [*env.findings, *own, *check_web_settings(env.values, project, job.target, job.target_name, source)]


def push(job: Job, emit: Emit) -> tuple[list[tuple[Job, Difference]], list[Finding]]:
    """Send the env file to all servers of the target, or to none.

    Returns the difference to what was there, by server, and the findings that did not block it. Raises FindingsError
    when the file cannot be right, LockHeldError. The running backend keeps its environment until the next ship.
    """
    env, findings = check_file(job)
    refuse_errors(findings)
    with connect_each(job, emit) as sessions:
        lock_for_all(sessions)
        return [(one, send(one, session, env)) for one, session in sessions], findings


def lock_for_all(sessions: Sequence[tuple[Job, AgentSession]]) -> list[ServerState]:
    """Keep others from all servers, where there are several, before one of them is changed; return their states."""
    return lock_each(sessions, "env") if len(sessions) > 1 else []


def send(job: Job, session: AgentSession, env: EnvFile, expected: str | None = None) -> dict[str, list[str]]:
    """Replace a server's environment, unless it is not the one with the digest `expected` any more.

    Returns the difference by key, and under "stale" what the backend there does not run with yet.
    """
    request = {**job.change, "text": render_env(env), "values": dict(env.values), "expected": expected}
    answer: dict[str, list[str]] = session.call("env.push", request)
    return answer


def compare(job: Job, session: AgentSession, env: EnvFile) -> Difference:
    """Compare with the server by key: "missing" there, "extra" there, "changed", "equal"."""
    difference: Difference = session.call("env.compare", {"app": job.app, "values": dict(env.values)})
    return difference


def compare_environment(job: Job, session: AgentSession) -> Difference | None:
    """Compare the target's env file with the server's; None when there is no such file on this machine."""
    if not handed_secret(ENV_FILE) and not (job.workspace.root / job.target.env_file).is_file():
        return None
    return compare(job, session, read_env_file(job))
