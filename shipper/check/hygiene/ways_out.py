"""The way out for what was found: the commands that fit the place where it is, in the order in which to type them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from shipper.check.hygiene.commits import Walk, walk
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.subjects import Because, Subject, WayOut


def out_of_index(repository: GitRepository, *, has_commits: bool) -> WayOut:
    """Return the ways out for files that are staged, but not committed yet."""

    def way_out(subject: Subject, because: Because) -> str:
        path = repository.spell(subject.path)
        if subject.ref:
            return (
                f"It comes with the merge of {subject.ref[:12]}, so it is in that history already: "
                f"rotate it, and have it removed there. To leave it out of the merge: {_untrack(subject)} {path}"
            )
        if because == "file":
            return f"{_untrack(subject)} {path}, and {_ignore(subject.path)}."
        unstage = f"git restore --staged -- {path}" if has_commits else f"{_untrack(subject)} {path}"
        return f"Take it out of the file, then: git add -- {path} (or commit without the file: {unstage})"

    return way_out


def out_of_commits(repository: GitRepository, looked_at: Walk) -> WayOut:
    """Return the ways out for what is in the commits `looked_at`, and for tags and names.

    Whether a commit has left this machine (any remote-tracking ref reaches it) and which branch has it is asked only
    when something was found.
    """
    commits = frozenset(looked_at.commits)

    @cache
    def published() -> frozenset[str]:
        tracked = [f"^{ref.object_id}" for ref in repository.refs("refs/remotes/")]
        return commits.difference(walk(repository.git, [*commits, *tracked]).commits) if tracked else frozenset()

    @cache
    def of_this_branch() -> frozenset[str]:
        last = repository.last_commit
        return frozenset(walk(repository.git, [last]).commits if last else ())

    def way_out(subject: Subject, because: Because) -> str:
        if subject.kind == "ref-name":
            return f"Give {subject.ref} another name, and push that."
        if subject.commit not in commits:
            return _out_of_tag(subject)
        if subject.commit in published():
            return _out_of_published(subject, because)
        if subject.commit not in of_this_branch():
            return _out_of_elsewhere(repository, subject, because, looked_at)
        if subject.commit == repository.last_commit:
            return f"It is in your last commit: {_amend(repository, subject, because)}."
        return f"{_rebase(repository, subject, because, looked_at)}."

    return way_out


def out_of_tree(repository: GitRepository | None, tracked: Callable[[str], bool]) -> WayOut:
    """Return the ways out for files on the disk; `tracked` says of a path whether git has it already."""

    def way_out(subject: Subject, because: Because) -> str:
        if because == "contents":
            return "Take it out of the file; a value belongs into the environment."
        if repository is None:
            return "Move it out of this folder."
        if tracked(subject.path):
            return f"{_untrack(subject)} {repository.spell(subject.path)}, and {_ignore(subject.path)}."
        return f"Move it out of the project, or {_ignore(subject.path)}."

    return way_out


def _amend(repository: GitRepository, subject: Subject, because: Because) -> str:
    """Return how a commit that is the last one, or that a rebase has stopped at, is made anew."""
    path = repository.spell(subject.path)
    if subject.kind == "identity":
        return "git config user.name and user.email, then git commit --amend --reset-author --no-edit"
    if not subject.path:
        return "git commit --amend, with another message"
    if because == "file":
        return f"{_untrack(subject)} {path}, {_ignore(subject.path)}, then git commit --amend --no-edit"
    return f"take it out of the file, git add -- {path}, then git commit --amend --no-edit"


def _rebase(repository: GitRepository, subject: Subject, because: Because, looked_at: Walk) -> str:
    onto = "--root" if subject.commit in looked_at.roots else f"{subject.commit[:12]}^"
    merges = "--rebase-merges " if looked_at.merges else ""
    amend = _amend(repository, subject, because)
    return f"git rebase -i {merges}{onto}, choose edit for {subject.commit[:12]}, then: {amend}, git rebase --continue"


def _out_of_elsewhere(repository: GitRepository, subject: Subject, because: Because, looked_at: Walk) -> str:
    """Return the way out of another branch, of a note, or of a stash, which no ref holds but its reflog."""
    answer = repository.git.ask("for-each-ref", "--format=%(refname)", f"--contains={subject.commit}")
    names = answer.output.decode("utf-8", "replace").split("\n")
    branch = next((name.removeprefix("refs/heads/") for name in names if name.startswith("refs/heads/")), "")
    if branch:
        return f"git switch {branch}, then: {_rebase(repository, subject, because, looked_at)}."
    notes = next((name for name in names if name.startswith("refs/notes/")), "")
    if notes:
        return f"Remove the note: git notes --ref={notes} remove <object>, then git update-ref -d {notes} if it is new."
    if not names[0] or "refs/stash" in names:
        return "It is in a stash: see git stash list, then git stash drop."
    return f"It is in {names[0]}: delete that, or make it anew without it."


def _out_of_published(subject: Subject, because: Because) -> str:
    if not subject.path:
        tool = "--mailmap" if subject.kind == "identity" else "--replace-message"
        rewrite = f"git filter-repo {tool} <file>"
    elif because == "file":
        rewrite = "git filter-repo --invert-paths --path <path>"
    else:
        rewrite = "git filter-repo --replace-text <file>"
    return (
        f"The commit {subject.commit[:12]} has been pushed before, so others may have it: rotate it first. "
        f"Then rewrite the history, together with everybody who works on it: {rewrite}"
    )


def _out_of_tag(subject: Subject) -> str:
    name = subject.ref.removeprefix("refs/tags/")
    if subject.kind == "tag-message":
        return f"Write the tag anew: git tag -f -a {name} {name}^{{}}"
    return f"Delete it: git update-ref -d {subject.ref}" if subject.ref else "Leave it out of what you push."


def _untrack(subject: Subject) -> str:
    return "git rm -r --cached --" if subject.path.endswith("/") else "git rm --cached --"


def _ignore(path: str) -> str:
    """gitignore(5): from the top, with a backslash before what would be a pattern."""
    line = re.sub(r"([\\*?\[\]]| $)", r"\\\1", f"/{path}")
    return f"add the line {line} to .gitignore" if line.isprintable() else "have .gitignore cover it"
