"""The summary of a job of GitHub's actions, in Markdown, and the outputs of its step.

GitHub names a file for each in the environment; where there is none, nothing is written. What comes from elsewhere
(names of files, output of programs) is escaped: it shall mean nothing in Markdown.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from shipper.check.report import CheckReport
from shipper.errors import FindingsError, ShipperError
from shipper.events import Event, count_sent
from shipper.findings import Finding
from shipper.masking import masked
from shipper.report.check import summary as check_summary
from shipper.report.console import errors

if TYPE_CHECKING:
    # A check of a commit must not wait for all that a ship needs.
    from shipper.pipeline.rollout import Report

_SUMMARY, _OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
# GitHub drops a summary of more than 1 MiB as a whole.
_MOST_FINDINGS, _LONGEST_BLOCK = 100, 20_000
_ORDER = ("error", "warning", "note")
# Every mark of ASCII may be escaped by a backslash: CommonMark 0.31, §2.4.
_MARK = re.compile(r"([!-/:-@\[-`{-~])")
_PLAIN_URL = re.compile(r"https?://[\w.:/\[\]-]+", re.ASCII)


def summarise_report(report: Report, target: str, stages: Sequence[Event]) -> None:
    """Append how a ship or a rollback ended, with the seconds of its stages; set the outputs `release` and `url`."""
    if report.outcome == "declined":
        return
    done = {"ship": "shipped to", "rollback": "rolled back:"}.get(report.plan.action, report.plan.action)
    rows = {"release": _code(report.live), "address": _link(report.url), "took": f"{report.seconds:.1f} s"}
    if len(report.servers) > 1:
        rows["servers"] = _escape(", ".join(report.servers))
    if report.plan.action == "ship" and report.outcome == "live":
        rows["sent"] = count_sent(report.files, report.bytes_sent)
    title = f"### {done} {_escape(target)}" + (", nothing to do" if report.outcome == "unchanged" else "")
    trouble = "".join(f"- afterwards: {_escape(line)}\n" for line in report.trouble)
    _append(
        _SUMMARY,
        _parts(title, _table(rows), trouble, _stages(stages), _findings((*report.findings, *report.plan.findings))),
    )
    _append(_OUTPUT, _outputs({"release": report.live, "url": report.url}))


def summarise_check(report: CheckReport) -> None:
    """Append what a check found, or that it found nothing."""
    title = "### check" + (": findings block" if report.exit_code else "")
    notes = "".join(f"- {_escape(note)}\n" for note in report.notes)
    _append(_SUMMARY, _parts(title, _escape(check_summary(report)), notes, _findings(report.findings)))


def summarise_failure(command: str, error: ShipperError) -> None:
    """Append an expected failure of a command such as "ship": what happened, its cause, what to type next."""
    title = f"### {_escape(command)} failed (exit code {error.exit_code})"
    found = _findings(error.findings) if isinstance(error, FindingsError) else ""
    fix = f"What to do:\n\n{_block(error.fix)}" if error.fix else ""
    what = f"**{_escape(error.what)}**"
    _append(_SUMMARY, _parts(title, what, found, _block(error.why), fix, _stages(error.stages)))


def _parts(*parts: str) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n\n"


def _table(rows: Mapping[str, str]) -> str:
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def _stages(stages: Sequence[Event]) -> str:
    if not stages:
        return ""
    marks = {"done": "", "failed": "**failed** ", "undone": "undone "}
    rows = "".join(
        f"| {_escape(f'{event.server}: ' * bool(event.server) + event.step)} "
        f"| {f'{event.seconds:.1f}' if event.seconds else ''} | {marks[event.kind]}{_escape(event.text)} |\n"
        for event in stages
    )
    return "| stage | seconds | |\n|---|---:|---|\n" + rows


def _findings(findings: Sequence[Finding]) -> str:
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    texts = [_finding(finding) for finding in islice(ordered, _MOST_FINDINGS)]
    if len(ordered) > _MOST_FINDINGS:
        texts.append(f"- and {len(ordered) - _MOST_FINDINGS} more, in the log")
    return "\n".join(texts)


def _finding(finding: Finding) -> str:
    where = f" {_escape(finding.where)}" if finding.where else ""
    commit = f", commit {_escape(finding.commit[:12])}" if finding.commit and finding.path else ""
    lines = [f"- **{finding.severity}**{where}{commit}: {_escape(finding.message)} ({_escape(finding.rule)})"]
    lines += [f"  <br>{_escape(finding.why)}"] if finding.why else []
    lines += [f"  <br>→ {_escape(finding.fix)}"] if finding.fix else []
    return "\n".join(lines)


def _outputs(values: Mapping[str, str]) -> str:
    """Return outputs of a step in the form with a delimiter, which no value can leave: it is new every time."""
    delimiter = f"shipper-{secrets.token_hex(16)}"
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items())


def _block(text: str) -> str:
    """Return text of several lines as it is; the fence is longer than any in it."""
    if not text:
        return ""
    if len(text) > _LONGEST_BLOCK:
        text = f"{text[:_LONGEST_BLOCK]}\n(the rest stands in the log)"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n" + "\n".join(_visible(line) for line in text.splitlines()) + f"\n{fence}"


def _escape(text: str) -> str:
    return "<br>".join(_MARK.sub(r"\\\1", _visible(line)) for line in text.splitlines())


def _code(text: str) -> str:
    return f"**{_escape(text)}**" if text else ""


def _link(url: str) -> str:
    return f"<{url}>" if _PLAIN_URL.fullmatch(url) else _escape(url)


def _visible(text: str) -> str:
    """Return a line with its secrets masked, before anything in it is escaped, and nothing invisible in it."""
    text = masked(text)
    return "".join(
        letter if letter.isprintable() or letter == "\t" else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in text
    )


def _append(variable: str, text: str) -> None:
    """Append to the file that a variable of the environment names. A summary that cannot be written ends nothing."""
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - pathlib cannot append
            file.write(text)
    except OSError as error:
        errors.print(f"{variable} cannot be written: {error.strerror or error}", markup=False, style="dim")
