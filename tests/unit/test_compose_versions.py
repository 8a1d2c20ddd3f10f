"""Which Compose reads the project's file on this machine, and how the one that cannot is told apart (field note S8)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shipper.build.compose_file import read_compose
from shipper.config.backend import Backend
from shipper.config.project import Project, Workspace
from shipper.errors import ConfigError

BACKEND = Backend(runtime="compose", service="api", port=8000)
FILE = "services:\n  api:\n    image: api\n"


def put_alone(folder: Path, version: str, answer: str) -> None:
    """Make a `docker-compose` that says this version, and `answer` to everything else; there is no `docker`."""
    folder.mkdir()
    if sys.platform == "win32":
        lines = ["@echo off", f'if "%1"=="version" (echo {version}) else (echo {answer})']
        (folder / "docker-compose.cmd").write_text("\r\n".join(lines), encoding="ascii")
        return
    lines = ["#!/bin/sh", f"[ \"$1\" = version ] && echo {version} || echo '{answer}'"]
    (folder / "docker-compose").write_text("\n".join(lines) + "\n", encoding="ascii")
    (folder / "docker-compose").chmod(0o755)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "docker-compose.yml").write_text(FILE, encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    return Workspace(tmp_path, Project(name="shop", backend=BACKEND))


def test_the_first_version_alone_is_refused_with_what_to_install(workspace: Workspace) -> None:
    # It prints its help and ends with 0: seen with 1.29.2 of Debian 12.
    put_alone(workspace.root / "programs", "1.29.2", "Validate and view the Compose file.")
    with pytest.raises(ConfigError) as refused:
        read_compose(workspace, BACKEND)
    assert "Compose on this machine is 1.29.2" in refused.value.what
    assert "docker-compose-plugin" in refused.value.fix


@pytest.mark.parametrize("version", ["2.26.1-4", "v2.40.3", "5.0.0"])
def test_a_later_version_without_docker_reads_the_file(workspace: Workspace, version: str) -> None:
    put_alone(workspace.root / "programs", version, '{"services": {"api": {"image": "read"}}}')
    assert read_compose(workspace, BACKEND).services == {"api": {"image": "read"}}


def test_without_any_it_is_said_what_to_install(workspace: Workspace) -> None:
    with pytest.raises(ConfigError) as refused:
        read_compose(workspace, BACKEND)
    assert "Compose was not found" in refused.value.what
    assert "docker-compose-v2" in refused.value.fix
