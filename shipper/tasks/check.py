"""`inv check`: nothing secret leaves this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.errors import ConfigError
from shipper.tasks.face import command

if TYPE_CHECKING:
    from shipper.check.report import CheckReport
    from shipper.report.as_json import Answer

_HELP = {
    "staged": "what the next commit would record (the hook pre-commit)",
    "push": "what a push sends; reads what git gives the hook pre-push on standard input",
    "remote": "with --push: the remote's name, as git gives it to the hook",
    "url": "with --push: the remote's address",
    "range": "the commits of a range, such as origin/main..HEAD",
    "tree": "the files of this folder that git has or would take: what a release holds; this is the default",
    "history": "everything in the repository, in any commit",
    "ignores": "what .gitignore does not cover, or covers too much",
    "fix": "with --ignores: append what is missing to .gitignore",
    "adopt": "write what is found into ship.toml, to be looked at later: [[check.allow]]",
    "json": "one JSON object instead of text",
    "github": "annotations for GitHub Actions instead of text",
    "sarif": "also write the findings to this file, for GitHub's code scanning",
}


@command(help=_HELP)
def check(
    context: Context,
    staged: bool = False,
    push: bool = False,
    remote: str = "",
    url: str = "",
    range: str | None = None,
    tree: bool = False,
    history: bool = False,
    ignores: bool = False,
    fix: bool = False,
    adopt: bool = False,
    json: bool = False,
    github: bool = False,
    sarif: str = "",
) -> Answer:
    """Look for secrets, keys and dumps in files, commits and messages; exit code 3 when there are some."""
    scopes: dict[str, Callable[[], CheckReport]] = {
        "staged": _staged,
        "push": lambda: _push(remote, url),
        "range": lambda: _range(range or ""),
        "history": _history,
        "ignores": lambda: _ignores(fix),
        "tree": _tree,
    }
    asked = {
        "staged": staged,
        "push": push,
        "range": range is not None,
        "history": history,
        "ignores": ignores,
        "tree": tree,
    }
    from shipper.report.as_json import check_answer

    report = scopes[_one_of(asked, fix)]()
    if adopt:
        return _adopt(report, as_json=json)
    _show(report, as_json=json, as_annotations=github, sarif=sarif)
    return check_answer(report)


def _one_of(asked: dict[str, bool], fix: bool) -> str:
    """Return the one thing that is to be looked at; the tree when nothing is said."""
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise ConfigError(
            f"--{chosen[0]} and --{chosen[1]} are two checks.", fix=f"Type one of them: shipper check --{chosen[0]}"
        )
    if fix and chosen != ["ignores"]:
        raise ConfigError("--fix mends .gitignore and nothing else.", fix="shipper check --ignores --fix")
    return chosen[0] if chosen else "tree"


def _staged() -> CheckReport:
    from shipper.check.secrets import check_commits, look_at_staged

    return check_commits(Path.cwd(), look_at_staged)


def _push(remote: str, url: str) -> CheckReport:
    from shipper.check.secrets import check_commits, look_at_push

    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError(
            "--push reads from git what is pushed, and nobody gives it anything here.",
            fix="Let git run it (inv hooks.install), or look at a range: shipper check --range origin/main..HEAD",
        )
    given = sys.stdin.buffer.read()
    return check_commits(Path.cwd(), look_at_push(given, remote or url or "origin", url or remote or "origin"))


def _range(revisions: str) -> CheckReport:
    from shipper.check.secrets import check_commits, look_at_range

    return check_commits(Path.cwd(), look_at_range(revisions))


def _history() -> CheckReport:
    from shipper.check.secrets import check_commits, look_at_history

    return check_commits(Path.cwd(), look_at_history)


def _tree() -> CheckReport:
    from shipper.check.secrets import check_tree

    return check_tree(Path.cwd())


def _ignores(fix: bool) -> CheckReport:
    from shipper.check.ignore_fix import fix_ignores
    from shipper.check.ignores import check_ignores
    from shipper.check.report import CheckReport
    from shipper.check.secrets import leave_out_allowed_in
    from shipper.hooks.place import find_place

    top = find_place(Path.cwd()).top
    notes = tuple(f"Added to .gitignore: {line}" for line in fix_ignores(top)) if fix else ()
    return CheckReport(leave_out_allowed_in(top, check_ignores(top)), ".gitignore", 0, 1, notes)


def _adopt(report: CheckReport, *, as_json: bool) -> Answer:
    import datetime

    from shipper.check.adopt import adopt_into, find_file
    from shipper.hooks.place import find_place
    from shipper.report.as_json import Answer

    file = find_file(Path.cwd())
    top = find_place(file.parent).top
    under = file.parent.resolve().relative_to(top.resolve()).as_posix()
    today = datetime.datetime.now(datetime.UTC).date()
    count = adopt_into(file, report.findings, today, under="" if under == "." else under)
    entries = "1 entry" if count == 1 else f"{count} entries"
    if not as_json:
        _print(f"{entries} of [[check.allow]] written to {file.name}; look at each, and say why it may stay.")
    return Answer({"title": report.title, "adopted": count, "file": str(file)}, report.findings)


def _show(report: CheckReport, *, as_json: bool, as_annotations: bool, sarif: str) -> None:
    if sarif:
        from shipper.report.sarif import render_sarif

        try:
            Path(sarif).write_text(render_sarif(report), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{sarif} cannot be written.", why=str(error), fix="Name another file.") from None
    from shipper.report.summary import summarise_check

    summarise_check(report)
    if as_json:
        return
    if as_annotations:
        from shipper.report.check import summary
        from shipper.report.github import render_github

        _print(f"{render_github(report)}{summary(report)}")
    else:
        from shipper.report.check import show_check

        show_check(report)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - for programs: no width, no colour
