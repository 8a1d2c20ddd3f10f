"""Everything that the refs of a repository reach: branches, tags, remote-tracking refs, notes, every stash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from shipper.check.hygiene.changes import Change, changes_of_commits
from shipper.check.hygiene.commits import Walk, walk
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.program import Git
from shipper.check.hygiene.subjects import Scope, Subject, commit_subjects, count, file_subjects, tag_subjects
from shipper.check.hygiene.ways_out import out_of_commits

_SHALLOW = "This is a shallow clone: what is older than its oldest commits is not here and was not looked at."


def history(repository: GitRepository) -> Scope:
    """Return every file of every commit, every message and every tag that a ref reaches; also all stashes and notes.

    A subject names the first commit that brought it in. Names of authors are looked at, too.
    """
    refs = repository.refs()
    stashes = _stashes(repository) if any(ref.name == "refs/stash" for ref in refs) else []
    views = [(git, walk(git, stashes, "--all")) for git in repository.views]
    named = [(ref.name, ref.object_id) for ref in refs if ref.kind != "commit"]
    commits = len({commit for _, walked in views for commit in walked.commits})
    return Scope(
        f"{count(commits, 'commit')} of {count(len(refs), 'ref')}",
        commit_scope_subjects(repository, views, named),
        out_of_commits(repository, views[0][1]),
        commits,
        tuple(chain([_SHALLOW] if repository.place.is_shallow else [], graft_notes(repository))),
    )


def commit_scope_subjects(
    repository: GitRepository, views: Sequence[tuple[Git, Walk]], named: Sequence[tuple[str, str]]
) -> Iterator[Subject]:
    """Yield the files of the commits in `views`, their messages, and what the refs and objects `named` hold."""

    def changes() -> Iterator[Change]:
        for git, walked in views:
            yield from changes_of_commits(git, walked.commits)

    yield from file_subjects(repository, changes())
    yield from commit_subjects(repository, dict.fromkeys(commit for _, walked in views for commit in walked.commits))
    for ref, object_id in named:
        yield from tag_subjects(repository, ref, object_id)


def graft_notes(repository: GitRepository) -> tuple[str, ...]:
    """Say that there are grafts, if there are."""
    if len(repository.views) == 1:
        return ()
    return ("info/grafts pretends other parents for some commits: history was looked at with and without it.",)


def _stashes(repository: GitRepository) -> list[str]:
    """Return every stash: the ref names only the newest, the others are in its reflog (git-stash(1))."""
    return repository.git.run("rev-list", "--walk-reflogs", "refs/stash").decode().split()
