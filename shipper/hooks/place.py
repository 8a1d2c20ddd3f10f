"""Where the hooks of a repository live: git's own answer, and whether that folder is this repository's alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shipper.errors import ConfigError
from shipper.git import ask_git


@dataclass(frozen=True)
class Place:
    """Where the hooks of one repository live; all paths are absolute.

    `top` is the top of the worktree, `common` the git folder that all worktrees share, `folder` where git looks for
    hooks, and `files` where their text is written: husky 9 keeps the two apart. `setting` is the file that sets
    core.hooksPath, empty without one. `foreign` says why the folder is not this repository's alone; empty when it is.
    """

    top: Path
    common: Path
    folder: Path
    files: Path
    setting: str = ""
    foreign: str = ""

    @property
    def shared_by_git(self) -> bool:
        """Whether the hooks stand in the worktree, where git tracks them or could: then all developers have them."""
        return self.files.is_relative_to(self.top) and not self.files.is_relative_to(self.common)

    @property
    def default_folder(self) -> Path:
        """Where git looks without core.hooksPath."""
        return self.common / "hooks"


def find_place(start: Path) -> Place:
    """Ask git where the hooks of the repository around the folder `start` live.

    git answers for linked worktrees (their hooks are the main one's), submodules, and core.hooksPath, which is
    relative to the top of the worktree (git-config(1)). Raises ConfigError outside of a worktree.
    """
    if ask_git(start, "rev-parse", "--is-inside-work-tree").strip() != b"true":
        raise ConfigError(
            f"{start} is not in a worktree.",
            why="It is a bare repository or a git folder: nothing is committed or pushed from there.",
            fix="Go to the folder of your project; its worktree has the files you edit.",
        )
    top = Path(_answer(start, "rev-parse", "--show-toplevel")).resolve()
    common = (top / _answer(top, "rev-parse", "--git-common-dir")).resolve()
    folder = top / _answer(top, "rev-parse", "--git-path", "hooks")
    scope, setting, value = _hooks_path(top)
    where = folder.resolve()
    return Place(
        top=top,
        common=common,
        folder=where,
        files=_files_of(where),
        setting=setting,
        foreign=_why_foreign(where, (top, common), scope, setting, value),
    )


def _answer(folder: Path, *arguments: str) -> str:
    """Return a path as git writes it: with a newline at its end, which may also be a part of a folder's name."""
    return os.fsdecode(ask_git(folder, *arguments).removesuffix(b"\n"))


def _hooks_path(top: Path) -> tuple[str, str, str]:
    """Return the scope of core.hooksPath, the file that sets it, and its value; all empty without one."""
    answer = ask_git(top, "config", "--show-scope", "--show-origin", "-z", "--get", "core.hooksPath", codes=(0, 1))
    if not answer:
        return "", "", ""
    scope, origin, value = (os.fsdecode(part) for part in answer.split(b"\0")[:3])
    return scope, origin.removeprefix("file:"), value


def _files_of(folder: Path) -> Path:
    """Return where the text of hooks is written. husky 9 writes `.husky/_` anew whenever packages are installed; what
    stands there calls the file of the same name one folder above."""
    generated = folder.name == "_" and any((folder / name).is_file() for name in ("h", "husky.sh"))
    return folder.parent if generated else folder


def _why_foreign(folder: Path, own: tuple[Path, ...], scope: str, setting: str, value: str) -> str:
    """Say why hooks in this folder would also be those of other repositories.

    A path of the user's own settings may lie inside this repository by chance (a home folder that is one), so only a
    relative one, which is another folder in each repository, is this repository's then.
    """
    inside = any(folder.is_relative_to(root) for root in own)
    relative = value and not value.startswith("~") and not Path(value).is_absolute()
    if scope in ("", "local", "worktree") or relative:
        return "" if inside else f"{folder} lies outside of this repository, so others may have their hooks there, too."
    return f"core.hooksPath in {setting or 'the settings of this command'} is {value}, for all of your repositories."
