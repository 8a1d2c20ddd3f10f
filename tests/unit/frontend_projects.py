"""Real frontends for tests: copies of tests/fixtures/frontends, installed and built once per session by shipper."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from shipper.build.frontend import build_frontend
from shipper.config.frontend import Frontend
from shipper.config.project import Project, Workspace
from shipper.events import Event, discard

FIXTURES = Path(__file__).parent.parent / "fixtures" / "frontends"
API_URL = "https://api.example.com"
VARIABLES = {
    "next": "NEXT_PUBLIC_API_URL",
    "vite": "VITE_API_URL",
    "cra": "REACT_APP_API_URL",
    "astro": "PUBLIC_API_URL",
    "static": None,
    "command": None,
}


def workspace_at(root: Path, preset: str, **settings: Any) -> Workspace:
    """A project at `root` whose frontend is in `root/web`."""
    settings = {"api_url_variable": VARIABLES[preset], **settings}
    return Workspace(root, Project(name="tiny", frontend=Frontend(path="web", preset=preset, **settings)))


def sources(tmp_path: Path, preset: str, changes: dict[str, str] | None = None, **settings: Any) -> Workspace:
    """A fresh copy of a fixture without its packages: for what can be said before a build."""
    shutil.copytree(FIXTURES / preset, tmp_path / "web")
    write(tmp_path / "web", changes or {})
    return workspace_at(tmp_path, preset, **settings)


def project(tmp_path: Path, preset: str, changes: dict[str, str] | None = None, **settings: Any) -> Workspace:
    """A fresh copy of a fixture with its packages installed and what Next keeps between builds, ready to be built."""
    workspace = sources(tmp_path, preset, changes, **settings)
    installed = built_template(preset)
    # Links, because Next alone has ten thousand files; Turbopack refuses a linked folder, not linked files.
    shutil.copytree(installed / "web/node_modules", tmp_path / "web/node_modules", symlinks=True, copy_function=os.link)
    if (installed / "web/.next/cache").exists():
        shutil.copytree(installed / "web/.next/cache", tmp_path / "web/.next/cache")
    workspace.cache.joinpath("frontend").mkdir(parents=True)
    for stamp in installed.glob(".shipper/frontend/installed-*"):
        shutil.copy(stamp, workspace.cache / "frontend")
    return workspace


@functools.cache
def built_template(preset: str) -> Path:
    """The root of a project that shipper installed and built once, with a clean `npm ci`."""
    root = Path(tempfile.mkdtemp(prefix=f"shipper-{preset}-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    shutil.copytree(FIXTURES / preset, root / "web")
    build_frontend(workspace_at(root, preset), API_URL, discard)
    return root


def write(folder: Path, changes: dict[str, str]) -> None:
    """Write files into a folder; the paths are relative to it."""
    for path, content in changes.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")


def contents(site: Path) -> dict[str, bytes]:
    """All files of a site with their bytes."""
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}


class Recorder:
    """Keeps the events of a build."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def texts(self, kind: str) -> list[str]:
        return [event.text for event in self.events if event.kind == kind]
