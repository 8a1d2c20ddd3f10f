"""Looks at every subject of a scope with the rules about names and contents, and says what was found and what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from shipper.check.allow import inline_allowances
from shipper.check.hygiene.disk import unreadable
from shipper.check.hygiene.found import Found
from shipper.check.hygiene.side_by_side import ContentsRule, Question, look_ahead
from shipper.check.hygiene.subjects import Because, Kind, Scope, Subject, count
from shipper.errors import ShipperError
from shipper.findings import Finding

if TYPE_CHECKING:
    from shipper.check.hygiene.memory import Memory

# Of a larger file only the beginning is read: hosts refuse files not much larger (GitHub: 100 MiB), and nobody writes
# a secret by hand into the middle of one.
LARGEST_BYTES = 10 * 1024 * 1024
BEGINNING_BYTES = 1024 * 1024
# git-lfs, docs/spec.md: a pointer begins with this line and is smaller than 1024 bytes.
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LFS_POINTER_BYTES = 1024
# The name under which text that is in no file is shown to the rules about contents.
MESSAGE_PATH = "message.txt"
_PLACES: dict[Kind, str] = {
    "message": "In the message of the commit",
    "tag-message": "In the message of the tag",
    "identity": "In the name or address of a person",
    "header": "In a header of the commit",
    "ref-name": "In the name of the ref",
}
# Found for every file of a folder, and told once.
_OF_A_FOLDER = "name.dependencies"
_INSTALLED = frozenset(
    "node_modules bower_components .venv venv env virtualenv .tox .nox site-packages .pnpm-store".split()
)
_NAMED_IN_A_NOTE = 3
# With `Proc-Type:` and the like before the body (RFC 1421), enough to tell one key from another.
_LINES_OF_A_KEY = 8

NameRule = Callable[[str, int, Callable[[], bytes]], Found | None]


@dataclass(frozen=True)
class Report:
    """What a check saw and found. `files` counts pairs of path and contents, `bytes` what was read of everything."""

    title: str
    findings: tuple[Finding, ...]
    commits: int
    files: int
    bytes: int
    notes: tuple[str, ...]
    allowances: Mapping[Finding, Mapping[int, str]] = field(default_factory=dict)

    def inline_of(self, finding: Finding) -> Mapping[int, str]:
        """Return the comments that allow something, by line, of the very contents in which a finding was made."""
        return self.allowances.get(finding, {})


@dataclass
class _Tally:
    """What adds up while the subjects are gone through."""

    findings: list[Finding] = field(default_factory=list)
    told: set[tuple[str, str, str, bytes, bool]] = field(default_factory=set)
    files: int = 0
    bytes: int = 0
    submodules: dict[str, None] = field(default_factory=dict)
    pointers: dict[str, None] = field(default_factory=dict)
    large: dict[str, None] = field(default_factory=dict)
    allowances: dict[Finding, Mapping[int, str]] = field(default_factory=dict)


def check(scope: Scope, check_name: NameRule, check_contents: ContentsRule, memory: Memory | None = None) -> Report:
    """Look at everything in `scope` and return what was found, each thing once, where it came in first.

    Contents that `memory` knows to be clean are not looked through again, and it hears of those that are. Raises
    RepositoryError when something cannot be read, and ShipperError when a rule itself fails: what was not looked at is
    never a pass.
    """
    tally = _Tally()
    every = (_Contents(subject, memory) for subject in scope.subjects)
    for contents, found in look_ahead(every, _Contents.question, check_contents):
        _look(contents, found, scope, tally, check_name, check_contents)
    notes = (*scope.notes, *_notes(tally))
    return Report(scope.title, tuple(tally.findings), scope.commits, tally.files, tally.bytes, notes, tally.allowances)


def _look(
    contents: _Contents,
    known: list[Found] | None,
    scope: Scope,
    tally: _Tally,
    check_name: NameRule,
    check_contents: ContentsRule,
) -> None:
    subject = contents.subject
    if subject.kind == "submodule":
        tally.submodules[subject.path] = None
        return
    try:
        found = list(_ask_rules(contents, known, check_name, check_contents))
    except FileNotFoundError:
        return  # deleted since it was listed
    except ShipperError:
        raise
    except OSError as error:
        raise unreadable(subject.path, error) from error
    except Exception as error:
        # The text of the exception may quote what was read.
        raise ShipperError(
            f"The check itself failed while it looked at {subject.path or _PLACES[subject.kind].lower()}.",
            why=f"{type(error).__name__}; this is a fault of shipper, not of the file.",
            fix="Report it, with what --debug shows.",
        ) from error
    tally.files += subject.kind in ("file", "symlink")
    tally.bytes += len(contents.all)
    if contents.is_lfs_pointer:
        tally.pointers[subject.path] = None
    if not contents.is_whole:
        tally.large[subject.path] = None
    for one, because in found:
        if one.rule == _OF_A_FOLDER:
            subject = replace(subject, path=_installed_in(subject.path))
        # What a comment allows in one place or version is not allowed in another.
        allowed = one.line is not None and one.line in contents.allowances
        key = (one.rule, one.message, subject.path, _what(one, contents), allowed)
        if key not in tally.told:
            tally.told.add(key)
            finding = _finding(one, because, subject, scope)
            tally.findings.append(finding)
            if finding.line:
                tally.allowances[finding] = contents.allowances


def _ask_rules(
    contents: _Contents, known: list[Found] | None, check_name: NameRule, check_contents: ContentsRule
) -> Iterator[tuple[Found, Because]]:
    """Yield what the rules say; `known` is what is known already of the contents, if it is.

    A link's contents are where it leads, so its name says nothing about them.
    """
    subject = contents.subject
    if subject.kind == "file":
        by_name = check_name(subject.path, subject.size, contents.beginning)
        if by_name is not None:
            yield by_name, "file"
    if subject.size and not contents.is_clean:
        path, data, shaped_only = contents.asked
        found = check_contents(path, data, shaped_only=shaped_only) if known is None else known
        contents.remember(found)
        for one in found:
            yield one, "contents"


class _Contents:
    """The contents of one subject, read once and only when they are wanted."""

    def __init__(self, subject: Subject, memory: Memory | None = None) -> None:
        self.subject = subject
        self._memory = memory
        self._data: bytes | None = None

    def question(self) -> tuple[int, Question | None]:
        """Read it, and return its size in bytes and what is asked about it.

        That is None when it is nothing, or when it cannot be read: that is told in its turn.
        """
        if self.subject.kind == "submodule" or not self.subject.size:
            return 0, None
        try:
            return len(self.all), None if self.is_clean else self.asked
        except (OSError, ShipperError):
            return 0, None

    @property
    def asked(self) -> Question:
        """The path, the contents, and whether only what has an unmistakable form is looked for."""
        # A name of a person or a ref is no prose in which a word could announce a secret.
        return self.subject.path or MESSAGE_PATH, self.all, self.subject.kind in ("identity", "ref-name")

    @cached_property
    def is_clean(self) -> bool:
        """Whether it was looked through before, and nothing was found."""
        return self._memory is not None and self._memory.knows(self.subject.path or MESSAGE_PATH, self._digest)

    def remember(self, found: Sequence[Found]) -> None:
        """Note that it is clean, if it is."""
        if self._memory is not None and not found:
            self._memory.add(self.subject.path or MESSAGE_PATH, self._digest)

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.all).hexdigest()

    @property
    def all(self) -> bytes:
        """All of it, or the beginning of what is too large."""
        if self._data is None:
            limit = max(self.subject.size, LARGEST_BYTES) if self.is_whole else BEGINNING_BYTES
            self._data = self.subject.read(limit) if self.subject.size else b""
        return self._data

    @property
    def is_whole(self) -> bool:
        """Whether all of it is read; a text in no file is at hand anyway."""
        return self.subject.size <= LARGEST_BYTES or not self.subject.path

    @cached_property
    def allowances(self) -> Mapping[int, str]:
        """The comments in it that allow something, by line."""
        from shipper.check.hygiene.source import read_source

        return inline_allowances(read_source(self.subject.path, self.all).text)

    def beginning(self) -> bytes:
        """Return the beginning, for rules about names that want to be sure."""
        return self.all[:BEGINNING_BYTES]

    @property
    def is_lfs_pointer(self) -> bool:
        return self.subject.size < _LFS_POINTER_BYTES and self.all.startswith(_LFS_POINTER)


def _installed_in(path: str) -> str:
    """Return the folder that is meant where each of its thousands of files would be told."""
    parts = path.split("/")
    ends = [number for number, part in enumerate(parts[:-1], 1) if part.lower() in _INSTALLED]
    return "/".join(parts[: ends[0]]) + "/" if ends else path


def _what(one: Found, contents: _Contents) -> bytes:
    """Return what tells this thing from others of the same rule in other versions of the file: the line's own text."""
    if one.line is None:
        return b""
    lines = contents.all.split(b"\n", one.line)
    text = lines[one.line - 1] if len(lines) >= one.line else b""
    if b"-----BEGIN" in text and len(lines) > one.line:
        # The first line of all keys of a kind is the same, and so is the second of OpenSSH's.
        text = b"\n".join([text, *lines[one.line].split(b"\n", _LINES_OF_A_KEY)[:_LINES_OF_A_KEY]])
    return hashlib.sha256(text.strip()).digest()


