"""What a backend asks for: its requirement file, with everything it includes, as text.

Requirements that cannot be shipped as wheels (editable, a local path, a repository) are refused here.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shipper.config.text import decode_text
from shipper.errors import BuildError

# The first that exists is used; a lock file says most exactly what was tested.
_ORDER = ("uv.lock", "requirements.txt", "pyproject.toml")
_INCLUDE = re.compile(r"(?:-[rc]\s*|--requirement[ =]\s*|--constraint[ =]\s*)(?P<path>\S.*)")
_EDITABLE = re.compile(r"-e\b|--editable\b")
_REPOSITORY = re.compile(r"(?:^|@\s*)(?:git|hg|svn|bzr)\+")
_LOCAL_PATH = re.compile(r"(?:^|@\s*)(?:\.{0,2}[/\\]|\.\.?$|~|file:|[A-Za-z]:[/\\])|^[^@\s:]+\.(?:whl|tar\.gz|zip)\b")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Requirements:
    """A requirement file: `kind` says what it is, `texts` holds its name and text, and those of all it includes.

    `settings` is what uv is told by the project's own configuration; `unpinned` are the packages it asks for without
    an exact version.
    """

    file: Path
    kind: Literal["lock", "list", "project"]
    texts: tuple[tuple[str, str], ...]
    settings: str
    unpinned: tuple[str, ...]


def read_requirements(folder: Path, configured: str | None) -> Requirements | None:
    """Read the requirement file of a backend: the `configured` one, else the first that exists; None without any.

    Raises BuildError when the configured one is not there, or something in it cannot be shipped; ConfigError when a
    file is not UTF-8.
    """
    names = (configured,) if configured else _ORDER
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    if file is None:
        if configured is None:
            return None
        raise BuildError(
            f"The requirement file {configured} is not in {folder.name}/.",
            why=f"backend.requirements = '{configured}' in ship.toml is relative to the backend's folder.",
            fix=f"Correct the path, or remove the key: the first of {', '.join(_ORDER)} is then used.",
        )
    settings = _settings(folder)
    if file.name == "uv.lock":
        texts = tuple((name, _read(folder / name)) for name in ("uv.lock", "pyproject.toml"))
        return Requirements(file, "lock", texts, settings, ())
    if file.suffix == ".toml":
        return _read_project(file, settings)
    texts = tuple(_with_includes(file, folder, frozenset()))
    lines = [line for _, text in texts for line in requirement_lines(text)]
    unpinned = _unpinned([line for line in lines if not line.startswith("-")])
    return Requirements(file, "list", texts, settings, unpinned)


def requirement_lines(text: str) -> list[str]:
    """Return the lines of a requirements.txt that say something: joined where continued, without comments."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def refuse_what_cannot_travel(lines: list[str], source: str) -> None:
    """Raise BuildError for the first line that is no package of an index (or URL of a wheel)."""
    for line in lines:
        # A URL may hold a password, so it is never repeated.
        name = _NAME.match(line) if "@" in line else None
        shown = name.group() if name else " ".join(word for word in line.split()[:2] if "://" not in word)
        if _EDITABLE.match(line):
            raise _cannot_travel(source, shown, "an editable install", "which only works on this machine")
        if _REPOSITORY.search(line):
            raise _cannot_travel(source, shown or "git+...", "a repository", "which is no wheel")
        if _LOCAL_PATH.search(line):
            raise _cannot_travel(source, shown, "a path on this machine", "which the server does not have")


def _cannot_travel(source: str, shown: str, what: str, reason: str) -> BuildError:
    return BuildError(
        f"{source}: '{shown}' is {what}, {reason}.",
        why="Dependencies are shipped as wheels, ready to run, so that nothing is built on the server.",
        fix="Publish it as a wheel and write name==version, or keep its code inside the backend's folder.",
    )


def _with_includes(file: Path, folder: Path, seen: frozenset[Path]) -> list[tuple[str, str]]:
    """Return name and text of a requirements.txt and of the files it includes, in the order they are read."""
    name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
    text = _read(file)
    lines = requirement_lines(text)
    refuse_what_cannot_travel(lines, name)
    texts = [(name, text)]
    for line in lines:
        include = _INCLUDE.match(line)
        if include and "://" not in include["path"]:
            other = (file.parent / include["path"].strip("\"'")).resolve()
            if other not in seen:
                texts += _with_includes(other, folder.resolve(), seen | {file.resolve(), other})
    return texts


def _read_project(file: Path, settings: str) -> Requirements:
    text = _read(file)
    project = _toml(file).get("project")
    if not isinstance(project, dict) or "dependencies" in project.get("dynamic", ()):
        raise BuildError(
            f"{file.name} does not list its dependencies in [project].",
            why="Only the standard table is read: dependencies = [...] in [project] (PEP 621). Poetry's older tables "
            "and 'dynamic' need a build to be known.",
            fix="Write a requirements.txt beside it (for Poetry: poetry export -o requirements.txt).",
        )
    lines = [str(line) for line in project.get("dependencies", ())]
    refuse_what_cannot_travel(lines, file.name)
    sources = _toml(file).get("tool", {}).get("uv", {}).get("sources", {})
    for name, source in sources.items():
        if isinstance(source, dict) and {"git", "path", "workspace"} & set(source):
            raise _cannot_travel(file.name, name, "a repository or a path in [tool.uv.sources]", "which is no wheel")
    return Requirements(file, "project", ((file.name, text),), settings, _unpinned(lines))


def _unpinned(lines: list[str]) -> tuple[str, ...]:
    names = (_NAME.match(line) for line in lines if "==" not in line and "@" not in line)
    return tuple(name.group() for name in names if name)


def _settings(folder: Path) -> str:
    """Return what changes uv's choices besides the requirements: [tool.uv] and uv.toml."""
    file = folder / "pyproject.toml"
    table = _toml(file).get("tool", {}).get("uv", {}) if file.is_file() else {}
    own = folder / "uv.toml"
    return repr(table) + (_read(own) if own.is_file() else "")


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(file))
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{file.name} is not valid TOML.", why=str(error), fix=f"Correct {file.name}.") from None


def _read(file: Path) -> str:
    try:
        return decode_text(file.read_bytes(), file.name)
    except OSError:
        raise BuildError(
            f"The requirement file {file.name} cannot be read.",
            why="It is named in another requirement file, or belongs to uv.lock.",
            fix=f"Add {file.name} to {file.parent.name}/, or remove the line that names it.",
        ) from None
