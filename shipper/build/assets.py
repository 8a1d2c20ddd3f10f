"""Proves that the first page of a site finds its own scripts and styles: with a wrong base path it is blank."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from shipper.config.project import Project
from shipper.findings import Finding

_ELEMENT = re.compile(r"<(?P<tag>script|link)\b(?P<attributes>[^>]*)>", re.IGNORECASE)
_ADDRESS = re.compile(r"""\b(?P<name>src|href)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))""")
_LOADED = re.compile(r"""\brel\s*=\s*["']?(?:stylesheet|modulepreload)\b""", re.IGNORECASE)
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|#)", re.IGNORECASE)
_WHERE_TO_LOOK = {
    "next": "basePath and assetPrefix in next.config",
    "vite": "base in vite.config and in the build script",
    "cra": "PUBLIC_URL under [frontend.variables] in ship.toml",
    "astro": "base in astro.config",
}


def find_missing_assets(site: Path, project: Project, folder: str) -> list[Finding]:
    """Return a finding when index.html loads scripts or styles that are not in the site.

    `folder` names the site in messages. It is an error for a site that a known build tool wrote, where it is a base
    path for another place (GitHub's pages, say) and every visitor gets a blank page; a warning for pages written by
    hand. What nginx passes on to the backend is the backend's.
    """
    frontend, page = project.frontend, site / "index.html"
    if frontend is None or not page.is_file():
        return []
    text = page.read_text(encoding="utf-8", errors="replace")
    missing = [path for path in _loaded(text) if not (site / path).is_file() and not _is_passed_on(path, project)]
    if not missing:
        return []
    where = _WHERE_TO_LOOK.get(frontend.preset)
    return [
        Finding(
            "bake.asset-not-there",
            "error" if where else "warning",
            f"index.html loads /{missing[0]}, which is not in the site"
            + (f" ({len(missing)} such)." if missing[1:] else "."),
            why="Visitors would get a page without it: blank, if it is the script. The site is served from /.",
            fix=f"Look at {where}: it must be '/' here." if where else f"Add {missing[0]}, or correct index.html.",
            path=f"{folder}/index.html",
        )
    ]


def _loaded(text: str) -> Iterator[str]:
    """Yield the paths of scripts and styles in the site, relative to its top."""
    for element in _ELEMENT.finditer(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)):
        is_script = element["tag"].lower() == "script"
        if not is_script and not _LOADED.search(element["attributes"]):
            continue
        for found in _ADDRESS.finditer(element["attributes"]):
            address = found["double"] or found["single"] or found["bare"] or ""
            path = unquote(re.split(r"[?#]", address)[0]).removeprefix("./").lstrip("/")
            if found["name"] == ("src" if is_script else "href") and path and not _ELSEWHERE.match(address):
                yield path


def _is_passed_on(path: str, project: Project) -> bool:
    backend = project.backend
    if backend is None:
        return False
    static = backend.static_files
    return f"/{path}".startswith((*backend.prefixes, *([static.url] if static else [])))
