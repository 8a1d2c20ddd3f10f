"""What is looked at: one subject for each file, message or name, and a scope for all of them together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Literal

from shipper.check.hygiene.changes import Change, files_of_tree
from shipper.check.hygiene.commits import parts_of, target_of
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.objects import Header

Kind = Literal["file", "symlink", "submodule", "message", "tag-message", "identity", "header", "ref-name"]
# Sizes are asked for so many objects at once: few runs of git, and little that is kept in memory.
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that is looked at.

    `path` is the path from the top of the repository, "" for what is no file. `commit` is the full id of the first
    commit (or of the tag object) that holds it, "" for the index, the working tree and names. `size` counts bytes;
    `read(limit)` returns the contents, at most the first `limit` bytes, as long as the repository is open. `ref` is
    the ref that carries a tag or a name, or the merged commit that a file in the index comes from.
    """

    path: str
    commit: str
    kind: Kind
    size: int
    read: Callable[[int], bytes] = field(repr=False, compare=False)
    ref: str = ""


# The way out for what was found in a subject: because of the file as a whole, or because of a place in its contents.
Because = Literal["file", "contents"]
WayOut = Callable[[Subject, Because], str]


@dataclass(frozen=True)
class Scope:
    """All that is looked at in one check. `subjects` can be gone through once, while the repository is open.

    `title` says what it is in numbers ("3 commits of main"), `notes` what is not looked at and why.
    """

    title: str
    subjects: Iterator[Subject] = field(repr=False)
    way_out: WayOut = field(repr=False)
    commits: int = 0
    notes: tuple[str, ...] = ()


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 commit", "3 commits"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def file_subjects(repository: GitRepository, changes: Iterable[Change], ref: str = "") -> Iterator[Subject]:
    """Yield a subject for each pair of path and object, the first time it comes."""
    seen: set[Hashable] = set()
    new = (change for change in changes if not _seen_before(seen, (change.path, change.object_id)))
    while batch := list(islice(new, _AT_ONCE)):
        headers = repository.objects.headers(change.object_id for change in batch if change.mode != "160000")
        for change in batch:
            yield _file_subject(repository, change, headers.get(change.object_id), ref)


def commit_subjects(repository: GitRepository, commits: Iterable[str]) -> Iterator[Subject]:
    """Yield the messages of commits, the names of their authors, and other headers; equal ones once."""
    remaining = iter(commits)
    seen: set[Hashable] = set()
    while batch := list(islice(remaining, _AT_ONCE)):
        for commit, header in repository.objects.headers(batch).items():
            for part, text in parts_of(repository.objects.read(commit, header, header.size)):
                if text.strip() and not _seen_before(seen, (part, text)):
                    yield text_subject(part, text, commit)


def tag_subjects(repository: GitRepository, ref: str, tag: str) -> Iterator[Subject]:
    """Yield what is in the tag object `tag`, in the tags that it tags, and in a tree or blob at their end."""
    object_id = tag
    while True:
        header = repository.objects.headers([object_id])[object_id]
        if header.kind != "tag":
            break
        data = repository.objects.read(object_id, header, header.size)
        for part, text in parts_of(data):
            if text.strip():
                yield text_subject("tag-message" if part == "message" else part, text, object_id, ref)
        object_id = target_of(data)
    if header.kind == "blob":
        # It has no name but that of the ref.
        yield Subject(ref, "", "file", header.size, partial(repository.objects.read, object_id, header), ref)
    elif header.kind == "tree":
        yield from file_subjects(repository, files_of_tree(repository.git, object_id), ref)


def text_subject(kind: Kind, text: bytes, commit: str = "", ref: str = "") -> Subject:
    """Return a subject whose contents are at hand."""
    return Subject("", commit, kind, len(text), lambda limit: text[:limit], ref)


def _file_subject(repository: GitRepository, change: Change, header: Header | None, ref: str) -> Subject:
    if header is None:
        return Subject(change.path, change.commit, "submodule", 0, lambda limit: b"", ref)
    kind: Kind = "symlink" if change.mode == "120000" else "file"
    read = partial(repository.objects.read, change.object_id, header)
    return Subject(change.path, change.commit, kind, header.size, read, ref)


def _seen_before(seen: set[Hashable], key: Hashable) -> bool:
    if key in seen:
        return True
    seen.add(key)
    return False
