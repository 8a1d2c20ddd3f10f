"""npm, pnpm and yarn: which one a frontend uses, and its commands for installing and building, as argv lists."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipper.errors import BuildError, ConfigError

_LOCK_FILES = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
}


@dataclass(frozen=True)
class PackageManager:
    """The package manager of a frontend: its full path (`npm.cmd` on Windows), its lock file, its install command."""

    name: str
    program: str
    lock_file: Path
    install: tuple[str, ...]

    @property
    def build(self) -> tuple[str, ...]:
        """The command for the `build` script of package.json."""
        return (self.program, "run", "build")


def find_lock_file(folder: Path, root: Path) -> Path | None:
    """Return the nearest lock file in `folder` or above it, not above `root`; None when there is none."""
    for candidate in (folder, *folder.parents):
        for name in _LOCK_FILES:
            if (candidate / name).is_file():
                return candidate / name
        if candidate == root:
            break
    return None


def find_package_manager(folder: Path, root: Path) -> PackageManager:
    """Return the package manager of the frontend in `folder`, recognised by its lock file.

    Raises ConfigError without a package.json or a lock file, BuildError when the program is not installed here.
    """
    read_package(folder)
    lock = find_lock_file(folder, root)
    if lock is None:
        raise ConfigError(
            f"There is no lock file beside {folder.name}/package.json.",
            why="Without one every machine installs other versions, and no build can be repeated.",
            fix=f"Run `npm install` (or pnpm, or yarn) in {folder.name}/ and commit the lock file it writes.",
        )
    name = _LOCK_FILES[lock.name]
    program = shutil.which(name)
    if program is None:
        raise BuildError(
            f"{name} is not installed on this machine, or not on the PATH.",
            why=f"{lock.name} says that this frontend is built with {name}.",
            fix="Install Node.js from https://nodejs.org (npm comes with it)."
            if name == "npm"
            else f"Run `corepack enable {name}` or `npm install --global {name}`.",
        )
    return PackageManager(name, program, lock, (program, *_install_arguments(name, lock)))


def read_package(folder: Path) -> dict[str, Any]:
    """Return the content of package.json. Raises ConfigError when it is not there or is not a JSON object."""
    path = folder / "package.json"
    try:
        package = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"There is no package.json in {folder.name}/.",
            why=f"Looked for {path}.",
            fix='Write the folder that holds package.json into ship.toml: [frontend] path = "...".',
        ) from None
    except ValueError as error:
        raise ConfigError(
            f"{folder.name}/package.json is not valid JSON.", why=str(error), fix="Correct it; `npm pkg fix` may help."
        ) from None
    if not isinstance(package, dict):
        raise ConfigError(f"{folder.name}/package.json is not a JSON object.", fix="Create it with `npm init`.")
    return package


def _install_arguments(name: str, lock: Path) -> tuple[str, ...]:
    """Install exactly what the lock file says, development packages included: the build tools are among them."""
    if name == "npm":
        return ("ci", "--include=dev", "--no-audit", "--no-fund")
    if name == "pnpm":
        return ("install", "--frozen-lockfile", "--prod=false")
    # Only the lock files of yarn 2 and later hold this key; yarn 1 and they differ in the option's name.
    berry = "__metadata:" in lock.read_text(encoding="utf-8", errors="replace")
    return ("install", "--immutable") if berry else ("install", "--frozen-lockfile", "--production=false")
