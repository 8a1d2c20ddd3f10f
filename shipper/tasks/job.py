"""From the words on the command line to a job: the project around the working directory and the chosen target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shipper.errors import ShipperError
from shipper.tasks.face import refuse_negative

if TYPE_CHECKING:
    from shipper.pipeline.job import Job


def find_job(to: str, lock_wait: int = 0, allow_dirty: bool = False, unattended: bool = False) -> Job:
    """Return the job for the target named `to`, or the default one when it is empty. Raises ConfigError.

    `lock_wait` is how many seconds to wait for somebody else who is at work there, `allow_dirty` whether changes that
    are in no commit may be shipped, `unattended` that nobody is asked whether the plan is right.
    """
    # `inv --list` imports this module, and should not wait for pydantic.
    from shipper.config.load import choose_target, find_workspace
    from shipper.pipeline.job import Job
    from shipper.sandbox.state import chosen_name, load_target

    refuse_negative("--lock-wait", lock_wait)
    workspace = find_workspace(Path.cwd())
    name, target = choose_target(workspace, to or None, load_target(chosen_name()))
    _hide_values(workspace.root / target.env_file)
    return Job(workspace, name, target, lock_wait, allow_dirty=allow_dirty, unattended=unattended)


@contextmanager
def reached_early(job: Job) -> Iterator[Job]:
    """Give the job with its connections on their way: what it will do with them is imported meanwhile."""
    from dataclasses import replace

    from shipper.host.kept import KeptHosts

    with closing(KeptHosts()) as hosts:
        for one in job.each:
            hosts.begin(one.target, one.target_name)
        yield replace(job, hosts=hosts)


def _hide_values(env_file: Path) -> None:
    """Show no secret of the target's env file, whatever a build prints. A wrong file is somebody else's subject."""
    from shipper.config.envfile import parse_env
    from shipper.config.handed import ENV_FILE, handed_secret
    from shipper.masking import hide

    with suppress(OSError, ShipperError):
        hide(parse_env(handed_secret(ENV_FILE) or env_file.read_bytes(), env_file.name).values)
