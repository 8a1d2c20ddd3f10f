"""What a release says of where it comes from: the commit, and whether all that is shipped is in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from frontend_projects import workspace_at, write

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.errors import ConfigError
from shipper.pipeline.origin import origin_of

CONTAINERS = 'name = "tiny"\n[backend]\nruntime = "compose"\nservice = "api"\nport = 8000\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, {"web/index.html": "<title>Tiny</title>", ".gitignore": "ignored*\n"})
    for words in (["init"], ["add", "."], ["-c", "user.name=Kim", "-c", "user.email=kim@example.com", "commit", "-ma"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "dirty"),
    [
        pytest.param("web/index.html", True, id="a page that was changed"),
        pytest.param("web/new.html", True, id="a page that git does not have"),
        pytest.param("web/out/index.html", False, id="what the build writes"),
        pytest.param("web/node_modules/lib/index.js", False, id="a package"),
        pytest.param("web/ignored.html", False, id="a page that git ignores"),
        pytest.param("notes.txt", False, id="a file that is no part of the site"),
    ],
)
def test_a_site_is_made_of_what_git_does_not_have_as_well(root: Path, path: str, dirty: bool) -> None:
    write(root, {path: "changed"})
    assert origin_of(workspace_at(root, "next"))["dirty"] is dirty


@pytest.mark.parametrize(
    ("path", "dirty"),
    [("ship.toml", False), (".github/workflows/ship.yml", False), ("README.md", False), ("new.html", True)],
)
def test_beside_pages_at_the_top_what_is_about_the_project_is_no_page(root: Path, path: str, dirty: bool) -> None:
    write(root, {path: "just made"})
    workspace = Workspace(
        root, parse_project('name = "tiny"\n[frontend]\npath = "."\npreset = "static"\n', "ship.toml")
    )
    assert origin_of(workspace)["dirty"] is dirty


def test_an_image_is_made_of_all_that_git_would_take(root: Path) -> None:
    workspace = Workspace(root, parse_project(CONTAINERS, "ship.toml"))
    assert origin_of(workspace)["dirty"] is False
    write(root, {"notes.txt": ""})
    assert origin_of(workspace)["dirty"] is True


def test_a_repository_that_git_cannot_read_is_named_in_gits_own_words(root: Path) -> None:
    (root / ".git/index").write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="index file"):
        origin_of(workspace_at(root, "static"))


def test_a_machine_without_git_is_told_to_install_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(ConfigError, match="git was not found"):
        origin_of(workspace_at(root, "static"))
