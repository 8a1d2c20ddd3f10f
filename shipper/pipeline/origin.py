"""Where a release comes from: commit, author, what is in no commit, who ships it, with which shipper."""

from __future__ import annotations

import datetime
import os
from typing import Any

from shipper import __version__
from shipper.config.project import Workspace
from shipper.errors import ConfigError
from shipper.git import ask_git
from shipper.pipeline.job import who


def origin_of(workspace: Workspace) -> dict[str, Any]:
    """Return the origin of a release made now, for its record.

    "dirty" is whether files of the project are not as in the commit; "pushed" whether a remote was seen to have it.
    Without a repository, or with one that has no commit, there is no commit and nothing is dirty.
    """
    made: dict[str, Any] = {
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": who(),
        "shipper": __version__,
        "run": os.environ.get("GITHUB_RUN_ID", ""),
    }
    root, backend = workspace.root, workspace.project.backend
    try:
        told = ask_git(root, "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%H%x00%an")
    except ConfigError:
        return {**made, "commit": "", "dirty": False, "author": "", "pushed": False}
    commit, _, author = told.decode("utf-8", "replace").rstrip("\n").partition("\0")
    # An image is made of all files of its folder, also of those that git does not have.
    untracked = "normal" if backend is not None and backend.runtime == "compose" else "no"
    dirty = bool(ask_git(root, "status", "--porcelain", "-z", f"--untracked-files={untracked}", "--", "."))
    pushed = bool(ask_git(root, "for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes"))
    return {**made, "commit": commit, "dirty": dirty, "author": author, "pushed": pushed}
