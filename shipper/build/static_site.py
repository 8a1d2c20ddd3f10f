"""The site of a frontend that nothing builds: its files as they are."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

from shipper.build.fingerprint import frontend_folder
from shipper.build.source_tree import list_sources
from shipper.config.project import Workspace
from shipper.errors import ConfigError


def copy_static_files(workspace: Workspace, site: Path) -> None:
    """Copy the sources of a static frontend, without dot files, to the new folder `site`.

    Raises ConfigError when they are not in a folder of their own.
    """
    folder = frontend_folder(workspace)
    if folder.samefile(workspace.root):
        raise ConfigError(
            "The static files are not in a folder of their own.",
            why="[frontend] path is the project's own folder: everything in it would be published.",
            fix='Move them into a folder such as "site", and write [frontend] path = "site" into ship.toml.',
        )
    for path in list_sources(folder):
        if _is_public(path, folder) and (folder / path).is_file():
            target = site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, target)
    site.mkdir(exist_ok=True)


def _is_public(path: str, folder: Path) -> bool:
    """Dot files are never published, but for `.well-known` (RFC 8615), nor is what a link finds outside the folder."""
    real = (folder / path).resolve()
    if not real.is_relative_to(folder.resolve()):
        return False
    parts = {*PurePosixPath(path).parts, *real.relative_to(folder.resolve()).parts}
    return not any(part.startswith(".") and part != ".well-known" for part in parts)
