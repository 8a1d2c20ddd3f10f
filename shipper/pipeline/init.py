"""`inv init`: from a folder to a `ship.toml` that fits what is in it, written once and never over another one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shipper.build.source_tree import has_tracked_files, top_of_repository
from shipper.check.ignore_answers import copied_rules
from shipper.check.ignore_tree import read_tree
from shipper.check.ignores import find_holes
from shipper.config.load import FILE_NAME, parse_project
from shipper.detect.proposal import Proposal
from shipper.errors import ConfigError, ShipperError
from shipper.render.ship_toml import render_ship_toml

TASKS_NAME = "tasks.py"
_TASKS = '''\
"""The tasks of shipper, for `inv`: https://docs.pyinvoke.org"""

from shipper.tasks import namespace

__all__ = ["namespace"]
'''


@dataclass(frozen=True)
class NewFiles:
    """What is to be written into `root`; `tasks` is empty where there is a tasks.py, or none is wanted."""

    root: Path
    ship_toml: str
    tasks: str


def refuse_second_file(root: Path) -> None:
    """Raise ConfigError when this folder, or one above it in the same repository, has a ship.toml already."""
    for folder in (root, *root.parents):
        # A link to a file that is gone is in the way, too.
        if os.path.lexists(folder / FILE_NAME):
            raise ConfigError(
                f"{folder / FILE_NAME} is there already, and is never overwritten.",
                why="What would be written now is shown by: shipper init --print",
                fix="shipper plan   (shows what a ship would do with it)",
            )
        if (folder / ".git").exists():
            return


def git_commands(root: Path, proposal: Proposal, program: str) -> list[tuple[str, str]]:
    """Return what git wants before a first ship, as commands with what each is for; none when all is in order."""
    top = top_of_repository(root)
    commands = [] if top else [("git init", "so that a release says which commit it is")]
    if top is None or _has_holes(top):
        commands.append((f"{program} check --ignores --fix", "keeps env files and what is installed out of git"))
    backend = proposal.backend
    if top is None or (backend and not has_tracked_files(root / backend.path)):
        remark = "of a backend, only what git has is shipped" if backend else "the first commit"
        # Two lines: PowerShell 5, which Windows comes with, has no `&&`.
        commands += [("git add --all", remark), ("git commit", "opens an editor for the message")]
    return commands


def _has_holes(top: Path) -> bool:
    try:
        tree = read_tree(top)
        with copied_rules(top, tree.rule_files) as answers:
            return bool(find_holes(tree, answers))
    except ShipperError:  # a .gitignore that git cannot read: `check --ignores` says so
        return True


def plan_files(root: Path, proposal: Proposal, *, tasks: bool) -> NewFiles:
    """Return the files for a proposal. Raises ConfigError when a value the user gave cannot be in a ship.toml."""
    text = render_ship_toml(proposal)
    try:
        parse_project(text, FILE_NAME)
    except ConfigError as error:
        raise ConfigError(
            f"With these values {FILE_NAME} would not be valid.",
            why=error.why,
            fix="Correct --name, --host, --user or --domain.",
        ) from None
    return NewFiles(root, text, _TASKS if tasks and not (root / TASKS_NAME).exists() else "")


def write_files(files: NewFiles) -> list[str]:
    """Write what is not there yet, and return the names. Raises ConfigError when ship.toml has appeared meanwhile."""
    written = []
    for name, text in ((FILE_NAME, files.ship_toml), (TASKS_NAME, files.tasks)):
        if not text:
            continue
        try:
            # Exclusive: what somebody wrote between the look and now stays.
            with (files.root / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            raise ConfigError(f"{name} is there already, and is never overwritten.", fix="shipper plan") from None
        except OSError as error:
            raise ShipperError(
                f"{name} could not be written.", why=str(error), fix=f"Look at the rights of {files.root}."
            ) from None
        written.append(name)
    return written
