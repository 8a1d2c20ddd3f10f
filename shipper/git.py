"""Asking git about a repository: arguments as a list, answers as bytes, never a shell, never a pager or an editor."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from shipper.errors import ConfigError

# `git rev-parse --local-env-vars`: in a hook or an alias they point at what git is at, not at the folder asked about.
_GIT_VARIABLES = frozenset(
    """
    GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_OBJECT_DIRECTORY GIT_DIR
    GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE
    GIT_PREFIX GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_INTERNAL_SUPER_PREFIX
    """.split()
)


class NoRepositoryError(ConfigError):
    """The folder that git was asked about is in no repository."""


def ask_git(folder: Path, *arguments: str, given: bytes = b"", codes: Collection[int] = (0,)) -> bytes:
    """Return what git, run in `folder`, writes to its standard output; `given` is its standard input.

    `codes` are the exit codes that are an answer. Raises ConfigError, with git's own words, for any other, and when
    there is no git; NoRepositoryError, which is one, where there is no repository.
    """
    git = shutil.which("git")
    if git is None:
        raise ConfigError("git was not found on this machine.", fix="Install it from https://git-scm.com/downloads")
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_VARIABLES}
    answer = subprocess.run(
        [git, *arguments],
        cwd=folder,
        # Without it git may write the index while it only looks, and stand in the way of somebody's commit.
        env={**environment, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        input=given,
        capture_output=True,
        check=False,
    )
    if answer.returncode not in codes:
        said = answer.stderr.decode("utf-8", "replace").strip()
        if "not a git repository" in said:
            raise NoRepositoryError(
                f"{folder} is not in a git repository.", why=said, fix="Go to your project's folder, or: git init"
            )
        raise ConfigError(f"git {arguments[0]} failed in {folder}.", why=said, fix="Look at what git says.")
    return answer.stdout


def ask_for_list(folder: Path, *arguments: str, given: bytes = b"", codes: Collection[int] = (0,)) -> list[str]:
    """Return the entries of an answer that NUL characters end (git's `-z`); see `ask_git`."""
    answer = ask_git(folder, *arguments, given=given, codes=codes)
    return [os.fsdecode(entry) for entry in answer.split(b"\0")[:-1]]
