"""Which files of a folder are its sources: what git tracks or would track, or a walk with sensible exceptions.

And what is in them, as far as it is somebody's own text.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# Never sources, tracked or not: what builds and installations write.
_DERIVED_FOLDERS = frozenset(
    [".git", ".hg", ".svn", ".next", ".astro", ".svelte-kit", ".turbo", ".shipper", "node_modules"]
)
# `next build` itself writes these two, so they would make every build a new one.
_DERIVED_NAMES = ("next-env.d.ts", ".tsbuildinfo")
CODE_SUFFIXES = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".astro")
# A larger file is a copied library, not somebody's source.
_LARGEST_BYTES = 1_000_000
# What is in these never reaches a browser.
_OTHER_FOLDERS = frozenset(["__tests__", "__mocks__", "test", "tests", "e2e", "cypress", "playwright"])
_OTHER_TOP_FOLDERS = frozenset(["scripts", "public"])
_OTHER_NAME = re.compile(
    r"\.(?:test|spec|stories|d)\.[a-z]+$|^(?:jest|vitest|playwright|cypress|eslint|tailwind|postcss)\."
)
# A git hook sets these, and git would then look at another repository's index.
_GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def list_sources(folder: Path, output: str = "") -> list[str]:
    """Return the source files of `folder` as sorted POSIX paths relative to it, without the `output` folder.

    In a git repository these are the tracked and the untracked-not-ignored files that exist; elsewhere all files
    but those of builds and installations. Symbolic links are listed, not followed.
    """
    listed = _list_with_git(folder, "--cached", "--others", "--exclude-standard") or _walk(folder, "")
    return sorted({path for path in _expand_folders(folder, listed) if _is_source(path, output)})


def untracked_sources(folder: Path, output: str = "") -> list[str]:
    """Return those of `list_sources` that git does not have, and does not ignore."""
    listed = _list_with_git(folder, "--others", "--exclude-standard") if folder.is_dir() else []
    return sorted(path for path in listed if _is_source(path, output))


def ignored_sources(folder: Path, output: str = "") -> list[str]:
    """Return the files in which git ignores what could be a source: nothing that an installation or a build writes."""
    listed = _list_with_git(folder, "--others", "--ignored", "--exclude-standard") if folder.is_dir() else []
    return sorted(path for path in listed if _is_source(path, output) and (folder / path).is_file())


def never_in_a_browser(path: PurePosixPath) -> bool:
    """Say whether a file of a frontend is a test or a tool, or is copied as it is: no code of the site is in it."""
    hidden = any(part.startswith(".") for part in path.parts)
    elsewhere = path.parts[0] in _OTHER_TOP_FOLDERS or not _OTHER_FOLDERS.isdisjoint(path.parts)
    return hidden or elsewhere or bool(_OTHER_NAME.search(path.name))


def read_source(file: Path) -> str:
    """Return the text of a source; "" for one that is too large to be written by hand, or cannot be read."""
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # gone meanwhile, or a folder with such a name
        return ""


def top_of_repository(folder: Path) -> Path | None:
    """Return the top of the repository that a folder is in, None without one."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def has_tracked_files(folder: Path) -> bool:
    """Say whether git tracks anything in `folder`: then it holds sources, and no build may empty it."""
    return bool(_list_with_git(folder, "--cached"))


def _is_source(path: str, output: str) -> bool:
    parts = PurePosixPath(path).parts
    if output and PurePosixPath(path).is_relative_to(output):
        return False
    return _DERIVED_FOLDERS.isdisjoint(parts) and not path.endswith(_DERIVED_NAMES)


def _list_with_git(folder: Path, *options: str) -> list[str]:
    git = shutil.which("git")
    if git is None:
        return []
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_VARIABLES}
    answer = subprocess.run(
        [git, "ls-files", "-z", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    # Not a repository, or one that git will not read for this user: then there is no list, and the walk makes one.
    return os.fsdecode(answer.stdout).split("\0")[:-1] if answer.returncode == 0 else []


def _expand_folders(folder: Path, paths: list[str]) -> Iterator[str]:
    """Git lists a submodule or a repository inside the repository as one entry; its files are inputs all the same."""
    for path in paths:
        full = os.path.join(folder, path)  # noqa: PTH118 - thousands of times; Path costs ten times as much
        if os.path.isdir(full) and not os.path.islink(full):  # noqa: PTH112, PTH114
            yield from _walk(folder, path.rstrip("/"))
        elif os.path.lexists(full):
            yield path


def _walk(folder: Path, under: str) -> list[str]:
    found: list[str] = []
    for parent, folders, files in os.walk(folder / under):
        folders[:] = [name for name in folders if name not in _DERIVED_FOLDERS]
        relative = Path(parent).relative_to(folder)
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        found.extend((relative / name).as_posix() for name in (*files, *links))
    return found
