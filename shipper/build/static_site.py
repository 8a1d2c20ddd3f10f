"""The site of a frontend that nothing builds: its files as they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from shipper.build.fingerprint import frontend_folder
from shipper.build.generated import generated_sources
from shipper.build.source_tree import list_sources
from shipper.config.project import Workspace
from shipper.errors import ConfigError

# What browsers ask for. In the project's own folder anything else is a sign that not all of it is meant for visitors.
_OF_A_SITE = frozenset(
    """
    .html .htm .css .js .mjs .map .json .webmanifest .xml .txt .svg .png .jpg .jpeg .gif .webp .avif .ico .woff .woff2
    .ttf .otf .eot .mp3 .mp4 .webm .ogg .wav .m4a .pdf .wasm .csv .geojson .glb .gltf .vtt
    """.split()
)
_ABOUT_THE_PROJECT = frozenset(
    """
    ship.toml tasks.py LICENSE LICENSE.txt LICENCE README README.txt CNAME Makefile package.json package-lock.json
    pnpm-lock.yaml yarn.lock pyproject.toml uv.lock
    """.split()
)


def copy_static_files(workspace: Workspace, site: Path) -> None:
    """Copy the sources of a static frontend, without dot files, to the new folder `site`; what hooks generated is one.

    In the project's own folder they may stand when there is nothing else: raises ConfigError otherwise.
    """
    folder = frontend_folder(workspace)
    paths, generated = _published(list_sources(folder), folder), _published(generated_sources(workspace.cache), folder)
    if folder.samefile(workspace.root):
        paths = [path for path in paths if not is_about_the_project(path)]
        _refuse_other_file(find_other_file(paths))
        # Hooks write more there than pages, and git ignores it for good.
        generated = [path for path in generated if _is_of_a_site(path)]
    for path in dict.fromkeys([*paths, *generated]):
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, target)
    site.mkdir(exist_ok=True)


def is_about_the_project(path: str) -> bool:
    """Say whether a file beside the pages is for those who make them: it is neither published nor in the way."""
    return path in _ABOUT_THE_PROJECT or ("/" not in path and path.lower().endswith((".md", ".rst")))


def find_other_file(paths: Iterable[str]) -> str:
    """Return the first file of a project that is neither a site's nor about the project; "" when there is none."""
    others = (path for path in paths if not _is_of_a_site(path))
    return next((path for path in others if not is_about_the_project(path)), "")


def _is_of_a_site(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in _OF_A_SITE


def _refuse_other_file(other: str) -> None:
    if other:
        raise ConfigError(
            "The static files are not in a folder of their own.",
            why=f"[frontend] path is the project's own folder, and {other} would be published with it.",
            fix='Move the site into a folder such as "site", and write [frontend] path = "site" into ship.toml.',
        )


def _published(paths: Iterable[str], folder: Path) -> list[str]:
    return [path for path in paths if _is_public(path, folder) and (folder / path).is_file()]


def _is_public(path: str, folder: Path) -> bool:
    """Dot files are never published, but for `.well-known` (RFC 8615), nor is what a link finds outside the folder."""
    real = (folder / path).resolve()
    if not real.is_relative_to(folder.resolve()):
        return False
    parts = {*PurePosixPath(path).parts, *real.relative_to(folder.resolve()).parts}
    return not any(part.startswith(".") and part != ".well-known" for part in parts)
