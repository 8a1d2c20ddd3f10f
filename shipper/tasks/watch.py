"""`inv watch`: on every save, build and ship to a place where nobody minds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.errors import ConfigError
from shipper.tasks.face import command
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.pipeline.job import Job

# Targets whose name has one of these words in it are there to be tried out.
_PRACTICE = frozenset("sandbox staging stage dev development test testing preview review qa uat demo practice".split())
# Somebody else may be shipping to a place that is shared.
_LOCK_SECONDS = 60


@command(
    help={
        "to": "target of ship.toml; default: as with ship, unless that is where visitors are",
        "yes": "do not ask, also where visitors are",
        "poll": "look every second instead of listening: for network file systems and shared folders",
    }
)
def watch(context: Context, to: str = "", yes: bool = False, poll: bool = False) -> None:
    """Ship on every save, to the sandbox or a staging target, until Ctrl-C."""
    from shipper.report.console import console
    from shipper.report.watch import WatchFace
    from shipper.watch.loop import watch as run_watch

    job = find_job(to, _LOCK_SECONDS, allow_dirty=True)
    if not _is_meant(job, to, yes):
        console.print("Nothing was changed.")
        return
    root, name = job.workspace.root, job.target_name
    console.print(f"Watching {root} for {name} ({job.target.public_url}). Ctrl-C ends it.", markup=False)
    with WatchFace(name) as face:
        run_watch(lambda: find_job(name, _LOCK_SECONDS, allow_dirty=True, unattended=True), face, polling=poll)
    console.print("Stopped watching.")


def _is_meant(job: Job, to: str, yes: bool) -> bool:
    """Whether every save may go live on this target. Raises ConfigError when that was not said in so many words."""
    name = job.target_name
    if not _PRACTICE.isdisjoint(name.split("-")):
        return True
    if not to:
        raise ConfigError(
            f"Every save would be live on '{name}', where your visitors are.",
            why=f"A target is one to try things out when its name says so: {', '.join(sorted(_PRACTICE))}.",
            fix=f"inv watch --to sandbox\ninv watch --to {name}   (if you mean it; it asks once)",
        )
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError(
            f"Every save would be live on '{name}', and there is nobody to ask: this is not a terminal.",
            fix=f"Add --yes if that is meant: inv watch --to {name} --yes",
        )
    from rich.prompt import Confirm

    from shipper.report.console import console

    return Confirm.ask(f"Every save goes live on '{name}' at once. Really?", console=console, default=False)
