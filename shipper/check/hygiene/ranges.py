"""The commits that somebody names: `A..B`, `A...B`, `B ^A`, or one commit. CI looks at its pushes so."""

from __future__ import annotations

from typing import NamedTuple

from shipper.check.hygiene.commits import walk
from shipper.check.hygiene.git import OBJECT_ID, GitRepository
from shipper.check.hygiene.history import commit_scope_subjects, graft_notes
from shipper.check.hygiene.subjects import Scope, count
from shipper.check.hygiene.ways_out import out_of_commits
from shipper.errors import ConfigError


class _Ends(NamedTuple):
    """The objects that a range begins and ends with; `from_the_start` when its beginning is the null id."""

    wanted: tuple[str, ...]
    left_out: tuple[str, ...]
    from_the_start: bool


def commit_range(repository: GitRepository, revisions: str) -> Scope:
    """Return what the commits of `revisions` bring in: their files, messages, names.

    `revisions` is what gitrevisions(7) calls a range, in one or several words; a revision without a range means that
    commit alone, not its history. The null id as the beginning (GitHub's `before` of a new branch) leaves nothing out.
    Raises ConfigError when it names no commits, and when a shallow clone lacks them.
    """
    ends = _ends(repository, revisions)
    is_range = bool(ends.left_out) or ends.from_the_start
    given = [*ends.wanted, *(f"^{object_id}" for object_id in ends.left_out)]
    options = () if is_range else ("--no-walk",)
    # Parents, real or pretended, do not matter to commits that are looked at one by one.
    views = [(git, walk(git, given, *options)) for git in (repository.views if is_range else [repository.git])]
    commits = len({commit for _, walked in views for commit in walked.commits})
    notes = list(graft_notes(repository))
    if repository.place.is_shallow and any(walked.roots for _, walked in views):
        notes.append("This is a shallow clone: its oldest commit counts as if it had brought in all of its files.")
    if ends.from_the_start:
        notes.append("The range begins with the null id: all commits before its end were looked at.")
    named = [("", object_id) for object_id in ends.wanted if _kind(repository, object_id) == "tag"]
    return Scope(
        f"{count(commits, 'commit')} of {revisions.strip()}",
        commit_scope_subjects(repository, views, named),
        out_of_commits(repository, views[0][1]),
        commits,
        tuple(notes),
    )


def _ends(repository: GitRepository, revisions: str) -> _Ends:
    words = revisions.split()
    if not words or any(word.startswith("-") for word in words):
        raise _unknown(repository, revisions, "A range is made of names of commits, such as main..HEAD.")
    answer = repository.git.ask("rev-parse", *words)
    lines = answer.output.decode("utf-8", "replace").split()
    if answer.code or not all(OBJECT_ID.fullmatch(line.removeprefix("^")) for line in lines):
        raise _unknown(repository, revisions, answer.complaints.partition("\n")[0])
    null = [line for line in lines if not line.strip("^0")]
    ids = [line for line in lines if line not in null]
    here = repository.objects.known(line.removeprefix("^") for line in ids)
    for line in ids:
        header = here.get(line.removeprefix("^"))
        if header is None or header.kind not in ("commit", "tag"):
            found = f"is a {header.kind}, no commit" if header else "is not in this repository"
            raise _unknown(repository, revisions, f"{line.removeprefix('^')} {found}.")
    wanted = tuple(line for line in ids if not line.startswith("^"))
    return _Ends(wanted, tuple(line[1:] for line in ids if line.startswith("^")), bool(null))


def _unknown(repository: GitRepository, revisions: str, why: str) -> ConfigError:
    what = f"{revisions.strip() or 'Nothing'} names no commits here."
    if repository.place.is_shallow:
        why += "\nThis is a shallow clone: older commits were not fetched."
        return ConfigError(what, why=why, fix="git fetch --unshallow (with actions/checkout: fetch-depth: 0)")
    return ConfigError(what, why=why, fix="git fetch --all --tags, then see the names: git log --oneline --all")


def _kind(repository: GitRepository, object_id: str) -> str:
    return repository.objects.headers([object_id])[object_id].kind
