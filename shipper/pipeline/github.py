"""The workflow of a project for GitHub's actions: where it belongs, what is in it, writing it without harm."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from shipper.config.project import Workspace
from shipper.config.text import decode_text
from shipper.errors import ConfigError
from shipper.git import ask_git
from shipper.origin import Origin
from shipper.render.github import Place, caller_workflow

_FOLDER = Path(".github") / "workflows"


@dataclass(frozen=True)
class Workflow:
    """A workflow to be written: its file, that file as people call it (from the repository's top), its text."""

    file: Path
    name: str
    text: str


def plan_workflow(workspace: Workspace, origin: Origin) -> Workflow:
    """Return the workflow for a project. Raises ConfigError when it is in no git repository, or has no target."""
    if not workspace.project.targets:
        raise ConfigError(
            "ship.toml has no target that GitHub could ship to.",
            why="The sandbox is on your machine alone.",
            fix='Add one to ship.toml:\n\n[targets.production]\nhost = "app.example.com"\nuser = "ubuntu"',
        )
    top = Path(ask_git(workspace.root, "rev-parse", "--show-toplevel").decode().rstrip("\r\n"))
    folder = workspace.root.resolve().relative_to(top.resolve()).as_posix()
    # Several projects in one repository have a workflow each.
    name = "ship.yml" if folder == "." else f"ship-{workspace.project.name}.yml"
    text = caller_workflow(workspace.project, Place(folder, default_branch(top)), origin)
    return Workflow(top / _FOLDER / name, (_FOLDER / name).as_posix(), text)


def default_branch(top: Path) -> str:
    """Return the branch that is the remote's default one, as far as it is known here."""
    head = ask_git(top, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", codes=(0, 1)).decode().strip()
    if head:
        return head.removeprefix("origin/")
    names = ask_git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/main", "refs/heads/master")
    current = ask_git(top, "symbolic-ref", "--quiet", "--short", "HEAD", codes=(0, 1)).decode().strip()
    return next(iter(names.decode().split()), current or "main")


def write_workflow(workflow: Workflow) -> bool:
    """Write the workflow; return whether there was something to write.

    Raises ConfigError with the difference when another one is there: it may hold what somebody needs.
    """
    try:
        workflow.file.parent.mkdir(parents=True, exist_ok=True)
        with workflow.file.open("x", encoding="utf-8", newline="\n") as file:
            file.write(workflow.text)
    except FileExistsError:
        if not workflow.file.is_file():
            raise ConfigError(f"{workflow.name} cannot be written.", why="Something else has that name.") from None
    except OSError as error:
        raise ConfigError(f"{workflow.name} cannot be written.", why=str(error.strerror or error)) from None
    else:
        return True
    known = decode_text(workflow.file.read_bytes(), workflow.name).replace("\r\n", "\n")
    if known == workflow.text:
        return False
    lines = difflib.unified_diff(
        known.splitlines(), workflow.text.splitlines(), workflow.name, "what would be written", lineterm=""
    )
    raise ConfigError(
        f"{workflow.name} is there already and says something else; it was left as it is.",
        why="\n".join(lines),
        fix=f"Take over what you want of it, or: git rm {workflow.name}; inv init --github",
    )
