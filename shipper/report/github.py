"""What GitHub's actions understand in the log of a run: annotations of findings and errors, and folded output.

The form is a workflow command: docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from shipper.check.report import CheckReport
from shipper.errors import FindingsError, ShipperError
from shipper.findings import Finding, Severity

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
# Between the words of a command, `:` and `,` mean something, too.
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}
# An annotation is a summary; the whole text stands above it in the log.
_LONGEST = 4000


def in_actions() -> bool:
    """Whether this is a run of GitHub's actions, whose log is read by its runner."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def render_github(report: CheckReport) -> str:
    """Return one line for each finding, errors first: GitHub shows only ten of a kind in each step."""
    return render_findings(report.findings)


def render_findings(findings: Iterable[Finding]) -> str:
    """Return one line for each finding, errors first; paths are relative to the repository as they are given."""
    order = list(_COMMANDS)
    ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
    return "".join(f"{_annotation(finding, finding.path)}\n" for finding in ordered)


def render_error(error: ShipperError) -> str:
    """Return the annotations of a failure: one for each finding that blocks, else one with what, why and fix."""
    if isinstance(error, FindingsError):
        return "".join(f"{_annotation(finding, _in_repository(finding.path))}\n" for finding in error.findings)
    text = "\n".join(part for part in (error.why, error.fix) if part) or error.what
    return f"::error title={_escape(error.what, _IN_PROPERTIES)}::{_escape(text[:_LONGEST], _IN_MESSAGES)}\n"


def render_folded(title: str, lines: Iterable[str]) -> str:
    """Return lines of a program's output, folded under a title. Nothing in them is a command to the runner."""
    token = secrets.token_hex(16)
    shown = "".join(f"{line}\n" for line in lines)
    return (
        f"::group::{_escape(title, _IN_MESSAGES)}\n::stop-commands::{token}\n"
        f"{_writable(shown)}::{token}::\n::endgroup::\n"
    )


def _annotation(finding: Finding, path: str) -> str:
    properties = {"file": path, "line": str(finding.line or ""), "title": finding.rule}
    if not path:
        del properties["line"]
    words = ",".join(f"{name}={_escape(value, _IN_PROPERTIES)}" for name, value in properties.items() if value)
    commit = f"commit {finding.commit}" if finding.commit else ""
    text = "\n".join(part for part in (finding.message, commit, finding.why, finding.fix) if part)
    return f"::{_COMMANDS[finding.severity]} {words}::{_escape(text, _IN_MESSAGES)}"


def _in_repository(path: str) -> str:
    """Return a path of the project as one of the repository: a project may stand in a folder of it."""
    top = os.environ.get("GITHUB_WORKSPACE")
    file = Path.cwd() / path
    if not path or not top or not file.is_relative_to(top):
        return path
    return file.relative_to(top).as_posix()


def _escape(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in _writable(text))


def _writable(text: str) -> str:
    # What no encoding can write (a name of a file that is not UTF-8) is shown by its bytes.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
