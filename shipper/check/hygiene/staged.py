"""What `git commit` would record now: the index against the last commit."""

from __future__ import annotations

from dataclasses import replace

from shipper.check.hygiene.changes import Change, changes_of_index
from shipper.check.hygiene.git import OBJECT_ID, GitRepository
from shipper.check.hygiene.subjects import Scope, count, file_subjects
from shipper.check.hygiene.ways_out import out_of_index
from shipper.errors import ConfigError


def staged(repository: GitRepository) -> Scope:
    """Return every file whose staged contents differ from the last commit's, as staged, not as on the disk.

    In a hook of `git commit -a` or `git commit <file>` that is the index that git prepared for it. During a merge it
    is also what the other side brings; these subjects name the merged commit in `ref`. What `git commit --amend` keeps
    of the last commit is not among them: no hook is told of it, so it is left to the check of the push. Raises
    ConfigError in a bare repository and while files are unmerged.
    """
    repository.work_tree()
    last = repository.last_commit
    changes = list(changes_of_index(repository.git, last or repository.empty_tree()))
    unmerged = [change.path for change in changes if change.mode == "000000"]
    if unmerged:
        raise ConfigError(
            f"{count(len(unmerged), 'file')} {'is' if len(unmerged) == 1 else 'are'} not merged yet.",
            why="Git commits nothing as long as a conflict is open: " + ", ".join(unmerged[:5]),
            fix=f"Solve it, then: git add -- {repository.spell(unmerged[0])}",
        )
    merged = _origins(repository, changes)
    subjects = (
        replace(subject, ref=merged[subject.path]) if subject.path in merged else subject
        for subject in file_subjects(repository, changes)
    )
    return Scope(count(len(changes), "staged file"), subjects, out_of_index(repository, has_commits=bool(last)))


def _origins(repository: GitRepository, changes: list[Change]) -> dict[str, str]:
    """Return the paths that are as in a commit that is being merged, each with that commit."""
    marks = repository.place.directory / "MERGE_HEAD"
    if not changes or not marks.is_file():
        return {}
    origins: dict[str, str] = {}
    for commit in OBJECT_ID.findall(marks.read_text("ascii")):
        other = {change.path for change in changes_of_index(repository.git, commit)}
        origins.update({change.path: commit for change in changes if change.path not in other})
    return origins
