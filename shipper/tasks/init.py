"""`inv init`: files that a project needs once, written where there are none yet."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command

if TYPE_CHECKING:
    from shipper.detect.proposal import Wishes

_SOURCE = "owner/name@commit of shipper on GitHub; default: where this one was installed from"


@command(
    help={
        "github": "the workflow that ships from GitHub's actions",
        "print": "show the file and write nothing",
        "source": _SOURCE,
        "yes": "ask nothing: take what was found and what the options say",
        "name": "the app's name; default: the folder's",
        "host": "the server: a name or an address; without one, the practice server is meant",
        "user": "who logs in there, such as ubuntu",
        "key": "the private key file for it",
        "domain": "the name that visitors type",
        "frontend": "the frontend's folder where there are several, or none",
        "backend": "the backend's folder where there are several, or none",
        "runtime": "systemd or compose; default: as the repository's own files do it",
        "tasks": "whether tasks.py is written, too, for `inv`; default: when inv is installed",
    }
)
def init(
    context: Context,
    github: bool = False,
    print: bool = False,
    source: str = "",
    yes: bool = False,
    name: str = "",
    host: str = "",
    user: str = "",
    key: str = "",
    domain: str = "",
    frontend: str = "",
    backend: str = "",
    runtime: str = "",
    tasks: bool = True,
) -> None:
    """Write a ship.toml that fits what is in this folder, or GitHub's workflow (--github); overwrites nothing."""
    if github:
        _init_github(print, source)
        return
    from shipper.detect.proposal import Wishes

    wishes = Wishes(name, host, user, key, domain, frontend, backend, runtime)
    _init_project(wishes, only_print=print, yes=yes, tasks=tasks)


def _init_project(wishes: Wishes, *, only_print: bool, yes: bool, tasks: bool) -> None:
    from shipper.build.source_tree import top_of_repository
    from shipper.config.load import FILE_NAME
    from shipper.detect.proposal import propose
    from shipper.detect.survey import survey
    from shipper.pipeline.init import (
        TASKS_NAME,
        git_commands,
        plan_files,
        refuse_second_file,
        write_files,
    )
    from shipper.report.console import console
    from shipper.report.found import show_next, show_proposal
    from shipper.tasks.face import confirmed
    from shipper.tasks.questions import ask_what_is_open, check_wishes, somebody_is_there

    root = Path.cwd()
    check_wishes(wishes)
    if not only_print:
        refuse_second_file(root)
    found = survey(root)
    if somebody_is_there() and not (yes or only_print):
        wishes = ask_what_is_open(found, wishes)
    proposal = propose(found, wishes)
    files = plan_files(root, proposal, tasks=tasks and _has_inv())
    if only_print:
        console.out(files.ship_toml, end="", highlight=False)
        return
    top = top_of_repository(root)
    console.print(f"Looked at {len(found.repository.files)} files in {root}:", markup=False)
    if top is not None and top != root.resolve():
        console.print(f"  (only this folder of the repository; for all of it: go to {top})", markup=False)
    show_proposal(proposal)
    if not confirmed(f"Write {FILE_NAME}?", yes):
        return
    written = write_files(files)
    # `inv` works where there is a tasks.py, the console script everywhere.
    program = "inv" if (root / TASKS_NAME).exists() else "shipper"
    show_next(proposal, written, program, git_commands(root, proposal, program))


def _has_inv() -> bool:
    """Say whether `inv` is there: on the PATH, or beside this Python whose environment is not switched on."""
    return bool(shutil.which("inv") or shutil.which("inv", path=str(Path(sys.executable).parent)))


def _init_github(only_print: bool, source: str) -> None:
    from shipper.config.load import find_workspace
    from shipper.origin import find_origin, parse_origin
    from shipper.pipeline.github import plan_workflow, write_workflow
    from shipper.report.console import console
    from shipper.report.init import show_written

    workspace = find_workspace(Path.cwd())
    workflow = plan_workflow(workspace, parse_origin(source) if source else find_origin())
    if only_print:
        console.out(workflow.text, end="", highlight=False)
        return
    show_written(workspace, workflow, write_workflow(workflow))
