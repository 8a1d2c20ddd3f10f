"""Opens a git repository by a folder and answers what is asked about it: names, refs, objects. Nothing is changed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from shipper.check.hygiene.environment import grafted_environment, hook_environment, is_hook, plain_environment
from shipper.check.hygiene.objects import Objects
from shipper.check.hygiene.program import Answer, Git, failure
from shipper.errors import ConfigError

# 2.25 (January 2020) is what Ubuntu 20.04 carries, the oldest that any team still uses.
_OLDEST_GIT = (2, 25)
OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_QUESTIONS = (
    "--is-bare-repository",
    "--is-shallow-repository",
    "--absolute-git-dir",
    "--git-common-dir",
    "--show-toplevel",  # the last, because it fails without a working tree
)
# What no shell takes for anything else, nor git behind ":/", where a sign such as - or _ would be more magic.
_PLAIN_PATH = re.compile(r"(?:[^\W_]|\.)[\w./@+-]*")


class Ref(NamedTuple):
    """A ref and what it names: `kind` is git's word for the object, such as "commit" or "tag"."""

    name: str
    object_id: str
    kind: str


@dataclass(frozen=True)
class Place:
    """Where a repository is: the top of its working tree (None without one), its own folder, the shared one."""

    top: Path | None
    directory: Path
    common: Path
    is_shallow: bool


class GitRepository:
    """A repository, open for questions. It is a context manager, because a process of git stays with it."""

    def __init__(self, git: Git, place: Place, *, user_is_at_top: bool = False) -> None:
        self.git = git
        self.place = place
        self.user_is_at_top = user_is_at_top
        self.objects = Objects(git, place.common)
        self.belongings = ExitStack()
        self.belongings.callback(self.objects.close)

    @classmethod
    def open(cls, folder: Path) -> GitRepository:
        """Return the repository that `folder` is in. Raises ConfigError when there is none, or git may not read it."""
        repository = cls.find(folder)
        if repository is None:
            raise ConfigError(
                f"{folder} is in no git repository.",
                why="Neither it nor a folder above it holds a .git.",
                fix="git init",
            )
        return repository

    @classmethod
    def find(cls, folder: Path) -> GitRepository | None:
        """Return the repository that `folder` is in, None when there is none.

        In a hook that is the repository of the hook, with its index, when `folder` is in it. Raises ConfigError when
        git is missing or too old, when the repository belongs to somebody else, or is broken.
        """
        program = shutil.which("git")
        if program is None:
            raise ConfigError(
                "git was not found.",
                why="No program of this name is in PATH; files and commits are read with it.",
                fix="Install it: https://git-scm.com/downloads",
            )
        folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() follows links, and git is told no other name
        git = Git(program, folder, plain_environment(os.environ))
        _refuse_old(git)
        hooked = _hooked(git, os.environ) if is_hook(os.environ) else None
        located = hooked or _locate(git)
        if located is None:
            return None
        git, place = located
        at_top = place.top is not None and _same(Path.cwd(), place.top) and not os.environ.get("GIT_PREFIX")
        return cls(git, place, user_is_at_top=at_top)

    def __enter__(self) -> GitRepository:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was started for it."""
        self.belongings.close()

    @cached_property
    def views(self) -> tuple[Git, ...]:
        """Git as it reads the real parents of commits and, when there are grafts, as `git push` believes them, too.

        A graft can give a commit another parent, and then a push sends that one and all that it holds (measured).
        """
        grafts = self.place.common / "info" / "grafts"
        if not (grafts.is_file() and grafts.stat().st_size):
            return (self.git,)
        return (self.git, replace(self.git, environment=grafted_environment(self.git.environment)))

    @cached_property
    def last_commit(self) -> str:
        """The commit that HEAD names, "" before the first one."""
        return self.git.ask("rev-parse", "--quiet", "--verify", "HEAD").output.decode().strip()

    def empty_tree(self) -> str:
        """Return the id of the tree without files, which depends on the repository's hash function."""
        return self.git.run("hash-object", "-t", "tree", "--stdin").decode().strip()

    def refs(self, *prefixes: str) -> list[Ref]:
        """Return the refs whose names begin with one of `prefixes` (whole folders such as "refs/tags/")."""
        shape = "%(objectname) %(objecttype) %(refname)"
        lines = self.git.run("for-each-ref", f"--format={shape}", *prefixes).decode("utf-8", "surrogateescape")
        # Not splitlines(): the name of a ref may hold what Python takes for the end of a line.
        found = [line.split(" ", 2) for line in lines.split("\n")[:-1]]
        return [Ref(name, object_id, kind) for object_id, kind, name in found]

    def work_tree(self) -> Path:
        """Return the top folder of the working tree. Raises ConfigError when there is none."""
        if self.place.top is None:
            raise ConfigError(
                "Here is no working tree.",
                why=f"{self.place.directory} is a bare repository or the inside of one: it has no files and no index.",
                fix="Run it where the files are, or look at commits: shipper check --history",
            )
        return self.place.top

    def spell(self, path: str) -> str:
        """Return `path` as it is typed behind `git rm --` and the like: from the top, taken literally, quoted."""
        if _PLAIN_PATH.fullmatch(path):
            return path if self.user_is_at_top else f":/{path}"
        spelled = f":(top,literal){path}"
        if sys.platform == "win32":
            return subprocess.list2cmdline([spelled])
        if spelled.isprintable():
            return shlex.quote(spelled)
        return _in_escapes(spelled.encode("utf-8", "surrogateescape"))


