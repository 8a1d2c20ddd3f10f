"""The backend's build on this machine: which files of its code are shipped, and its dependency tree.

Code is what git tracks, as it is in the work tree; nothing is copied or changed here.
"""

from __future__ import annotations

import fnmatch
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shipper.build.dependencies import (
    STEP,
    Python,
    fingerprint_dependencies,
    install_dependencies,
    python_platform,
)
from shipper.build.requirements import read_requirements
from shipper.config.project import Workspace
from shipper.errors import BuildError, ConfigError
from shipper.events import Emit, Event, count_files
from shipper.remembered import ignore_in_git

__all__ = ["BackendBuild", "Python", "build_backend", "python_platform"]

# Never shipped, whatever git says: secrets, data of this machine, and what Python makes itself (field notes G1, B5).
_NEVER = (".env*", "*.sqlite3", "*.sqlite3-*", "*.pyc", "__pycache__")
# Without git there is no list of what belongs to the project; these never do.
_WITHOUT_GIT = (".*", "node_modules", "venv", "env", "*.egg-info", "*.log", "*.pem", "*.key", "*.bak", "*.dump")
# git-ls-files(1), --stage: the modes of the index.
_EXECUTABLE, _SUBMODULE = "100755", "160000"


@dataclass(frozen=True)
class BackendBuild:
    """A backend, ready to be sent.

    `code_files` are POSIX paths relative to the folder `code`, sorted; `executable` are those of them with git's
    execute bit. `dependencies` is the unpacked tree, None when there are none; `fingerprint` names what it was made
    from. `cached` says that the tree was there already; `seconds` is what the build took.
    """

    fingerprint: str
    code: Path
    code_files: tuple[str, ...]
    executable: frozenset[str]
    dependencies: Path | None
    cached: bool
    seconds: float


def build_backend(workspace: Workspace, python: Python, emit: Emit) -> BackendBuild:
    """List the backend's code and unpack its dependencies for the server's `python`.

    Emits events of the step "build.backend". Raises BuildError when something in the folder cannot be shipped, and
    ConfigError when there is no backend or its folder is not there.
    """
    started = time.monotonic()
    backend = workspace.project.backend
    if backend is None:
        raise ConfigError("There is no [backend] in ship.toml.", fix="Add [backend], or ship the frontend only.")
    code = workspace.root / backend.path
    if not code.is_dir():
        raise ConfigError(
            f"The backend's folder {backend.path}/ is not there.",
            why=f"ship.toml says backend.path = '{backend.path}'.",
            fix="Correct backend.path in ship.toml.",
        )
    emit(Event("start", STEP, f"Backend for Python {python.version} on {python.platform}"))
    executable = _list_code(workspace, code, emit)
    requirements = read_requirements(code, backend.requirements)
    fingerprint = fingerprint_dependencies(requirements, python)
    dependencies, cached = None, False
    if requirements is None:
        emit(Event("note", STEP, f"No requirement file in {backend.path}/: the backend gets no dependencies."))
    else:
        ignore_in_git(workspace.cache)
        dependencies = workspace.cache / "dependencies" / fingerprint
        cached = install_dependencies(requirements, python, dependencies, emit)
    seconds = time.monotonic() - started
    state = "as before" if cached else "unpacked" if dependencies else "none"
    summary = f"{count_files(len(executable))} of code; dependencies: {state}"
    emit(Event("done", STEP, summary, seconds=seconds))
    files = tuple(sorted(executable))
    scripts = frozenset(path for path in files if executable[path])
    return BackendBuild(fingerprint, code, files, scripts, dependencies, cached, seconds)


