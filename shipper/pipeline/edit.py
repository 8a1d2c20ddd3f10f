"""`inv env.edit`: the server's environment in an editor here, checked, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipper.config.envfile import EnvFile, parse_env, render_env
from shipper.editor import edit as open_editor
from shipper.editor import private_file
from shipper.errors import ConfigError, FindingsError, ShipperError
from shipper.events import Emit
from shipper.findings import Finding, refuse_errors
from shipper.masking import hide
from shipper.pipeline.environment import Difference, check_values, read_env_file, refuse_without_backend
from shipper.pipeline.job import Job
from shipper.pipeline.server import connect_each


@dataclass(frozen=True)
class Edited:
    """What became of an edit: the changes by key, what the servers' backends do not run with yet, what to look at.

    `outdated` are the changed names for which the env file on this machine says something else.
    """

    difference: Difference
    stale: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    sent: bool = False


def edit_environment(
    job: Job,
    emit: Emit,
    again: Callable[[ShipperError], bool],
    confirm: Callable[[Difference, Sequence[Finding]], bool],
) -> Edited:
    """Open the servers' environment in the editor, check what comes back, ask, and send it.

    `again` is asked, with the error, whether a text that cannot be right shall be opened once more; `confirm` sees the
    changes by key and the findings that do not block. Nobody is connected meanwhile: editing may take long. Raises
    ConfigError and FindingsError for a text that cannot be right, and when somebody else changed it meanwhile.
    """
    refuse_without_backend(job)
    before, digests = _read(job, emit)
    with private_file(f"{job.app}.env", _text(before, job)) as file:
        env, findings = _edited(job, file, again)
    difference = changes(before, env.values)
    if not any(difference[kind] for kind in ("missing", "extra", "changed")) or not confirm(difference, findings):
        return Edited(difference)
    stale = _send(job, env, digests, emit)
    return Edited(difference, stale, _outdated(job, difference, env), sent=True)


def _read(job: Job, emit: Emit) -> tuple[Mapping[str, str], list[str]]:
    with connect_each(job, emit) as sessions:
        answers = [session.call("env.read", {"app": job.app}) for _, session in sessions]
    first: Mapping[str, str] = answers[0]["values"]
    hide(first)
    if any(answer["values"] != first for answer in answers):
        raise ConfigError(
            "The servers of the target do not have the same environment.",
            fix=f"inv env.diff --to {job.target_name}   (then: inv env.push, which gives all of them the same)",
        )
    return first, [answer["digest"] for answer in answers]


def _text(values: Mapping[str, str], job: Job) -> str:
    head = f"# The environment of {job.app} on {job.target_name}, one NAME=value a line. Comments are not kept.\n"
    return head + render_env(EnvFile("", values))


def _edited(job: Job, file: Path, again: Callable[[ShipperError], bool]) -> tuple[EnvFile, list[Finding]]:
    while True:
        open_editor(file)
        try:
            env = parse_env(file.read_bytes(), "the edited text")
            hide(env.values)
            findings = check_values(job, env)
            refuse_errors(findings)
            return env, findings
        except (ConfigError, FindingsError) as error:
            if not again(error):
                raise


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
    """Return what changes on the server by key, in the words of its own comparison: "missing" there, "extra", ..."""
    both = sorted(before.keys() & after.keys())
    return {
        "missing": sorted(after.keys() - before.keys()),
        "extra": sorted(before.keys() - after.keys()),
        "changed": [name for name in both if before[name] != after[name]],
        "equal": [name for name in both if before[name] == after[name]],
    }


def _send(job: Job, env: EnvFile, digests: Sequence[str], emit: Emit) -> tuple[str, ...]:
    stale: set[str] = set()
    with connect_each(job, emit) as sessions:
        for (one, session), digest in zip(sessions, digests, strict=True):
            asked = {**one.change, "text": render_env(env), "values": dict(env.values), "expected": digest}
            stale |= set(session.call("env.push", asked)["stale"])
    return tuple(sorted(stale))


def _outdated(job: Job, difference: Difference, env: EnvFile) -> tuple[str, ...]:
    """Return the changed names that the env file here would change back (field note E7)."""
    if not (job.workspace.root / job.target.env_file).is_file():
        return ()
    here = read_env_file(job).values
    changed = [*difference["missing"], *difference["extra"], *difference["changed"]]
    return tuple(name for name in changed if here.get(name) != env.values.get(name))
