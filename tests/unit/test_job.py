"""The one value for the API's URL that is baked for a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.errors import ConfigError
from shipper.pipeline.job import Job

PROJECT = 'name = "shop"\n[frontend]\npreset = "vite"\n{path}\n[targets.production]\nhost = "a.kr"\n{target}\n'


@pytest.mark.parametrize(
    ("path", "target", "baked"),
    [
        ("", "", "http://a.kr"),
        ('api_path = "/api"', "", "http://a.kr/api"),
        ('api_path = "/api/v1"', 'url = "https://a.kr/"', "https://a.kr/api/v1"),
        ('api_path = "/api"', 'api_url = "https://b.kr"', "https://b.kr"),
        ('api_path = "/api"', 'api_url = "/backend"', "/backend"),
    ],
    ids=["the target's url", "with the path at its end", "of any depth", "what is said in full", "and a path"],
)
def test_what_the_source_expects_at_the_end_is_added_to_the_targets_url(path: str, target: str, baked: str) -> None:
    project = parse_project(PROJECT.format(path=path, target=target), "ship.toml")
    job = Job(Workspace(Path("/shop"), project), "production", project.targets["production"])
    assert job.api_url == baked


@pytest.mark.parametrize("path", ["api", "/", "/api/", "//api", "/a pi"])
def test_a_path_that_would_break_the_url_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="mistake") as caught:
        parse_project(PROJECT.format(path=f'api_path = "{path}"', target=""), "ship.toml")
    assert "such as '/api'" in caught.value.why
