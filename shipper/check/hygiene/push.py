"""What a push sends: every ref that git names to the hook pre-push, without what the remote is known to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shipper.check.hygiene.commits import walk
from shipper.check.hygiene.git import OBJECT_ID, GitRepository
from shipper.check.hygiene.history import commit_scope_subjects, graft_notes
from shipper.check.hygiene.remotes import known_at_remote
from shipper.check.hygiene.subjects import Scope, Subject, count, text_subject
from shipper.check.hygiene.ways_out import out_of_commits
from shipper.errors import RepositoryError


class Update(NamedTuple):
    """One line of pre-push: what is pushed (a name or an expression, and its object) to which ref (and its object)."""

    local_ref: str
    local_id: str
    remote_ref: str
    remote_id: str

    @property
    def deletes(self) -> bool:
        """Whether the ref is deleted: its new object is the null id."""
        return not self.local_id.strip("0")


def push(repository: GitRepository, given: bytes, remote: str, url: str) -> Scope:
    """Return what a push brings to the remote: files and messages of commits, names of authors, tags, names of refs.

    `given` is what git gives pre-push on its standard input, `remote` and `url` are its two arguments (githooks(5));
    `remote` is the address itself when the push names no remote. Left out is the history of what the remote said it
    has, and of its remote-tracking refs. Raises RepositoryError for input that is not git's.
    """
    updates = parse_updates(given)
    sent = [update for update in updates if not update.deletes]
    headers = repository.objects.headers(update.local_id for update in sent)
    tips = [update.local_id for update in sent if headers[update.local_id].kind in ("commit", "tag")]
    known, notes = known_at_remote(repository, remote, url)
    left_out = [*known, *(update.remote_id for update in updates if update.remote_id.strip("0"))]
    # An id that is not here leaves nothing out: the remote has history of which this repository knows nothing.
    here = repository.objects.known(left_out)
    excluded = [f"^{object_id}" for object_id, header in here.items() if header.kind in ("commit", "tag")]
    views = [(git, walk(git, [*tips, *excluded])) for git in repository.views] if tips else []
    commits = len({commit for _, walked in views for commit in walked.commits})
    named = [(update.remote_ref, update.local_id) for update in sent if headers[update.local_id].kind != "commit"]
    looked_at = views[0][1] if views else walk(repository.git, [])
    return Scope(
        f"{count(commits, 'commit')}{_of(sent)}",
        _subjects(commit_scope_subjects(repository, views, named), sent),
        out_of_commits(repository, looked_at),
        commits,
        (*notes, *_notes(updates), *graft_notes(repository)),
    )


def parse_updates(given: bytes) -> list[Update]:
    """Return the lines of pre-push's input. Raises RepositoryError when a line is not of the form of githooks(5).

    What is pushed can be an expression with blanks in it (`HEAD@{1 day ago}`); the other three words have none.
    """
    updates = []
    for line in given.decode("utf-8", "surrogateescape").split("\n"):
        if not line:
            continue
        words = line.rsplit(" ", 3)
        if len(words) != 4 or not (OBJECT_ID.fullmatch(words[1]) and OBJECT_ID.fullmatch(words[3])):
            raise RepositoryError(
                "The input of the check is not what git gives its hook pre-push.",
                why="A line must be: <local ref> <local object> <remote ref> <remote object>",
                fix="Let git run the hook: git push",
            )
        updates.append(Update(*words))
    return updates


def _subjects(of_commits: Iterator[Subject], sent: Sequence[Update]) -> Iterator[Subject]:
    for update in sent:
        yield text_subject("ref-name", update.remote_ref.encode("utf-8", "surrogateescape"), ref=update.remote_ref)
    yield from of_commits


def _of(sent: Sequence[Update]) -> str:
    names = [update.remote_ref.removeprefix("refs/heads/").removeprefix("refs/") for update in sent]
    if len(names) > 3:
        return f" of {len(names)} refs"
    return " of " + " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def _notes(updates: Sequence[Update]) -> Iterator[str]:
    if not updates:
        yield "Git named no ref to push, so there was nothing to look at."
    for update in updates:
        if update.deletes:
            yield f"{update.remote_ref} is deleted at the remote: nothing is sent for it."