def _in_escapes(raw: bytes) -> str:
    """Quote bytes that a terminal would not show: bash(1) and zshmisc(1), $'...'."""
    shown = (chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in raw)
    return "$'" + "".join(shown) + "'"


def _refuse_old(git: Git) -> None:
    said = git.ask("version").output.decode("utf-8", "replace")
    version = re.search(r"(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < _OLDEST_GIT:
        raise ConfigError(
            f"This git is too old: {said.strip() or 'it does not say its version'}.",
            why="Older ones answer some of the questions differently; 2.25 is the oldest that is known to be right.",
            fix="Install a newer one: https://git-scm.com/downloads",
        )


def _hooked(git: Git, variables: Mapping[str, str]) -> tuple[Git, Place] | None:
    """Return the repository that the variables of a hook name, unless the folder is in another one.

    Hooks run at the top of the working tree (githooks(5)), so their relative paths are seen from there.
    """
    here = Path.cwd()
    named = _locate(Git(git.program, here, hook_environment(variables, here)))
    if named is None or _same(git.folder, here):
        return named
    own = _locate(git)
    if own is not None:
        return named if _same(own[1].directory, named[1].directory) else own
    top = named[1].top
    return named if top is not None and git.folder.resolve().is_relative_to(top.resolve()) else None


def _locate(git: Git) -> tuple[Git, Place] | None:
    answer = git.ask("rev-parse", *_QUESTIONS)
    if "not a git repository (or any" in answer.complaints:
        return None
    lines = os.fsdecode(answer.output).split("\n")[:-1]
    if answer.code == 0 and len(lines) != len(_QUESTIONS):
        # The name of a folder holds a newline: ask one by one.
        lines = [os.fsdecode(git.run("rev-parse", question))[:-1] for question in _QUESTIONS]
    bare, shallow, directory, common, *top = [*lines, *[""] * (4 - len(lines))]
    no_work_tree = bare == "true" or "must be run in a work tree" in answer.complaints
    if not directory or (answer.code and not no_work_tree):
        raise _cannot_open(git, answer)
    place = Place(
        None if no_work_tree else Path(top[0]), Path(directory), git.folder / common, is_shallow=shallow == "true"
    )
    return (git if place.top is None else replace(git, folder=place.top)), place


def _cannot_open(git: Git, answer: Answer) -> Exception:
    reason = failure(["rev-parse"], answer.complaints)
    if isinstance(reason, ConfigError):
        return reason
    return ConfigError(
        f"Git cannot open the repository of {git.folder}.",
        why=reason.why,
        fix="See what git says itself: git status",
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
