"""`inv env.edit`: the server's environment in an editor here, checked, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipper.config.envfile import EnvFile, parse_env, render_env
from shipper.editor import edit as open_editor
from shipper.editor import private_file
from shipper.errors import ConfigError, ShipperError
from shipper.events import Emit
from shipper.findings import Finding, refuse_errors
from shipper.masking import hide
from shipper.pipeline.environment import (
    Difference,
    check_values,
    lock_for_all,
    read_env_file,
    refuse_without_backend,
    send,
)
from shipper.pipeline.job import Job
from shipper.pipeline.server import connect_each

_CHANGES = ("missing", "extra", "changed")


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

    `again` is asked, with the error, whether the text shall be opened once more: when it cannot be right, and when it
    could not be sent. `confirm` sees the changes by key and the findings that do not block. Nobody is connected
    meanwhile: editing may take long. Raises ConfigError and FindingsError for a text that cannot be right, and when
    somebody else changed it meanwhile; LockHeldError and HostError.
    """
    refuse_without_backend(job)
    before, digests = _read(job, emit)
    with private_file(f"{job.app}.env", _text(before, job)) as file:
        while True:
            try:
                env, findings = _edited(job, file)
                difference = changes(before, env.values)
                if not any(difference[kind] for kind in _CHANGES) or not confirm(difference, findings):
                    return Edited(difference)
                stale = _send(job, env, digests, emit)
                return Edited(difference, stale, _outdated(job, difference, env), sent=True)
            except ShipperError as error:
                if not again(error):
                    raise


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


def _edited(job: Job, file: Path) -> tuple[EnvFile, list[Finding]]:
    open_editor(file)
    env = parse_env(file.read_bytes(), "the edited text")
    hide(env.values)
    findings = check_values(job, env)
    refuse_errors(findings)
    return env, findings


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
    with connect_each(job, emit) as sessions:
        states = lock_for_all(sessions)
        if states and [state.environment_digest for state in states] != list(digests):
            raise ConfigError(
                "Somebody else changed the environment meanwhile; nothing was sent.",
                why="What they changed would be lost.",
                fix="Begin again, from what is there now: inv env.edit",
            )
        answers = [send(*one, env, digest) for one, digest in zip(sessions, digests, strict=True)]
    return tuple(sorted({name for answer in answers for name in answer["stale"]}))


def _outdated(job: Job, difference: Difference, env: EnvFile) -> tuple[str, ...]:
    """Return the changed names that the env file here would change back (field note E7)."""
    if not (job.workspace.root / job.target.env_file).is_file():
        return ()
    here = read_env_file(job).values
    changed = [name for kind in _CHANGES for name in difference[kind]]
    return tuple(name for name in changed if here.get(name) != env.values.get(name))
