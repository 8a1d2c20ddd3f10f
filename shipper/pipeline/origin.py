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
from shipper.errors import ConfigError
from shipper.git import ask_git
from shipper.pipeline.job import who

_SUBJECT_LETTERS = 200


def origin_of(workspace: Workspace) -> dict[str, Any]:
    """Return the origin of a release made now, for its record.

    "dirty" is whether files of the project are not as in the commit; "pushed" whether a remote was seen to have it.
    Without a repository, or with one that has no commit, there is no commit and nothing is dirty. Raises ConfigError
    when git is missing, or cannot read the repository.
    """
    ask_git(workspace.root, "--version")  # without git, what follows could not even be imported
    from git import GitCommandError, InvalidGitRepositoryError, Repo

    made: dict[str, Any] = {
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": who(),
        "shipper": __version__,
        "run": os.environ.get("GITHUB_RUN_ID", ""),
    }
    try:
        with Repo(workspace.root, search_parent_directories=True) as repository:
            commit = repository.head.commit
            backend = workspace.project.backend
            # An image is made of all files of its folder, also of those that git does not have.
            untracked = backend is not None and backend.runtime == "compose"
            dirty = repository.is_dirty(path=str(workspace.root), untracked_files=untracked)
            dirty = dirty or _has_new_pages(workspace)
            pushed = bool(repository.git.for_each_ref("refs/remotes", contains=commit.hexsha, count=1))
            of_commit = {"commit": commit.hexsha, "subject": str(commit.summary)[:_SUBJECT_LETTERS]}
            return {**made, **of_commit, "dirty": dirty, "author": str(commit.author), "pushed": pushed}
    except GitCommandError as error:
        raise ConfigError("git cannot read this repository.", why=error.stderr.strip(), fix="git status") from error
    except (InvalidGitRepositoryError, ValueError):  # no repository, or one without a commit
        return {**made, "commit": "", "subject": "", "dirty": False, "author": "", "pushed": False}


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
