"""What a hook before the build writes is built, also when git ignores it, as docs/hooks.md asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from frontend_projects import write

from shipper.build.frontend import FrontendBuild, build_frontend
from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.events import discard
from shipper.pipeline.hooks import run_build_hooks
from shipper.pipeline.job import Job

SITE = "const fs = require('fs'); fs.mkdirSync('dist'); fs.copyFileSync('made.html', 'dist/index.html')"
MAKE = "import pathlib; pathlib.Path('web/made.html').write_text(pathlib.Path('../schema').read_text())"
TOML = f"""
name = "tiny"
[frontend]
path = "web"
preset = "command"
command = ["node", "-e", {json.dumps(SITE)}]
output = "dist"
[[hooks.before_build]]
command = [{json.dumps(sys.executable)}, "-c", {json.dumps(MAKE)}]
"""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    root = tmp_path / "app"
    write(root, {"web/.gitignore": "made.html\ndist\n"})
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return Job(Workspace(root, parse_project(TOML, "ship.toml")), "production", Target(host="shop.example.com"))


def built(job: Job, schema: str) -> FrontendBuild:
    write(job.workspace.root.parent, {"schema": schema})
    run_build_hooks(job, "before_build", discard)
    return build_frontend(job.workspace, "https://shop.example.com", discard)


def test_what_a_hook_generates_is_built_again_when_it_changes_although_git_ignores_it(job: Job) -> None:
    assert (built(job, "first").site / "index.html").read_text() == "first"
    assert (built(job, "second").site / "index.html").read_text() == "second"


def test_what_a_hook_generates_alike_costs_no_new_build(job: Job) -> None:
    assert not built(job, "first").cached
    assert built(job, "first").cached


@pytest.mark.parametrize("path", ["web", "."], ids=["a folder of its own", "the project's own folder"])
def test_what_a_hook_generates_beside_static_files_is_published(tmp_path: Path, path: str) -> None:
    make = "import pathlib; [pathlib.Path(f'{name}').write_text('made') for name in ('made.html', 'made.bin')]"
    toml = f"""
name = "tiny"
[frontend]
path = "{path}"
preset = "static"
[[hooks.before_build]]
command = [{json.dumps(sys.executable)}, "-c", {json.dumps(make.replace("{name}", f"{path}/{{name}}"))}]
"""
    root = tmp_path / "app"
    write(root, {".gitignore": "made.*\n", f"{path}/index.html": "written by hand"})
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    job = Job(Workspace(root, parse_project(toml, "ship.toml")), "production", Target(host="shop.example.com"))
    run_build_hooks(job, "before_build", discard)
    site = build_frontend(job.workspace, "https://shop.example.com", discard).site
    # Beside the project's own files, what is ignored is mostly no page.
    expected = {"index.html", "made.html"} if path == "." else {"index.html", "made.html", "made.bin"}
    assert {file.name for file in site.iterdir()} == expected
