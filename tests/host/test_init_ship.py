"""Repositories that nobody here prepared, made by the frameworks' own starters: `init` and `ship`, and nothing between.

Plain pages are HTML5 Boilerplate's, the app is create-vite's react-ts beside what FastAPI's own starter makes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from conftest import SANDBOX_NAME
from corner import Corner, Ended
from prepared import PROGRAM

from shipper.config.load import load_project
from shipper.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("init")

# Packages as they were on a day on which all of them, for every platform, were known to work together.
_DAY = "2025-11-10"


def run(folder: Path, *words: str) -> None:
    # FastAPI's starter looks for uv itself; it stands beside this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which(words[0], path=path)
    assert program, f"{words[0]} is not installed"
    done = subprocess.run(
        [program, *words[1:]],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def typed(folder: Path, *words: str) -> Ended:
    """Type a command of shipper as somebody does who has just installed it."""
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        env={**os.environ, "SHIPPER_SANDBOX": SANDBOX_NAME},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=400,
    )
    return Ended(done.returncode, done.stdout)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    root = tmp_path / "pages"
    run(tmp_path, "npm", "pack", "--silent", "html5-boilerplate@9.0.1")
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    # As people take it who want pages alone: without its webpack.
    left_out = shutil.ignore_patterns("webpack*", "package*.json")
    shutil.copytree(tmp_path / "package" / "dist", root, ignore=left_out)
    return root


@pytest.fixture
def app(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    root.mkdir()
    run(root, "npm", "create", "--yes", "vite@7", "frontend", "--", "--template", "react-ts")
    run(root / "frontend", "npm", "install", "--package-lock-only", "--before", _DAY)
    run(root, "uv", "tool", "run", "--from", "fastapi-new", "fastapi-new", "backend")
    return root


def test_starters_are_shipped_with_nothing_edited(pages: Path, app: Path, clean_server: Sandbox) -> None:
    for root in (pages, app):
        written = typed(root, "init", "--yes")
        assert written.code == 0, written.output
        run(root, "git", "init", "--quiet")
        assert typed(root, "check", "--ignores", "--fix").code == 0
        run(root, "git", "add", "--all")

    ended = typed(pages, "ship", "--yes")
    assert ended.code == 0, ended.output
    site = Corner(pages, clean_server)
    assert "Hello world! This is HTML5 Boilerplate." in site.get("/")[1]
    assert site.get("/css/style.css")[0] == 200
    assert [site.get(path)[0] for path in ("/ship.toml", "/tasks.py", "/no-such-page")] == [404, 404, 404]

    ended = typed(app, "ship", "--yes")
    assert ended.code == 0, ended.output
    assert "pages has the same domain on this server" in ended.output
    shop = Corner(app, clean_server)
    page = shop.get("/about/us")[1]
    assert '<div id="root">' in page, "every path of a single-page app is a page"
    assert shop.get(page.split('src="')[1].split('"')[0])[0] == 200
    assert shop.get("/api/anything") == (404, '{"detail":"Not Found"}'), "FastAPI answers"
    project = load_project(app / "ship.toml")
    assert project.backend is not None
    assert (project.backend.path, project.backend.app) == ("backend", "main:app")

    (pages / "index.html").write_text("<h1>changed</h1>", encoding="utf-8")
    ended = typed(pages, "ship", "--yes")
    assert ended.code == 1
    assert "app has the same domain on this server" in ended.output
    assert "inv sandbox.reset" in ended.output
