"""Where a release comes from: commit, author, what is in no commit, who ships it, with which shipper."""

from __future__ import annotations

import datetime
import os
from typing import Any

from shipper import __version__
from shipper.build.presets import output_folder
from shipper.build.source_tree import untracked_sources
from shipper.build.static_site import is_about_the_project
from shipper.config.project import Workspace
from shipper.git import NoRepositoryError, ask_for_list, ask_git
from shipper.pipeline.job import who

_SUBJECT_LETTERS = 200


def origin_of(workspace: Workspace) -> dict[str, Any]:
    """Return the origin of a release made now, for its record.

    "dirty" is whether files of the project are not as in the commit; "pushed" whether a remote was seen to have it.
    Without a repository, or with one that has no commit, there is no commit and nothing is dirty. Raises ConfigError
    when git is missing, or cannot read the repository.
    """
    made: dict[str, Any] = {
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": who(),
        "shipper": __version__,
        "run": os.environ.get("GITHUB_RUN_ID", ""),
    }
    try:
        commit, changed = _look(workspace)
    except NoRepositoryError:
        commit, changed = "", False
    if not commit:
        return {**made, "commit": "", "subject": "", "dirty": False, "author": "", "pushed": False}
    asked = ask_git(
        workspace.root, "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%an%x00%s", commit
    )
    author, _, subject = asked.decode("utf-8", "replace").strip("\n").partition("\0")
    remotes = ask_git(workspace.root, "for-each-ref", "--contains", commit, "--count=1", "refs/remotes")
    return {
        **made,
        "commit": commit,
        "subject": subject[:_SUBJECT_LETTERS],
        "dirty": changed or _has_new_pages(workspace),
        "author": author,
        "pushed": bool(remotes),
    }


def _look(workspace: Workspace) -> tuple[str, bool]:
    """Return the commit that is checked out, "" for none yet, and whether the project's files are not as in it."""
    backend = workspace.project.backend
    # An image is made of all files of its folder, also of those that git does not have.
    untracked = "normal" if backend is not None and backend.runtime == "compose" else "no"
    options = ("--porcelain=v2", "--branch", "--no-renames", f"--untracked-files={untracked}")
    lines = ask_for_list(workspace.root, "status", "-z", *options, "--", ".")
    commit = next(line.rpartition(" ")[2] for line in lines if line.startswith("# branch.oid "))
    return ("" if commit == "(initial)" else commit), any(not line.startswith("# ") for line in lines)


def _has_new_pages(workspace: Workspace) -> bool:
    """Whether the frontend has sources that git does not have: a build takes them, and a new page needs no mention.

    In the project's own folder, what is only about the project is none of them, such as a ship.toml that was just made.
    """
    frontend = workspace.project.frontend
    if frontend is None:
        return False
    folder = workspace.root / frontend.path
    new = untracked_sources(folder, output_folder(frontend))
    at_the_top = folder.resolve() == workspace.root.resolve()
    return any(not at_the_top or not (path.startswith(".") or is_about_the_project(path)) for path in new)
