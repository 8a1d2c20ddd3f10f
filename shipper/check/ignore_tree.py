"""The files of a repository as its .gitignore files sort them, and what kinds of project they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from shipper.check.ignore_answers import NO_EXCLUDES
from shipper.check.ignore_table import DERIVED, SOURCE_FOLDERS, kinds_of
from shipper.git import ask_for_list


@dataclass(frozen=True)
class Tree:
    """A repository's files as git lists them, relative to its top: tracked, neither tracked nor ignored, tracked
    although ignored, and ignored (whole folders end with a slash)."""

    top: Path
    tracked: tuple[str, ...]
    others: tuple[str, ...]
    tracked_ignored: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def rule_files(self) -> list[str]:
        """The .gitignore files that everybody has, or will have after `git add`."""
        return sorted({path for path in (*self.tracked, *self.others) if PurePosixPath(path).name == ".gitignore"})

    @cached_property
    def packages(self) -> frozenset[str]:
        """The folders that are Python packages."""
        return frozenset(path.removesuffix("/__init__.py") for path in self.tracked if path.endswith("/__init__.py"))

    def source_folders(self, folder: str) -> list[str]:
        """Return the folders of sources directly below a project's folder."""
        prefix = join(folder, "")
        below = {
            path.removeprefix(prefix).split("/")[0]
            for path in self.tracked
            if path.startswith(prefix) and "/" in path.removeprefix(prefix)
        }
        return sorted(
            join(folder, name) for name in below if name in SOURCE_FOLDERS or join(folder, name) in self.packages
        )

    def folders(self) -> dict[str, frozenset[str]]:
        """Return the projects' folders ("" is the top) with their kinds; the top is always one of them."""
        names: dict[str, list[str]] = {"": []}
        for path in (*self.tracked, *self.others):
            folder, _, name = path.rpartition("/")
            names.setdefault(folder, []).append(name)
        kinds = {folder: kinds_of(found) for folder, found in names.items() if DERIVED.isdisjoint(folder.split("/"))}
        return {folder: found | {"any"} for folder, found in sorted(kinds.items()) if found or not folder}


def read_tree(top: Path) -> Tree:
    """Ask git for the files of the worktree at `top`, by the .gitignore files alone. Raises ConfigError."""

    def listed(*options: str) -> tuple[str, ...]:
        return tuple(ask_for_list(top, *NO_EXCLUDES, "ls-files", "-z", *options))

    by_files = "--exclude-per-directory=.gitignore"
    return Tree(
        top=top,
        tracked=listed("--cached"),
        others=listed("--others", by_files),
        tracked_ignored=listed("--cached", "--ignored", by_files),
        ignored=listed("--others", "--ignored", "--directory", by_files),
    )


def join(folder: str, path: str) -> str:
    """Return a path of a folder relative to the top; the folder "" is the top."""
    return f"{folder}/{path}" if folder else path
