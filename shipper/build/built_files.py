"""Reads a built site: its text files, its content-hashed assets, the form of its pages' paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipper.build.presets import fallback_of, immutable_addresses
from shipper.config.frontend import Frontend

SCRIPT_SUFFIXES = frozenset([".js", ".mjs", ".cjs"])
_TEXT_SUFFIXES = SCRIPT_SUFFIXES | {".html", ".htm", ".txt", ".json", ".webmanifest", ".css", ".xml"}
# Rollup writes index-DOdGIUz4.js. A lower-case word of eight letters after a hyphen is a name that somebody chose.
_HASHED_NAME = re.compile(r"[-.](?=[A-Za-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8,}(?:\.\w+)+$")
_ERROR_PAGES = frozenset(["404", "500", "_not-found"])


@dataclass(frozen=True)
class BuiltFile:
    """A text file of the site: its POSIX path relative to the site, and its content."""

    path: str
    text: str

    @property
    def is_script(self) -> bool:
        """Whether a browser runs this file."""
        return Path(self.path).suffix in SCRIPT_SUFFIXES


def list_site(site: Path) -> list[str]:
    """Return all files of a site as sorted POSIX paths relative to it."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())


def read_texts(site: Path) -> Iterator[BuiltFile]:
    """Yield the text files of a site, scripts first: what is in a script is the better evidence."""
    paths = [path for path in list_site(site) if Path(path).suffix.lower() in _TEXT_SUFFIXES]
    for path in sorted(paths, key=lambda path: (Path(path).suffix not in SCRIPT_SUFFIXES, path)):
        yield BuiltFile(path, (site / path).read_text(encoding="utf-8", errors="replace"))


def immutable_assets(paths: list[str], folder: Path, frontend: Frontend) -> tuple[str, ...]:
    """Return the paths whose names change with their content, sorted; `folder` is the frontend's.

    Next: all under `_next/static/`, where the build id comes from the fingerprint. Vite: names with a hash; Create
    React App and Astro: those in the folders that hold such names. What was copied from `public/`, where people choose
    the names, does not count. Plain files and other commands: none, but those in `hashed`.
    """
    if frontend.hashed:
        return tuple(path for path in paths if path.startswith(f"{frontend.hashed}/"))
    if frontend.preset == "next":
        return tuple(path for path in paths if path.startswith("_next/static/"))
    pattern = immutable_addresses(frontend)
    if not pattern:
        return ()
    is_hashed = _HASHED_NAME.search if frontend.preset == "vite" else re.compile(pattern.replace("^/", "^")).search
    hashed = (path for path in paths if is_hashed(path) and not path.endswith((".html", ".map")))
    return tuple(path for path in hashed if not (folder / "public" / path).exists())


def has_trailing_slash(paths: list[str]) -> bool:
    """Say whether pages are exported as about/index.html (True) or as about.html (False).

    Decided by the majority, because a copied `public/` folder may hold pages of the other form.
    """
    pages = [path for path in paths if path.endswith(".html") and path.split("/")[0].split(".")[0] not in _ERROR_PAGES]
    nested = sum(path.endswith("/index.html") for path in pages)
    flat = sum(not path.endswith("index.html") for path in pages)
    return nested > flat


def fallback_page(paths: list[str], frontend: Frontend) -> str:
    """Return the page for paths without a file: "index.html" for a single-page app, "404.html", or "" for none."""
    wanted = fallback_of(frontend)
    return wanted if wanted in paths else ""
