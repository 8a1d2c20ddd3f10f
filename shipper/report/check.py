"""The outcome of a check for people at a terminal."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.markup import escape

from shipper.check.report import CheckReport
from shipper.findings import Finding, Severity
from shipper.report.console import console

_COLOURS: dict[Severity, str] = {"error": "red", "warning": "yellow", "note": "cyan"}
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}
_INDENT = " " * 6


def show_check(report: CheckReport, to: Console = console) -> None:
    """Print the findings by file, a reason once, a way out once for a file, and how much was looked at."""
    explained: set[tuple[str, str]] = set()
    for place, findings in groupby(sorted(report.findings, key=_sort_key), key=_place):
        to.print(f"[bold]{_shown(_safe_start(place), to)}[/bold]")
        for finding in findings:
            _show_finding(finding, explained, to)
    for note in report.notes:
        to.print(f"  [cyan]note[/cyan] {_shown(note, to)}")
    colour = "red" if report.exit_code else "green"
    to.print(f"[{colour}]{_shown(summary(report), to)}[/{colour}]")


def summary(report: CheckReport) -> str:
    """Return the last line: what was found, and in how much; an empty range is told as one."""
    counts = [
        _count(report.count(severity), severity)
        for severity in _ORDER
        if report.count(severity) or (severity == "error" and report.findings)
    ]
    files = len({finding.path for finding in report.findings if finding.path})
    found = ", ".join(counts) + (f" in {_count(files, 'file')}" if files else "") if counts else "nothing found"
    return f"{report.title}: {found}; {_seen(report)} checked"


def _seen(report: CheckReport) -> str:
    """Say how much was looked at; the working tree has files, but no commits."""
    parts = [_count(report.files, "file")] if report.files else []
    parts += [_count(report.commits, "commit")] if report.commits or not report.files else []
    return " of ".join(parts)


def _show_finding(finding: Finding, explained: set[tuple[str, str]], to: Console) -> None:
    line = f"{finding.line:>5}" if finding.line else " " * 5
    commit = f" [dim]in {escape(finding.commit[:12])}[/dim]" if finding.commit and finding.path else ""
    colour = _COLOURS[finding.severity]
    to.print(
        f"{line} [{colour}]{finding.severity}[/{colour}] {_shown(finding.message, to)} "
        f"[dim]({_shown(finding.rule, to)})[/dim]{commit}"
    )
    if (finding.rule, finding.why) not in explained:
        explained.add((finding.rule, finding.why))
        for text in finding.why.splitlines():
            to.print(f"{_INDENT}{_shown(text, to)}", style="dim")
    if (finding.path, finding.fix) in explained:
        return
    explained.add((finding.path, finding.fix))
    for text in finding.fix.splitlines():
        to.print(f"{_INDENT}[green]->[/green] {_shown(text, to)}")


def _place(finding: Finding) -> str:
    return finding.path or (f"commit {finding.commit[:12]}" if finding.commit else "the repository")


def _sort_key(finding: Finding) -> tuple[str, int, int, str, str]:
    return (_place(finding), finding.line or 0, _ORDER[finding.severity], finding.rule, finding.commit)


def _shown(text: str, to: Console) -> str:
    """Return text as it can be printed: names of files may hold escape sequences, bidirectional marks, or letters that
    this terminal does not have."""
    visible = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)
    return escape(visible.encode(to.encoding, "backslashreplace").decode(to.encoding))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def _safe_start(place: str) -> str:
    # A line that begins with `::` is a command to the runner of GitHub's actions, and anybody can name a file so.
    return f"./{place}" if place.lstrip().startswith("::") else place


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}"
