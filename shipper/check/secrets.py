"""One check for secrets from its start to its outcome: what is looked at, with which rules, and what may stay."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shipper.check.allow import Entry, entries_of, find_unused, leave_out_allowed
from shipper.check.hygiene.contents import check_contents
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.memory import Memory
from shipper.check.hygiene.names import check_name
from shipper.check.hygiene.scopes import Scope, commit_range, folder_tree, history, push, staged, tree
from shipper.check.hygiene.verdict import check
from shipper.check.report import CheckReport
from shipper.findings import Finding

if TYPE_CHECKING:
    # The models cost more time than the look at a commit.
    from shipper.config.project import Workspace

Look = Callable[[GitRepository], Scope]
_FILE = "ship.toml"


def look_at_staged(repository: GitRepository) -> Scope:
    """Choose what the next commit would record."""
    return staged(repository)


def look_at_push(given: bytes, remote: str, url: str) -> Look:
    """Choose what a push sends; `given` is what git gives its hook pre-push on standard input (githooks(5))."""
    return lambda repository: push(repository, given, remote, url)


def look_at_range(revisions: str) -> Look:
    """Choose what the commits of a range bring in, such as "origin/main..HEAD"."""
    return lambda repository: commit_range(repository, revisions)


def look_at_history(repository: GitRepository) -> Scope:
    """Choose everything that the repository holds, in any commit."""
    return history(repository)


def check_commits(folder: Path, look: Look) -> CheckReport:
    """Check what `look` chooses of the repository that `folder` is in. Raises ConfigError and RepositoryError."""
    with GitRepository.open(folder) as repository:
        top = repository.place.top
        return _outcome(look(repository), _entries(repository, top, folder) if top else {})


def check_tree(folder: Path, memory: Memory | None = None) -> CheckReport:
    """Check the files in `folder` that git has or would take, as they are on the disk; all, where there is no git.

    What `memory` knows to be clean is not looked through again. Entries of `[[check.allow]]` that cover nothing any
    more are findings as well. Raises ConfigError.
    """
    repository = GitRepository.find(folder)
    if repository is None:
        file = folder / _FILE
        entries = {"": _allowed(file)} if file.is_file() else {}
        return _outcome(folder_tree(folder), entries, whole="", memory=memory)
    with repository:
        top = repository.work_tree()
        root = folder.resolve().relative_to(top.resolve()).as_posix()
        scope = tree(repository, folder)
        return _outcome(scope, _entries(repository, top, folder), whole="" if root == "." else root, memory=memory)


def leave_out_allowed_of(workspace: Workspace, findings: list[Finding]) -> list[Finding]:
    """Return the findings that no entry of the project's ship.toml covers."""
    known = tuple(Entry(one) for one in workspace.project.check.allow)
    return leave_out_allowed(findings, known, lambda _: {}, _today())[0]


def leave_out_allowed_in(top: Path, findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings that no entry of any ship.toml of the repository at `top` covers."""
    with GitRepository.open(top) as repository:
        for under, known in _entries(repository, top, top).items():
            findings = leave_out_allowed(findings, known, lambda _: {}, _today(), under=under)[0]
    return tuple(findings)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _outcome(
    scope: Scope,
    entries: Mapping[str, tuple[Entry, ...]],
    whole: str | None = None,
    memory: Memory | None = None,
) -> CheckReport:
    """Check a scope and leave out what may stay. `whole` is the folder that was looked at completely, if one was."""
    today = _today()
    report = check(scope, check_name, check_contents, memory)
    kept: list[Finding] = list(report.findings)
    about: list[Finding] = []
    for under, known in (entries or {"": ()}).items():
        kept, extra = leave_out_allowed(kept, known, report.inline_of, today, under=under)
        about += (_placed(finding, under) for finding in extra)
        if whole is not None and f"{under}/".startswith(f"{whole}/" if whole else ""):
            about += (_placed(one, under) for one in find_unused(report.findings, known, today, under=under))
    return CheckReport((*kept, *dict.fromkeys(about)), report.title, report.commits, report.files, report.notes)


def _placed(finding: Finding, under: str) -> Finding:
    """Return a finding about an entry with the path of its ship.toml in the repository."""
    if finding.path != _FILE or not under:
        return finding
    return dataclasses.replace(finding, path=f"{under}/{_FILE}")


def _entries(repository: GitRepository, top: Path, folder: Path) -> dict[str, tuple[Entry, ...]]:
    """Return the entries of every ship.toml of the repository, by its folder."""
    # Every project of the repository has its own, wherever the check is run; one that is new counts as well.
    tracked = repository.git.run("ls-files", "-z", "--cached").split(b"\0")
    names = {os.fsdecode(path) for path in tracked if path.rpartition(b"/")[2] == _FILE.encode()} | {_FILE}
    root, here = top.resolve(), folder.resolve()
    names |= {(one / _FILE).relative_to(root).as_posix() for one in (here, *here.parents) if one.is_relative_to(root)}
    return {name.rpartition("/")[0]: _allowed(top / name) for name in sorted(names) if (top / name).is_file()}


def _allowed(file: Path) -> tuple[Entry, ...]:
    content = file.read_bytes()
    if b"allow" not in content:  # a commit does not wait until a whole ship.toml is understood
        return ()
    from shipper.config.load import load_project
    from shipper.config.text import decode_text

    text = decode_text(content, str(file))

    return entries_of(load_project(file).check.allow, text)
