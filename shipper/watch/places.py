"""Which folders are listened to: all but those that git ignores, in as few subscriptions as that takes.

To listen to the whole project would be one line, and tens of thousands of watches for node_modules, more than Linux
gives to one user by default (inotify(7), max_user_watches).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipper.errors import ConfigError
from shipper.git import ask_for_list
from shipper.watch.files import SKIPPED_FOLDERS


@dataclass(frozen=True)
class Place:
    """One folder that is listened to, alone or with all below it."""

    folder: Path
    recursive: bool


def places_of(root: Path) -> frozenset[Place]:
    """Return the folders of a project to listen to."""
    ignored = ignored_folders(root)
    whole, places = _visit(root, ignored)
    return frozenset({Place(root, True)} if whole else places)


def ignored_folders(root: Path) -> frozenset[str]:
    """Return the folders that git ignores as a whole, absolute; none outside of a repository."""
    options = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
    try:
        entries = ask_for_list(root, "ls-files", *options)
    except ConfigError:
        return frozenset()
    return frozenset(str(root / PurePosixPath(entry)) for entry in entries if entry.endswith("/"))


def is_skipped(folder: str, ignored: frozenset[str]) -> bool:
    """Whether nothing in a folder (absolute) counts."""
    return os.path.basename(folder) in SKIPPED_FOLDERS or folder in ignored  # noqa: PTH119 - thousands of times


def _visit(folder: Path, ignored: frozenset[str]) -> tuple[bool, list[Place]]:
    """Return whether all below a folder counts, and if not the places that make up what does."""
    whole, places = True, []
    for child in _folders(folder):
        if is_skipped(str(child), ignored):
            whole = False
            continue
        below, inner = _visit(child, ignored)
        places += [Place(child, True)] if below else inner
        whole = whole and below
    return whole, [] if whole else [Place(folder, False), *places]


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:  # gone meanwhile, or not ours to read
        return []
