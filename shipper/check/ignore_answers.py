"""git's own answers about what the .gitignore files of a repository ignore for everybody who clones it.

The question is put in an empty repository that has copies of these files and nothing else. There a developer's own
excludes (core.excludesFile, .git/info/exclude, a folder that ignores itself) say nothing, since nobody else has them;
and no symbolic link, submodule or tracked file stands in the way of an answer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shipper.git import ask_for_list, ask_git

# An empty name is no file, and stops git from falling back to ~/.config/git/ignore.
NO_EXCLUDES = ("-c", "core.excludesFile=")


@dataclass(frozen=True)
class Rule:
    """A line of a .gitignore: the file, relative to the top, the line from 1, and its pattern."""

    file: str
    line: int
    pattern: str

    @property
    def folder(self) -> str:
        """The folder of the file, with a slash at its end; empty at the top."""
        return self.file.removesuffix(".gitignore")

    @property
    def anywhere(self) -> bool:
        """Whether the pattern holds in every folder below its file, rather than in one that it names."""
        words = self.pattern.rstrip("/").split("/")
        return len(words) == 1 or words[0] in ("*", "**")


class Answers:
    """What is ignored, in the copy of a repository's rules."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy

    def rules(self, paths: Iterable[str]) -> dict[str, Rule]:
        """Return, for those of the paths (relative to the top) that are ignored, the line that decides."""
        asked = list(dict.fromkeys(paths))
        if not asked:
            return {}
        words = ask_for_list(
            self._copy,
            *(*NO_EXCLUDES, "check-ignore", "--stdin", "-z", "--no-index", "-v", "-n"),
            given=b"".join(os.fsencode(path) + b"\0" for path in asked),
            codes=(0, 1),  # git-check-ignore(1): 1 is "none of them"
        )
        answers = zip(words[0::4], words[1::4], words[2::4], words[3::4], strict=True)
        return {
            path: Rule(file, int(line), pattern)
            for file, line, pattern, path in answers
            if pattern and not pattern.startswith("!")
        }


@contextmanager
def copied_rules(top: Path, files: Iterable[str]) -> Iterator[Answers]:
    """Give answers from the .gitignore files of the repository at `top`; `files` are those that everybody has."""
    with tempfile.TemporaryDirectory(prefix="shipper-ignore-") as scratch:
        copy = Path(scratch)
        # No template: it may bring a .git/info/exclude of its own.
        ask_git(copy, "init", "-q", "--template=", ".")
        case = ask_git(top, "config", "--get", "core.ignorecase", codes=(0, 1)).decode().strip()
        ask_git(copy, "config", "core.ignorecase", case or "false")
        for path in files:
            # git does not follow a .gitignore that is a symbolic link (git 2.32).
            if (top / path).is_file() and not (top / path).is_symlink():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                (copy / path).write_bytes((top / path).read_bytes())
        yield Answers(copy)
