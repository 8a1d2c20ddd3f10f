"""Which commits are looked at, and what is in a commit or a tag besides files: messages, names, embedded tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from shipper.check.hygiene.program import Git

Part = Literal["message", "identity", "header"]
# git-hash-object(1) and gitformat-signature(5): what a signature in a commit or a tag is wrapped in.
_ARMOUR = re.compile(
    rb"-----BEGIN (?P<what>PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----.*?-----END (?P=what)-----",
    re.DOTALL,
)
_BASE64_LINE = re.compile(rb"^[ \t]*[A-Za-z0-9+/=]*[ \t]*$", re.MULTILINE)
_SIGNATURES = frozenset([b"gpgsig", b"gpgsig-sha256"])
_OBJECTS = frozenset([b"tree", b"parent", b"object", b"type", b"encoding"])
_PEOPLE = frozenset([b"author", b"committer", b"tagger"])


@dataclass(frozen=True)
class Walk:
    """Commits, parents before children, so that the first one with a file is the one that brought it in.

    `merges` are those with several parents, `roots` those with none.
    """

    commits: tuple[str, ...]
    merges: frozenset[str]
    roots: frozenset[str]


def walk(git: Git, revisions: Iterable[str], *options: str) -> Walk:
    """Return the commits that `revisions` reach: object ids, with `^` before those whose history is left out.

    Raises RepositoryError when history is broken.
    """
    given = "".join(f"{revision}\n" for revision in revisions)
    order = ("--parents", "--topo-order", "--reverse", "--stdin")
    lines = [line.split() for line in git.run("rev-list", *order, *options, given=given.encode()).decode().splitlines()]
    return Walk(
        tuple(ids[0] for ids in lines),
        frozenset(ids[0] for ids in lines if len(ids) > 2),
        frozenset(ids[0] for ids in lines if len(ids) == 1),
    )


def parts_of(data: bytes) -> Iterator[tuple[Part, bytes]]:
    """Yield what a commit or tag object holds besides ids: people, other headers (embedded tags), the message as UTF-8.

    Signatures are left out: they are random text by nature. Lines of the message keep their numbers.
    """
    head, _, message = data.partition(b"\n\n")
    encoding = "utf-8"
    others = []
    for name, value in _headers(head):
        if name in _PEOPLE:
            # Behind the name and the address stand seconds and a time zone.
            yield "identity", value[: value.rfind(b">") + 1] or value
        elif name == b"encoding":
            encoding = value.decode("ascii", "replace")
        elif name not in _SIGNATURES and name not in _OBJECTS:
            others.append(value)
    if others:
        yield "header", _without_signatures(b"\n".join(others))
    yield "message", _as_utf8(_without_signatures(message), encoding)


def target_of(data: bytes) -> str:
    """Return the id of the object that a tag object names."""
    return dict(_headers(data.partition(b"\n\n")[0]))[b"object"].decode()


def _headers(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield names and values; a line that begins with a blank goes on with the header before it."""
    for line in re.split(rb"\n(?! )", head):
        name, _, value = line.partition(b" ")
        yield name, value.replace(b"\n ", b"\n")


def _without_signatures(text: bytes) -> bytes:
    """Only lines of base64 go, so that nothing else can hide between the marks of a signature."""
    return _ARMOUR.sub(lambda armour: _BASE64_LINE.sub(b"", armour[0]), text)


def _as_utf8(message: bytes, encoding: str) -> bytes:
    """Read what i18n.commitEncoding wrote; a message in an encoding that Python lacks stays as it is."""
    try:
        return message.decode(encoding).encode("utf-8")
    except (LookupError, UnicodeError):
        return message
