"""What an image is built from: what the compose file says of it is done, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from frontend_projects import write

from shipper.build.image import recipe_of
from shipper.config.backend import Image
from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.errors import ConfigError

TOML = 'name = "tiny"\n[backend]\nruntime = "compose"\nservice = "api"\nport = 8000\n'


def workspace_at(root: Path) -> Workspace:
    write(root, {"Dockerfile": "FROM scratch\n", "other/Dockerfile": "FROM scratch\n"})
    return Workspace(root, parse_project(TOML, "ship.toml"))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"dockerfile_inline": "FROM scratch\nCOPY . /app\n"}, id="a Dockerfile in the compose file"),
        pytest.param({"additional_contexts": {"base": "./base"}}, id="folders besides the context"),
    ],
)
def test_what_would_be_built_otherwise_is_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"build.{next(iter(said))}"):
        recipe_of(workspace_at(tmp_path), Image(), {"context": str(tmp_path), **said})


def test_a_dockerfile_of_ship_toml_goes_before_one_in_the_compose_file(tmp_path: Path) -> None:
    said = {"context": str(tmp_path), "dockerfile_inline": "FROM scratch\n"}
    recipe = recipe_of(workspace_at(tmp_path), Image(dockerfile="other/Dockerfile"), said)
    assert recipe.dockerfile == tmp_path / "other/Dockerfile"
