"""The terminal: errors, findings and lines of logs for people. Plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from shipper.errors import FindingsError, ShipperError
from shipper.findings import Finding
from shipper.report.github import in_actions, render_error
from shipper.report.rows import print_row
from shipper.report.streams import reader_left

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def print_raw(text: str, to: Console) -> None:
    """Print text as it is; letters that the terminal does not have are shown by their number."""
    if text:
        to.out(text.encode(to.encoding, "backslashreplace").decode(to.encoding), end="", highlight=False)


def show_line(server: str) -> Callable[[Mapping[str, Any]], None]:
    """Return what prints the lines of a log as an agent sends them, with the server's name where there are several."""
    prefix = f"{server}: " if server else ""

    def show(event: Mapping[str, Any]) -> None:
        if reader_left():
            raise BrokenPipeError
        if event["kind"] == "output":  # what else it says only keeps the connection alive
            console.print(prefix + event["text"], markup=False)

    return show


def show_server(server: str) -> None:
    """Print the name of a server above what is about it; nothing where there is only one."""
    if server:
        console.print(f"\n{server}", markup=False, style="bold underline")


def show_error(error: ShipperError) -> None:
    """Print an expected failure: what happened, why, and what to type next."""
    print_row(Text(), Text(error.what, "red bold"), errors, "")
    if isinstance(error, FindingsError):
        show_findings(error.findings, errors)
    for line in error.why.splitlines():
        errors.print(f"  {line}", markup=False)
    _show_fix(error.fix, errors, "  ")
    if in_actions():
        print_raw(render_error(error), errors)


def _show_fix(fix: str, to: Console, indent: str) -> None:
    """Print what to type next; what stands after an empty line is a sample, to be copied as it is."""
    commands, _, sample = fix.partition("\n\n")
    for line in commands.splitlines():
        to.print(f"{indent}[green]->[/green] {escape(line)}")
    if sample:
        to.print()
        to.print(sample, markup=False)


def show_findings(findings: Iterable[Finding], to: Console = console) -> None:
    """Print findings: where, what, why, and the way out."""
    for finding in findings:
        where = f"{finding.where} " if finding.where else ""
        mark = Text.assemble("  ", (finding.severity, _COLOURS[finding.severity]), " ")
        print_row(mark, Text.assemble(where, finding.message, " ", (f"({finding.rule})", "dim")), to, "")
        for line in finding.why.splitlines():
            print_row(Text(" " * 8), Text(line), to, "")
        _show_fix(finding.fix, to, " " * 8)
