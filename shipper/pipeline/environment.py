"""The env file of a target: sending it to the server, and comparing the two by key. Values are shown nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from shipper.check.web_settings import Source, check_web_settings
from shipper.config.envfile import EnvFile, check_env, parse_env, render_env
from shipper.config.handed import ENV_FILE, handed_secret
from shipper.errors import ConfigError
from shipper.findings import Finding, refuse_errors
from shipper.host.session import AgentSession
from shipper.pipeline.job import Job

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


def push(job: Job, session: AgentSession) -> tuple[Difference, list[Finding]]:
    """Send the env file; return the difference to what was there, and the findings that did not block it.

    Raises FindingsError when the file cannot be right. The running backend keeps its environment until the next ship.
    """
    env, findings = check_file(job)
    refuse_errors(findings)
    request = {**job.change, "text": render_env(env), "values": dict(env.values)}
    difference: Difference = session.call("env.push", request)
    return difference, findings


def compare(job: Job, session: AgentSession, env: EnvFile) -> Difference:
    """Compare with the server by key: "missing" there, "extra" there, "changed", "equal"."""
    difference: Difference = session.call("env.compare", {"app": job.app, "values": dict(env.values)})
    return difference


def compare_environment(job: Job, session: AgentSession) -> Difference | None:
    """Compare the target's env file with the server's; None when there is no such file on this machine."""
    if not handed_secret(ENV_FILE) and not (job.workspace.root / job.target.env_file).is_file():
        return None
    return compare(job, session, read_env_file(job))
