"""What looking at a repository yields: facts with their places, and what stands in the way of a ship."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """A value and where it stands, as `file:line`; `sure` says that nothing was guessed."""

    value: str
    where: str
    sure: bool = True


@dataclass(frozen=True)
class Problem:
    """Something that will not work as it is: where, what it is, and the change that ends it."""

    where: str
    what: str
    fix: str = ""


def place(path: str, text: str, offset: int) -> str:
    """Return `path:line` of a character of the file's text."""
    return f"{path}:{text.count(chr(10), 0, max(offset, 0)) + 1}"


def place_of(path: str, text: str, words: str) -> str:
    """Return `path:line` of the first place of `words` in the file's text; only the path when they are not there."""
    offset = text.find(words)
    return path if offset < 0 else place(path, text, offset)


def folder_of(path: str) -> str:
    """Return the folder of a path in the repository, "." for its top."""
    return path.rpartition("/")[0] or "."


def join(folder: str, path: str) -> str:
    """Return a path below a folder of the repository, without a "./" in front."""
    return path if folder == "." else f"{folder}/{path}" if path not in ("", ".") else folder


def is_below(path: str, folder: str) -> bool:
    """Say whether a path is a folder or something in it."""
    return folder == "." or path == folder or path.startswith(f"{folder}/")
