"""The files of a repository that are worth looking at, read in bounds: never what was installed or built."""

from __future__ import annotations

import fnmatch
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipper.build.source_tree import list_sources, top_of_repository

# Installed, built, or somebody's example: nothing in these is what the team ships.
_OTHER_FOLDERS = frozenset(
    """
    node_modules bower_components .venv venv site-packages __pycache__ .git .hg .svn .shipper .next .nuxt .output
    .svelte-kit .astro .turbo .tox .nox .mypy_cache .pytest_cache .ruff_cache .idea .vscode .gradle dist out target
    coverage htmlcov staticfiles vendor third_party examples example fixtures __fixtures__ testdata
    __tests__ e2e cypress
    """.split()
)
_MOST_FILES = 100_000
_MOST_SOURCES = 5_000
_LARGEST_BYTES = 512 * 1024


@dataclass(frozen=True)
class Repository:
    """A folder and the POSIX paths of its files, sorted; `complete` is False where there were too many to list."""

    root: Path
    files: tuple[str, ...]
    in_git: bool
    complete: bool = True

    def text(self, path: str) -> str:
        """Return a file's text: at most 512 KB, what is not UTF-8 replaced; empty when it cannot be read."""
        return _read(self.root / path)

    def named(self, *patterns: str) -> list[str]:
        """Return the files whose own name matches one of the patterns, those nearest to the top first."""
        matching = (path for path in self.files if _matches(path.rpartition("/")[2], patterns))
        return sorted(matching, key=lambda path: (path.count("/"), path))

    def below(self, folder: str, *suffixes: str) -> Iterator[str]:
        """Yield the files in a folder with one of the suffixes."""
        start = "" if folder == "." else f"{folder}/"
        return (path for path in self.files if path.startswith(start) and path.endswith(suffixes))

    def sources(self, folder: str) -> list[str]:
        """Return the Python sources in a folder, those nearest to the top first, at most 5,000."""
        found = sorted(self.below(folder, ".py"), key=lambda path: (path.count("/"), path))
        return found[:_MOST_SOURCES]

    def has(self, path: str) -> bool:
        """Say whether this file is there."""
        return path in _as_set(self.files)


def read_repository(root: Path) -> Repository:
    """List the files in a folder: what git has or would take, and all others where there is no git."""
    in_git = top_of_repository(root) is not None
    listed = list_sources(root) if in_git else list(_walk(root))
    kept = [path for path in listed if _OTHER_FOLDERS.isdisjoint(path.split("/")[:-1])]
    return Repository(root, tuple(sorted(kept[:_MOST_FILES])), in_git, complete=len(kept) <= _MOST_FILES)


def _walk(root: Path) -> Iterator[str]:
    count = 0
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _OTHER_FOLDERS]
        for name in files:
            count += 1
            if count > _MOST_FILES + 1:
                return
            yield (Path(parent) / name).relative_to(root).as_posix()


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


@functools.lru_cache(maxsize=4)
def _as_set(files: tuple[str, ...]) -> frozenset[str]:
    return frozenset(files)


@functools.lru_cache(maxsize=8192)
def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES)
    except OSError:
        return ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # what Windows' editors call "Unicode"
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