def _list_code(workspace: Workspace, code: Path, emit: Emit) -> dict[str, bool]:
    """Return the files to ship, each with whether git says it is executable."""
    listing = _git(code, "ls-files", "--stage", "-z", "--", ".")
    if listing is None:
        emit(
            Event(
                "note", STEP, f"{code.name}/ is in no git repository: all but hidden files, keys and caches is shipped."
            )
        )
        found = dict.fromkeys(_walk(code), False)
    else:
        found = _tracked(listing, code)
        _note_untracked(code, emit)
    inner = _folders_of_others(workspace)
    mine = {path: mode for path, mode in found.items() if not any(PurePosixPath(path).is_relative_to(f) for f in inner)}
    left_out = sorted(path for path in mine if _is_never_shipped(path))
    if left_out and listing is not None:
        emit(Event("note", STEP, f"Not shipped, although in git: {_some(left_out)}."))
    kept = {path: mode for path, mode in mine.items() if path not in left_out and os.path.lexists(code / path)}
    if not kept:
        raise BuildError(
            f"There is no file to ship in {code.name}/.",
            why="Only files that git tracks are shipped.",
            fix=f"git add {code.relative_to(workspace.root).as_posix()}",
        )
    for path in kept:
        _refuse_link_that_leaves(code, path)
    return kept


def _tracked(listing: str, code: Path) -> dict[str, bool]:
    """Read `git ls-files --stage -z`: records of `mode hash stage<TAB>path`."""
    found: dict[str, bool] = {}
    for record in listing.split("\0")[:-1]:
        entry, path = record.split("\t", 1)
        mode, _, stage = entry.split(" ")
        if mode == _SUBMODULE:
            raise BuildError(
                f"{code.name}/{path} is a git submodule, which is not shipped.",
                why="Its files belong to another repository, and may not be there at all.",
                fix="Make it a package in the requirements, or copy its files into this repository.",
            )
        if stage != "0":
            raise BuildError(
                f"{code.name}/{path} has a merge conflict.",
                fix=f"Settle it, then: git add {code.name}/{path}",
            )
        found[path] = mode == _EXECUTABLE
    return found


def _note_untracked(code: Path, emit: Emit) -> None:
    untracked = _git(code, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.py") or ""
    paths = sorted(path for path in untracked.split("\0") if path)
    if paths:
        emit(Event("note", STEP, f"Not shipped, because not in git: {_some(paths)}. If they belong to it: git add."))


def _folders_of_others(workspace: Workspace) -> list[PurePosixPath]:
    """Return the folders inside the backend's that are not its own: the frontend's and shipper's cache."""
    project = workspace.project
    assert project.backend is not None
    backend = PurePosixPath(project.backend.path)
    others = [PurePosixPath(workspace.cache.name)]
    if project.frontend is not None and project.frontend.path != project.backend.path:
        others.append(PurePosixPath(project.frontend.path))
    return [other.relative_to(backend) for other in others if other.is_relative_to(backend)]


def _is_never_shipped(path: str) -> bool:
    return any(fnmatch.fnmatchcase(part, pattern) for part in path.split("/") for pattern in _NEVER)


def _refuse_link_that_leaves(code: Path, path: str) -> None:
    file = code / path
    if file.is_symlink() and not file.resolve().is_relative_to(code.resolve()):
        raise BuildError(
            f"{code.name}/{path} is a link to something outside of {code.name}/.",
            why="What it points to is not shipped, so the link would be broken on the server.",
            fix=f"Replace {code.name}/{path} by the file itself, or remove it.",
        )


def _walk(code: Path) -> Iterator[str]:
    """Yield the files of a folder without git, as POSIX paths."""
    for folder, folders, files in os.walk(code):
        folders[:] = [name for name in folders if not _is_excluded_without_git(name)]
        for name in files:
            if not _is_excluded_without_git(name):
                yield (Path(folder) / name).relative_to(code).as_posix()


def _is_excluded_without_git(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in (*_NEVER, *_WITHOUT_GIT))


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says in a folder; None when the folder is in no repository. Raises BuildError for the rest."""
    # A hook that runs us has set GIT_DIR and GIT_INDEX_FILE, which would point git to another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env={**environment, "LC_ALL": "C"}, capture_output=True, timeout=60
        )
    except FileNotFoundError:
        raise BuildError(
            "git was not found on this machine.",
            why="What git tracks is what is shipped.",
            fix="Install git and open a new terminal: https://git-scm.com/downloads",
        ) from None
    if done.returncode == 0:
        return os.fsdecode(done.stdout)
    message = done.stderr.decode("utf-8", "replace").strip()
    if "not a git repository" in message:
        return None
    raise BuildError(f"git could not list the files of {folder.name}/.", why=message, fix="See git's words above.")


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
