"""Findings that may stay: entries of `[[check.allow]]`, and comments beside what was found. Each says why.

An allowance that has lost its reason to be is a finding itself: it ran out, it covers nothing, it gives no reason.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipper.config.lines import find_lines
from shipper.findings import Finding

if TYPE_CHECKING:
    from shipper.config.check import Allow

_SOURCE = "ship.toml"
_SHORTEST_REASON = 3
_MARK = re.compile(r"(?:^|(?<=[^\w.]))shipper:[ \t]*allow\b[ \t]*(?P<rest>.*)$")
_LEAD = re.compile(r"^[-–—:=,(]+[ \t]*")
# What ends a comment in some language: */ --> #} %} --}} """ *) ]] and the quotes of a text.
_CLOSING = re.compile(r"""[ \t]*(?:\*/|--+>?|[#%-]*\}\}?|\*\)|\]\]|["'`,;]+)[ \t]*$""")
# Nothing but the beginning of a comment stands before the mark.
_OPENING = re.compile(r"""[ \t\ufeff]*(?:[#/*;%!"'<(\[{|-]*|(?i:rem|dnl)\b|\\"|\[//\]:[ \t]*#[ \t]*[("'])[ \t]*""")

InlineOf = Callable[[Finding], Mapping[int, str]]


@dataclass(frozen=True)
class Entry:
    """An entry of `[[check.allow]]` and the line on which it stands; None when that is not known."""

    allow: Allow
    line: int | None = None


def entries_of(allow: Sequence[Allow], text: str) -> tuple[Entry, ...]:
    """Return the entries with their lines; `text` is the ship.toml that they were read from."""
    lines = find_lines(text.replace("\r\n", "\n"))
    return tuple(Entry(one, lines.get(("check", "allow", index))) for index, one in enumerate(allow))


def inline_allowances(text: str) -> dict[int, str]:
    """Return the lines (from 1) on which findings may stay, each with the reason; an empty one for none.

    A comment `shipper: allow - why`, in any language's syntax, means its own line, or, when it stands alone, the
    line below it.
    """
    found: dict[int, str] = {}
    if "shipper:" not in text:
        return found
    for number, line in enumerate(text.split("\n"), 1):
        mark = _MARK.search(line)
        if mark:
            alone = _OPENING.fullmatch(line, 0, mark.start()) is not None
            found[number + 1 if alone else number] = _reason(mark["rest"])
    return found


def _reason(rest: str) -> str:
    rest = _LEAD.sub("", rest.strip())
    while (shorter := _CLOSING.sub("", rest)) != rest:
        rest = shorter
    if "(" not in rest:
        rest = rest.removesuffix(")")
    return rest if len(rest) >= _SHORTEST_REASON else ""


def leave_out_allowed(
    findings: Iterable[Finding], entries: Iterable[Entry], inline_of: InlineOf, today: datetime.date, *, under: str = ""
) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that stay, and what is to be said about the allowances themselves.

    `inline_of` returns `inline_allowances` of the very contents in which a finding was made; it is only asked for
    findings that have a line. `under` is the folder of ship.toml within the repository, which the paths of findings
    are relative to; its entries mean nothing outside of it. An entry covers nothing any more on the day after `until`.
    """
    known = list(entries)
    valid = [entry for entry in known if not _is_expired(entry, today)]
    kept: list[Finding] = []
    extra = [_expired(entry) for entry in known if _is_expired(entry, today)]
    for finding in findings:
        inside = _relative(finding, under)
        if inside is not None and any(entry.allow.covers(inside) for entry in valid):
            continue
        reason = inline_of(finding).get(finding.line) if finding.line else None
        if not reason:
            kept.append(finding)
        if reason == "":
            extra.append(_without_reason(finding))
    return kept, list(dict.fromkeys(extra))


def find_unused(
    findings: Iterable[Finding], entries: Iterable[Entry], today: datetime.date, *, under: str = ""
) -> list[Finding]:
    """Return a finding for each entry that covers none of `findings`: all that were made in the whole tree.

    Only there does it mean something that nothing matches. Entries about a commit are left alone: only the history
    can tell; those that ran out are told of anyway.
    """
    inside = [relative for finding in findings if (relative := _relative(finding, under)) is not None]
    return [
        _unused(entry)
        for entry in entries
        if entry.allow.commit is None
        and not _is_about_else(entry.allow)
        and not _is_expired(entry, today)
        and not any(entry.allow.covers(finding) for finding in inside)
    ]


def _is_about_else(allow: Allow) -> bool:
    """Say whether an entry is about what is no file of the tree: .gitignore's gaps, an image, the built site."""
    path = allow.path or ""
    return allow.rule.startswith(("ignore.", "image-layer")) or path.startswith("/") or " (built)/" in path


def _relative(finding: Finding, under: str) -> Finding | None:
    """Return the finding as ship.toml in the folder `under` sees it, None when its file is elsewhere."""
    prefix = f"{under.strip('/')}/" if under.strip("/") else ""
    if not finding.path or not prefix:
        return finding
    if not finding.path.startswith(prefix):
        return None
    return Finding(finding.rule, finding.severity, "", path=finding.path.removeprefix(prefix), commit=finding.commit)


def _is_expired(entry: Entry, today: datetime.date) -> bool:
    return entry.allow.until is not None and today > entry.allow.until


def _named(allow: Allow) -> str:
    where = [part for part in (allow.path, f"commit {allow.commit[:12]}" if allow.commit else None) if part]
    return f"{allow.rule} in {', '.join(where)}"


def _expired(entry: Entry) -> Finding:
    return Finding(
        rule="allow.expired",
        severity="error",
        path=_SOURCE,
        line=entry.line,
        message=f"The allowance of {_named(entry.allow)} ended on {entry.allow.until}.",
        why=f"It was given because: {entry.allow.reason}",
        fix=f"Settle what it covers and delete the entry, or give it a new 'until' and a reason, in {_SOURCE}.",
    )


def _unused(entry: Entry) -> Finding:
    return Finding(
        rule="allow.unused",
        severity="warning",
        path=_SOURCE,
        line=entry.line,
        message=f"The allowance of {_named(entry.allow)} covers nothing any more.",
        why="An entry that is not needed today lets the next secret of its kind pass tomorrow.",
        fix=f'Delete the entry from {_SOURCE}; if it is about an old commit, add its id: commit = "..."',
    )


def _without_reason(finding: Finding) -> Finding:
    return Finding(
        rule="allow.no-reason",
        severity="error",
        path=finding.path,
        line=finding.line,
        commit=finding.commit,
        message=f"A comment allows {finding.rule} here, but does not say why, so it does not count.",
        why="Who reads it next year has to know whether it may still stay.",
        fix="Write the reason into the comment: shipper: allow - <why it may stay>",
    )
