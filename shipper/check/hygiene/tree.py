"""What a release would be made of: the files of a working tree as they are on the disk, or of a folder without git."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shipper.check.hygiene.changes import Change, decode_path
from shipper.check.hygiene.disk import Disk
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.subjects import Scope, Subject, WayOut, count, file_subjects
from shipper.check.hygiene.ways_out import out_of_tree
from shipper.errors import ConfigError


@dataclass(frozen=True)
class _Listed:
    """What git lists: `path` from the top, its entry in the index (None if untracked), whether it is sparse."""

    path: str
    entry: Change | None
    is_skipped: bool = False


def tree(repository: GitRepository, root: Path | None = None) -> Scope:
    """Return the tracked files and the untracked ones that are not ignored, with their contents on the disk.

    `root` is a folder of the working tree to which it is limited. Files that a sparse checkout leaves out come from
    the index; deleted ones are left out; links are not followed; a repository inside is gone through by its own
    rules, while a submodule is only noted. Raises ConfigError without a working tree.
    """
    top = repository.work_tree()
    listed = _list(repository, _below(top, root))
    tracked = frozenset(item.path for item in listed if item.entry is not None)
    return _scope(_subjects(repository, listed), out_of_tree(repository, tracked.__contains__))


def folder_tree(folder: Path) -> Scope:
    """Return all files of a folder that is in no repository, but those of a `.git` in it."""
    disk = Disk(folder)
    subjects = (subject for path in disk.walk() if (subject := disk.subject(path)))
    return _scope(subjects, out_of_tree(None, lambda path: False))


def _scope(subjects: Iterator[Subject], way_out: WayOut) -> Scope:
    """Files that are only listed are not counted, so they are all looked up first."""
    found = list(subjects)
    return Scope(count(sum(subject.kind != "submodule" for subject in found), "file"), iter(found), way_out)


def _below(top: Path, root: Path | None) -> str:
    """Return the folder as git's path from the top, "" for all."""
    if root is None:
        return ""
    try:
        below = Path(os.path.realpath(root)).relative_to(os.path.realpath(top))
    except ValueError:
        raise ConfigError(
            f"{root} is not in the repository of {top}.",
            why="Only files of one repository are looked at together.",
            fix="Name a folder inside it, or run it there: shipper check --tree",
        ) from None
    return "" if below == Path() else below.as_posix()


def _list(repository: GitRepository, below: str = "") -> list[_Listed]:
    """Ask git for its files: git-ls-files(1), -t: S is a file that a sparse checkout leaves out, ? an untracked one.

    A file with a conflict stands in the index up to three times.
    """
    options = ("-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
    found: dict[str, _Listed] = {}
    for token in repository.git.stream("ls-files", *options, *(("--", below) if below else ())):
        if token.startswith(b"? "):
            path = decode_path(token[2:])
            found[path] = _Listed(path, None)
            continue
        meta, _, raw = token.partition(b"\t")
        tag, mode, object_id, _ = meta.decode().split(" ")
        path = decode_path(raw)
        found.setdefault(path, _Listed(path, Change("", path, mode, object_id), is_skipped=tag == "S"))
    return list(found.values())


def _subjects(repository: GitRepository, listed: Sequence[_Listed]) -> Iterator[Subject]:
    disk = Disk(repository.work_tree())
    elsewhere: list[Change] = []
    for item in listed:
        if item.entry is not None and item.entry.mode == "160000":
            elsewhere.append(item.entry)
        elif item.path.endswith("/"):
            yield from _inner(repository, disk, item.path)
        elif subject := disk.subject(item.path):
            yield subject
        elif item.entry is not None and item.is_skipped:
            elsewhere.append(item.entry)
    yield from file_subjects(repository, elsewhere)


def _inner(repository: GitRepository, disk: Disk, path: str) -> Iterator[Subject]:
    """Go through a repository that lies untracked in this one: git names only its folder; a build sees its files."""
    inner = repository.belongings.enter_context(GitRepository.open(disk.top / path))
    for subject in _subjects(inner, _list(inner)):
        yield replace(subject, path=path + subject.path)