def _finding(one: Found, because: Because, subject: Subject, scope: Scope) -> Finding:
    place = _PLACES.get(subject.kind)
    message = f"{place}: {one.message}" if place else one.message
    fix = " ".join(part for part in (one.fix, scope.way_out(subject, because)) if part)
    # Bytes that are no UTF-8 could not be printed.
    path = subject.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    line = one.line if subject.path else None
    return Finding(one.rule, one.severity, message, one.why, fix, path, line, subject.commit)


def _notes(tally: _Tally) -> Iterator[str]:
    if tally.submodules:
        yield (
            f"{_names(tally.submodules, 'submodule')} not entered: its commits are looked at when it is pushed itself."
        )
    if tally.pointers:
        yield f"{_names(tally.pointers, 'file')} in Git LFS: what the pointer stands for was not looked at."
    if tally.large:
        yield (
            f"{_names(tally.large, 'file')} larger than {LARGEST_BYTES // 1024 // 1024} MiB: "
            "only the beginning was looked at."
        )


def _names(paths: dict[str, None], noun: str) -> str:
    """Return "2 files (a, b) are"; the first few are named."""
    shown = [path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for path in paths]
    more = f" and {len(shown) - _NAMED_IN_A_NOTE} more" if len(shown) > _NAMED_IN_A_NOTE else ""
    verb = "is" if len(shown) == 1 else "are"
    return f"{count(len(shown), noun)} ({', '.join(shown[:_NAMED_IN_A_NOTE])}{more}) {verb}"
