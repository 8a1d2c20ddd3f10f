"""`inv env.diff`: the servers' environment, the env file here and the example, by key; values as kind and length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shipper.check.environment import check_server_environment
from shipper.check.web_settings import Source, check_web_settings
from shipper.config.envfile import EnvFile, parse_env
from shipper.errors import ConfigError
from shipper.events import Emit
from shipper.findings import Finding
from shipper.pipeline.environment import check_values, read_env_file
from shipper.pipeline.job import Job
from shipper.pipeline.server import connect_each, read_state

# What projects call the file that says which variables there are.
EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env")

State = Literal["equal", "differs", "only here", "only there", "only in the example"]


@dataclass(frozen=True)
class Variable:
    """One variable: the shape of its value on the server and in the file here ("" where it is not), and how they
    compare. `named` is whether the example has it.
    """

    name: str
    server: str
    here: str
    state: State
    named: bool


@dataclass(frozen=True)
class EnvDifference:
    """The comparison for one server. `here` and `example` are the files that were read, "" where there was none.

    `stale` are the names whose new value the running backend does not have yet.
    """

    server: str
    here: str
    example: str
    variables: tuple[Variable, ...]
    stale: tuple[str, ...]
    findings: tuple[Finding, ...]


def find_example(job: Job) -> Path | None:
    """Return the project's example of an env file: the target's own, else the first known name beside ship.toml or in
    the backend's folder.
    """
    root, backend = job.workspace.root, job.workspace.project.backend
    folders = [root, *([root / backend.path] if backend and backend.runtime == "systemd" else [])]
    names = (f"{job.target.env_file}.example", *EXAMPLES)
    return next((folder / name for folder in folders for name in names if (folder / name).is_file()), None)


def compare_environments(job: Job, emit: Emit) -> tuple[EnvDifference, ...]:
    """Compare for every server of the target. Raises ConfigError for a file that cannot be read, HostError."""
    here = _here(job)
    example = find_example(job)
    named = parse_env(example.read_bytes(), example.name) if example else None
    made = []
    with connect_each(job, emit) as sessions:
        for one, session in sessions:
            answer = session.call("env.describe", {"app": job.app, "values": dict(here.values) if here else {}})
            state = read_state(session, one)
            findings = _findings(one, here, state.environment, state.empty_variables, state.settings)
            variables = _variables(answer, named.values if named else {})
            file = here.source if here else ""
            name = example.name if example else ""
            made.append(EnvDifference(one.server, file, name, variables, tuple(answer["stale"]), findings))
    return tuple(made)


def _here(job: Job) -> EnvFile | None:
    try:
        return read_env_file(job)
    except ConfigError:
        if (job.workspace.root / job.target.env_file).is_file():
            raise
        return None


def _findings(
    job: Job, here: EnvFile | None, present: frozenset[str], empty: frozenset[str], settings: Mapping[str, str]
) -> tuple[Finding, ...]:
    project = job.workspace.project
    found = check_values(job, here) if here else []
    if project.backend:
        found += check_server_environment(project.backend, present, empty, job.target_name)
        found += check_web_settings(settings, project, job.target, job.target_name, Source())
    return tuple(found)


def _variables(answer: Mapping[str, Mapping[str, str]], named: Mapping[str, str]) -> tuple[Variable, ...]:
    server, client = answer["server"], answer["client"]
    made = []
    for name in sorted({*server, *client, *named}):
        state = _state(name, server, client, answer["equal"])
        made.append(Variable(name, server.get(name, ""), client.get(name, ""), state, name in named))
    return tuple(made)


def _state(name: str, server: Mapping[str, str], client: Mapping[str, str], equal: Mapping[str, str]) -> State:
    if name in equal:
        return "equal"
    if name in server:
        return "differs" if name in client else "only there"
    return "only here" if name in client else "only in the example"
