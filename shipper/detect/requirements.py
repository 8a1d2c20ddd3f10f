"""Which Python packages a backend asks for, from whichever file says so, and whether shipper can use that file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from shipper.detect.found import Problem, join
from shipper.detect.repository import Repository

# `shipper.build.requirements` looks for the first three by itself, in this order.
_BY_ITSELF = ("uv.lock", "requirements.txt", "pyproject.toml")
_IN_FOLDERS = (
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements/requirements.txt",
    "requirements-prod.txt",
)
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_INCLUDE = re.compile(r"^\s*(?:-r|--requirement)[ =]?\s*(\S+)")
_LOCKED = re.compile(r'^name = "([^"]+)"', re.MULTILINE)
# What these bring along and a backend is started with.
_BRINGS = {("fastapi", "standard"): "uvicorn", ("fastapi", "all"): "uvicorn", ("uvicorn", "standard"): "uvicorn"}


@dataclass(frozen=True)
class Packages:
    """What a backend asks for: the file that says so, relative to its folder ("" for none), and the packages' names.

    `configured` is the file's name when `ship.toml` has to name it.
    """

    file: str
    names: frozenset[str]
    configured: str = ""
    problems: tuple[Problem, ...] = ()


def read_packages_of(repository: Repository, folder: str) -> Packages:
    """Return what the backend in a folder asks for; an empty set where no file says it."""
    for name in (*_BY_ITSELF, *_IN_FOLDERS):
        path = join(folder, name)
        if not repository.has(path):
            continue
        if name.endswith(".txt"):
            configured = "" if name in _BY_ITSELF else name
            return Packages(name, frozenset(_listed(repository, path, frozenset())), configured)
        if name == "uv.lock":
            names = {found[1].lower() for found in _LOCKED.finditer(repository.text(path))}
            return Packages(name, frozenset(names) | _of_project(repository, folder)[0])
        return _of_pyproject(repository, folder)
    if repository.has(join(folder, "Pipfile")):
        fix = f"pipenv requirements > {join(folder, 'requirements.txt')}"
        problem = Problem(join(folder, "Pipfile"), "is not read by shipper; a requirements.txt is", fix)
        return Packages("Pipfile", frozenset(), problems=(problem,))
    return Packages("", frozenset())


def has_requirements(repository: Repository, folder: str) -> bool:
    """Say whether a folder says which Python packages it wants."""
    return any(repository.has(join(folder, name)) for name in (*_BY_ITSELF, *_IN_FOLDERS, "Pipfile", "setup.py"))


def _of_pyproject(repository: Repository, folder: str) -> Packages:
    path = join(folder, "pyproject.toml")
    names, table = _of_project(repository, folder)
    if table is None:
        return Packages("pyproject.toml", names, problems=(Problem(path, "is not valid TOML", f"Correct {path}."),))
    if "project" in table and "dependencies" in table["project"]:
        return Packages("pyproject.toml", names)
    if "poetry" in table.get("tool", {}):
        fix = f"poetry export -o {join(folder, 'requirements.txt')}   (in {folder}/; commit it)"
        problem = Problem(path, "lists its packages in Poetry's own table, which is not read", fix)
        return Packages("pyproject.toml", names, problems=(problem,))
    return Packages("", names)


def _of_project(repository: Repository, folder: str) -> tuple[frozenset[str], dict[str, Any] | None]:
    """Return the packages in a pyproject.toml, standard table and Poetry's, and all of it (None if it is not TOML)."""
    text = repository.text(join(folder, "pyproject.toml"))
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return frozenset(), None
    project, poetry = table.get("project", {}), table.get("tool", {}).get("poetry", {})
    names: set[str] = set()
    for line in project.get("dependencies", ()) if isinstance(project, dict) else ():
        names |= _names(str(line))
    for name, wanted in (poetry.get("dependencies", {}) if isinstance(poetry, dict) else {}).items():
        extras = ",".join(wanted.get("extras", ())) if isinstance(wanted, dict) else ""
        names |= _names(f"{name}[{extras}]")
    return frozenset(names), table


def _listed(repository: Repository, path: str, seen: frozenset[str]) -> set[str]:
    names: set[str] = set()
    for line in repository.text(path).splitlines():
        include = _INCLUDE.match(line)
        if include:
            other = join(path.rpartition("/")[0] or ".", include[1])
            if other not in seen and repository.has(other):
                names |= _listed(repository, other, seen | {path})
        else:
            names |= _names(line)
    return names


def _names(line: str) -> set[str]:
    found = _NAME.match(line)
    if not found:
        return set()
    name = re.sub(r"[-_.]+", "-", found[1]).lower()
    extras = {extra.strip() for extra in (found[2] or "").split(",")}
    return {name} | {brought for (of, extra), brought in _BRINGS.items() if of == name and extra in extras}
