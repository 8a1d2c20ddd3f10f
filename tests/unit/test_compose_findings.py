"""What a compose file asks for that is not on the server, found before anything is sent. Compose reads the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.build.compose_file import read_compose
from shipper.check.compose import check_compose
from shipper.config.backend import Backend
from shipper.config.project import Project, Workspace
from shipper.render.compose import compose_projects

BACKEND = Backend(runtime="compose", service="api", port=8000)
FILE = """
services:
  api:
    build: .
    environment: [DATABASE=db]
  db:
    image: postgres:15
    volumes: ["rows:/var/lib/postgresql/data"]
    ports: ["5432:5432"]
volumes:
  rows: {}
"""


def findings_of(folder: Path, text: str) -> list[str]:
    (folder / "docker-compose.yml").write_text(text, encoding="utf-8")
    file = read_compose(Workspace(folder, Project(name="shop", backend=BACKEND)), BACKEND)
    projects = compose_projects("shop", BACKEND, file, "shop:1", ["KEY"])
    found = check_compose(file, projects.services, ["KEY"], "production", projects.lasting)
    return [finding.rule for finding in found]


def test_a_file_as_people_write_it_has_no_findings(tmp_path: Path) -> None:
    assert findings_of(tmp_path, FILE) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"rows:/var/lib/postgresql/data"', '"./data:/var/lib/postgresql/data"', "compose.local-folder"),
        ("  rows: {}", "  rows: {driver_opts: {type: none, o: bind, device: /mnt}}", "compose.special-place"),
        (
            "volumes:\n  rows: {}",
            "volumes:\n  rows: {}\nnetworks:\n  default: {internal: true}",
            "compose.special-place",
        ),
        ("    build: .", "    build: .\n    secrets: [key]", "compose.local-file"),
        ('"rows:/var', '"${ROWS:-rows}:/var', "compose.variable-volume"),
    ],
)
def test_what_is_not_on_the_server_is_named(tmp_path: Path, old: str, new: str, rule: str) -> None:
    text = FILE.replace(old, new)
    assert text != FILE
    secrets = "secrets:\n  key: {file: ./key.txt}\n" if "secrets" in new else ""
    assert findings_of(tmp_path, text + secrets)[:1] == [rule]


def test_ports_with_a_variable_stay_on_the_loopback_interface(tmp_path: Path) -> None:
    text = FILE.replace('"5432:5432"', '"${DB_PORT:-5432}:5432", "[::1]:53:53/udp", "77"')
    (tmp_path / "docker-compose.yml").write_text(text, encoding="utf-8")
    file = read_compose(Workspace(tmp_path, Project(name="shop", backend=BACKEND)), BACKEND)
    made = compose_projects("shop", BACKEND, file, "shop:1", []).stateful
    assert '"127.0.0.1:${DB_PORT:-5432}:5432/tcp"' in made
    assert '"127.0.0.1:53:53/udp"' in made
    assert '"127.0.0.1::77/tcp"' in made
