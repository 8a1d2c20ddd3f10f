"""The outcome of a check as annotations in the log of GitHub's actions (`--github`).

The form is a workflow command: docs.github.com, "Workflow commands for GitHub Actions", setting a notice message.
"""

from __future__ import annotations

from shipper.check.report import CheckReport
from shipper.findings import Finding, Severity

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
# Between the words of a command, `:` and `,` mean something, too.
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def render_github(report: CheckReport) -> str:
    """Return one line for each finding, errors first: GitHub shows only ten of a kind in each step."""
    order = list(_COMMANDS)
    findings = sorted(report.findings, key=lambda finding: order.index(finding.severity))
    return "".join(f"{_annotation(finding)}\n" for finding in findings)


def _annotation(finding: Finding) -> str:
    properties = {"file": finding.path, "line": str(finding.line or ""), "title": finding.rule}
    if not finding.path:
        del properties["line"]
    words = ",".join(f"{name}={_escape(value, _IN_PROPERTIES)}" for name, value in properties.items() if value)
    commit = f"commit {finding.commit}" if finding.commit else ""
    text = "\n".join(part for part in (finding.message, commit, finding.why, finding.fix) if part)
    return f"::{_COMMANDS[finding.severity]} {words}::{_escape(text, _IN_MESSAGES)}"


def _escape(text: str, escapes: dict[str, str]) -> str:
    # What no encoding can write (a name of a file that is not UTF-8) is shown by its bytes.
    writable = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(escapes.get(letter, letter) for letter in writable)
