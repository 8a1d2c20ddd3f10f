"""The packages of a repository's JavaScript: every readable package.json, what it asks for, and its lock file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from shipper.detect.found import Problem, folder_of, join, place
from shipper.detect.repository import Repository

# In the order in which `shipper.build.package_manager` looks for them.
_LOCK_FILES = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
}
_OTHER_LOCK_FILES = ("bun.lock", "bun.lockb", "deno.lock")


@dataclass(frozen=True)
class Package:
    """A package.json: its folder, its text, and what it says."""

    path: str
    folder: str
    text: str
    content: dict[str, Any]

    @property
    def wants(self) -> frozenset[str]:
        """The names of all packages it asks for."""
        tables = (self.content.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies"))
        return frozenset(name for table in tables if isinstance(table, dict) for name in table)

    @property
    def scripts(self) -> dict[str, str]:
        """Its scripts by name."""
        scripts = self.content.get("scripts")
        return {name: str(line) for name, line in scripts.items()} if isinstance(scripts, dict) else {}

    def where(self, name: str) -> str:
        """Return where a package or key is named, as `file:line`."""
        found = re.search(rf'"{re.escape(name)}"\s*:', self.text)
        return place(self.path, self.text, found.start()) if found else self.path


def read_packages(repository: Repository) -> tuple[list[Package], list[Problem]]:
    """Return every package.json, those nearest to the top first, and what is wrong with those that cannot be read."""
    packages, problems = [], []
    for path in repository.named("package.json"):
        text = repository.text(path)
        try:
            content = json.loads(text)
        except ValueError as error:
            line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            problems.append(Problem(f"{path}{line}", "is not valid JSON, so its folder was left out", "Correct it."))
            continue
        if isinstance(content, dict):
            packages.append(Package(path, folder_of(path), text, content))
    return packages, problems


def find_manager(repository: Repository, folder: str) -> tuple[str, str]:
    """Return the name of a folder's package manager and the path of the lock file that says so; empty without one."""
    for above in _and_above(folder):
        for name, manager in _LOCK_FILES.items():
            if repository.has(join(above, name)):
                return manager, join(above, name)
    return "", ""


def lock_file_problem(repository: Repository, folder: str) -> Problem | None:
    """Return what to do when the packages of a folder cannot be installed as they were; None when they can."""
    if find_manager(repository, folder)[0]:
        return None
    shown = "here" if folder == "." else f"in {folder}/"
    for above in _and_above(folder):
        for name in _OTHER_LOCK_FILES:
            if repository.has(join(above, name)):
                return Problem(
                    join(above, name),
                    "is of a package manager that shipper does not know",
                    f"Run `npm install --package-lock-only` {shown} and commit package-lock.json.",
                )
    return Problem(
        join(folder, "package.json"),
        "has no lock file beside it, and without one no build can be repeated",
        f"Run `npm install` {shown} and commit package-lock.json.",
    )


def _and_above(folder: str) -> list[str]:
    folders = [folder]
    while folders[-1] != ".":
        folders.append(folder_of(folders[-1]))
    return folders
