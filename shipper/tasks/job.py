"""From the words on the command line to a job: the project around the working directory and the chosen target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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

    workspace = find_workspace(Path.cwd())
    name, target = choose_target(workspace, to or None, load_target(chosen_name()))
    return Job(workspace, name, target, lock_wait, allow_dirty=allow_dirty, unattended=unattended)
