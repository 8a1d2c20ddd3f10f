"""Which variables git is run with: those of a hook about the repository that is meant, and none that mislead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# git(1), "The Git Repository". A hook of `git commit -a` or `git commit <file>` finds the index that will be committed
# only through GIT_INDEX_FILE, and one of a linked working tree its repository only through GIT_DIR.
_PATHS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH")
_PATH_LISTS = ("GIT_ALTERNATE_OBJECT_DIRECTORIES",)
REPOSITORY_VARIABLES = (*_PATHS, *_PATH_LISTS)
# What would change the meaning of what git is asked, or mix other text into its answers.
_MISLEADING = (
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "LANGUAGE",
)
_OURS = {
    "GIT_LITERAL_PATHSPECS": "1",
    # Nothing is fetched object by object behind our back (git 2.39.4 and newer know it), and nobody is asked.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # Messages of git are recognised by their English words.
    "LC_ALL": "C",
}


def is_hook(variables: Mapping[str, str]) -> bool:
    """Say whether the variables name a repository, as those of a hook may do."""
    return any(name in variables for name in REPOSITORY_VARIABLES)


def plain_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which git finds the repository by the folder alone."""
    kept = {
        name: value
        for name, value in variables.items()
        if name not in REPOSITORY_VARIABLES and name not in _MISLEADING and not name.startswith("GIT_TRACE")
    }
    # Grafts pretend other parents; an empty file of them is none. The real parents are what a push is made of.
    return {**kept, **_OURS, "GIT_GRAFT_FILE": os.devnull}


def hook_environment(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the same with what names the repository; relative paths are made absolute, seen from `folder`."""
    environment = plain_environment(variables)
    for name in _PATHS:
        if name in variables:
            environment[name] = os.path.join(folder, variables[name])  # noqa: PTH118 - git's text, kept as it is
    for name in _PATH_LISTS:
        if name in variables:
            parts = variables[name].split(os.pathsep)
            # An entry in double quotes is escaped C-style, and git writes it absolute.
            joined = [part if part.startswith('"') or not part else os.path.join(folder, part) for part in parts]  # noqa: PTH118
            environment[name] = os.pathsep.join(joined)
    return environment


def grafted_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which git believes `info/grafts`, as `git push` does."""
    return {name: value for name, value in environment.items() if name != "GIT_GRAFT_FILE"}
