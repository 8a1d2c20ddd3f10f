"""A build that is kept for later ships is only taken when it is what was built and proved, for the ship at hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock
from frontend_projects import contents, workspace_at, write

from shipper.build.frontend import FrontendBuild, build_frontend, fingerprint_frontend
from shipper.build.program import end_all_programs, want_programs
from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.deliver.manifest import read_tree
from shipper.errors import BuildError, FindingsError, HookError
from shipper.events import discard
from shipper.hashes import FileHashes
from shipper.pipeline.hooks import run_after_build
from shipper.pipeline.job import Job
from shipper.pipeline.parts import SiteBuild

API_URL = "https://api.example.com"
PAGES = {"index.html": "<title>Tiny</title><script src=main.js></script>", "main.js": "let a = 1\n"}


def plain_site(root: Path, changes: dict[str, str] | None = None) -> Workspace:
    write(root / "web", {**PAGES, **(changes or {})})
    return workspace_at(root, "static")


def test_a_site_is_proved_again_for_a_target_with_another_address(tmp_path: Path) -> None:
    workspace = plain_site(tmp_path, {"main.js": "fetch('http://127.0.0.1:8088/api')\n"})
    assert not build_frontend(workspace, "http://127.0.0.1:8088", discard).cached
    with pytest.raises(FindingsError) as refused:
        build_frontend(workspace, "https://shop.example.com", discard)
    assert [finding.rule for finding in refused.value.findings] == ["bake.loopback-url"]


def test_source_maps_that_are_wanted_no_more_make_another_build(tmp_path: Path) -> None:
    write(tmp_path / "web", {"package.json": "{}", "package-lock.json": "{}"})
    wanted, unwanted = (
        fingerprint_frontend(workspace_at(tmp_path, "cra", source_maps=maps), API_URL) for maps in (True, False)
    )
    assert wanted != unwanted


def test_a_removal_of_old_builds_that_is_cut_off_leaves_no_part_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_frontend(plain_site(tmp_path), API_URL, discard)
    whole = contents(first.site)
    removed = shutil.rmtree

    def cut_off(path: Path, ignore_errors: bool = False) -> None:
        if (path / "site/main.js").exists():
            (path / "site/main.js").unlink()
            raise KeyboardInterrupt
        removed(path, ignore_errors=ignore_errors)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", cut_off)
        for number in range(9):
            build_frontend(plain_site(tmp_path, {"main.js": f"let a = {number + 2}\n"}), API_URL, discard)
    again = build_frontend(plain_site(tmp_path), API_URL, discard)
    assert again.fingerprint == first.fingerprint
    assert contents(again.site) == whole


def hooked(root: Path, script: str) -> tuple[Job, FrontendBuild, SiteBuild]:
    """A built site, and the job of a project whose hook after the build runs a script of Python."""
    build = build_frontend(plain_site(root), API_URL, discard)
    text = 'name = "tiny"\n[frontend]\npath = "web"\npreset = "static"\n[[hooks.after_build]]\ncommand = ['
    project = parse_project(f"{text}{sys.executable!r}, '-c', {script!r}]\n", "ship.toml")
    with FileHashes.remember(root / "hashes.json") as hashes:
        tree = read_tree(build.site, hashes, executable=())
    job = Job(Workspace(root, project), "production", Target(host="shop.example.com"))
    return job, build, SiteBuild(tree, build.immutable, "", build.site)


SITE = "import os, pathlib, shutil, sys; site = pathlib.Path(os.environ['SHIPPER_SITE']); "
SPOILS = [
    pytest.param("(site / 'main.js').write_text('spoiled'); sys.exit(3)", r"failed \(exit code 3\)", id="and fails"),
    pytest.param("(site / 'main.js').write_text('spoiled')", "changed the built site", id="and ends well"),
    pytest.param("(site / 'out').symlink_to('../../..')", "changed the built site", id="with a link that leaves it"),
    pytest.param("shutil.rmtree(site)", "changed the built site", id="by removing all of it"),
]


@pytest.mark.parametrize(("script", "words"), SPOILS)
def test_a_site_that_a_hook_spoiled_is_never_taken_for_the_build(tmp_path: Path, script: str, words: str) -> None:
    job, build, site = hooked(tmp_path, SITE + script)
    whole = contents(build.site)
    with pytest.raises(HookError, match=words):
        run_after_build(job, site, discard)
    again = build_frontend(plain_site(tmp_path), API_URL, discard)
    assert contents(again.site) == whole


def test_a_hook_that_only_looks_and_fails_costs_no_new_build(tmp_path: Path) -> None:
    job, _, site = hooked(tmp_path, SITE + "sys.exit((site / 'main.js').read_text())")
    with pytest.raises(HookError):
        run_after_build(job, site, discard)
    assert build_frontend(plain_site(tmp_path), API_URL, discard).cached


def test_packages_of_another_branch_that_somebody_installed_by_hand_are_not_built_with(tmp_path: Path) -> None:
    say = "const fs = require('fs'); fs.mkdirSync('dist'); fs.writeFileSync('dist/index.html', require('tiny-lib'))"
    settings = {"api_url_variable": None, "command": ("node", "-e", say), "output": "dist"}
    workspace = workspace_at(tmp_path, "command", **settings)
    for branch in ("ours", "theirs"):
        write(tmp_path / "web" / branch, {"index.js": f"module.exports = '{branch}'", "package.json": LIBRARY})
    lock = check_out(tmp_path / "web", "ours")
    assert (build_frontend(workspace, API_URL, discard).site / "index.html").read_text() == "ours"
    check_out(tmp_path / "web", "theirs")
    check_out(tmp_path / "web", "ours", lock)
    write(tmp_path / "web", {"another.txt": "so that it is built"})
    assert (build_frontend(workspace, API_URL, discard).site / "index.html").read_text() == "ours"


LIBRARY = '{"name": "tiny-lib", "version": "1.0.0"}'


def check_out(web: Path, branch: str, lock: str = "") -> str:
    """Write the package.json of a branch, with its lock file, or what `npm install` makes of both; return that."""
    write(web, {"package.json": json.dumps({"name": "tiny", "dependencies": {"tiny-lib": f"file:{branch}"}})})
    if lock:
        write(web, {"package-lock.json": lock})
    else:
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "install", "--offline", "--no-audit", "--no-fund"], cwd=web, check=True)
    return (web / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("with_git", [True, False], ids=["with git", "without git"])
def test_what_a_link_leads_to_outside_of_the_frontend_is_a_part_of_it(tmp_path: Path, with_git: bool) -> None:
    if with_git:
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    workspace = plain_site(tmp_path)
    write(tmp_path, {"shared/colours.js": "let red = 1\n", "shared/node_modules/a.js": ""})
    (tmp_path / "web/shared").symlink_to("../shared")
    before = fingerprint_frontend(workspace, API_URL)
    assert fingerprint_frontend(workspace, API_URL) == before
    write(tmp_path, {"shared/colours.js": "let red = 2\n"})
    assert fingerprint_frontend(workspace, API_URL) != before


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ({"web/src/main.ts": 'import { red } from "../../shared/colours";'}, "shared/colours.ts"),
        ({"web/src/main.ts": 'import { red } from "../../shared/colours.js";'}, "shared/colours.ts"),
        ({"web/src/main.ts": 'import { red } from "../../shared";'}, "shared/index.ts"),
        ({"web/src/main.ts": 'import logo from "../../shared/logo.svg?raw";'}, "shared/logo.svg"),
        (
            {"web/src/main.ts": 'import "../../shared/all.js";', "shared/all.ts": 'export * from "./colours";'},
            "shared/colours.ts",
        ),
        ({"web/src/(shop)/[id].vue": '<script>import "../../../shared/[id]"</script>'}, "shared/[id].ts"),
        ({"web/src/all.js": 'import.meta.glob("../../shared/posts/*.md")'}, "shared/posts/first.md"),
        ({"web/src/one.js": "const page = (name) => import(`../../shared/${name}.js`)"}, "shared/first.js"),
        ({"web/src/site.css": "body { background: url(../../shared/sky.webp#top) }"}, "shared/sky.webp"),
        (
            {"web/src/site.scss": '@use "../../shared/all";', "shared/_all.scss": '@use "colours";'},
            "shared/_colours.scss",
        ),
        ({"web/tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["../shared/*"]}}}'}, "shared/a/b.ts"),
        ({"web/vite.config.ts": 'const shared = path.resolve(__dirname, "..", "shared");'}, "shared/a/b.ts"),
        ({"web/src/posts.js": "const posts = readdirSync('../shared/posts');"}, "shared/posts/first.md"),
        ({"web/package.json": json.dumps({"dependencies": {"a": "file:../shared"}})}, "shared/index.js"),
        ({"web/tsconfig.json": '{"baseUrl": "..", "paths": {"@/*": ["shared/*"]}}'}, "shared/a/b.ts"),
        ({"web/vite.config.js": "const shared = `${__dirname}/../shared`;"}, "shared/a/b.ts"),
        ({"web/vite.config.js": "alias: { '@layout': resolve(__dirname, '../shared') }"}, "shared/a/b.ts"),
        ({"web/tsconfig.json": '{"outDir": "../types", "paths": {"@/*": ["../shared/*"]}}'}, "shared/a/b.ts"),
        (
            {"web/a.ts": 'import "../shared/a/b";', "shared/a/b.ts": 'import ".."', "shared/index.ts": ""},
            "shared/index.ts",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(next(iter(value.values())))[1:-1],
)
def test_what_sources_lead_to_outside_of_the_frontend_is_a_part_of_it(
    tmp_path: Path, files: dict[str, str], changed: str
) -> None:
    write(tmp_path, {"web/package.json": "{}", "web/package-lock.json": "{}", changed: "one", **files})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    workspace = workspace_at(tmp_path, "vite")
    before = fingerprint_frontend(workspace, API_URL)
    write(tmp_path, {"backend/main.py": "one", "shared/node_modules/a.js": "", "README.md": "one"})
    assert fingerprint_frontend(workspace, API_URL) == before
    write(tmp_path, {changed: "two"})
    assert fingerprint_frontend(workspace, API_URL) != before


DEVELOPMENT = {"scripts": {"dev": "concurrently 'cd ../backend && uvicorn main:app' vite"}}


@pytest.mark.parametrize(
    "files",
    [
        {"web/package.json": json.dumps(DEVELOPMENT)},
        {"web/playwright.config.ts": 'webServer: { cwd: "../backend" }'},
        {"web/src/app.test.ts": 'import api from "../../backend/main.py"'},
        {"web/vite.config.ts": 'build: { outDir: "../backend" }'},
        {"web/vite.config.mts": "build: { outDir: path.resolve(process.cwd(), '../backend') }"},
        {"web/vite.config.js": "plugins: [visualizer({ filename: '../backend/main.py' })]"},
        {"web/README.md": "The API is in [another folder](../backend/main.py)."},
        {"web/src/build.js": 'import "../../backend/ignored.js"'},
    ],
    ids=lambda files: next(iter(files)),
)
def test_what_no_build_reads_is_no_part_of_it(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, {"web/package-lock.json": "{}", "backend/main.py": "one", ".gitignore": "ignored.*", **files})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    before = fingerprint_frontend(workspace_at(tmp_path, "vite"), API_URL)
    write(tmp_path, {"backend/main.py": "two", "backend/ignored.js": "one"})
    assert fingerprint_frontend(workspace_at(tmp_path, "vite"), API_URL) == before


@pytest.mark.parametrize(
    "path", ["../..", "../../", "../../../elsewhere/secret.js", "../../nothing.js", "../main", "../../.?", "../../\0"]
)
def test_folders_above_the_frontend_and_what_is_not_the_projects_are_no_part_of_it(tmp_path: Path, path: str) -> None:
    project = tmp_path / "project"
    write(project, {"web/package-lock.json": "{}", "web/src/main.js": f'import "{path}"', "web/main.js": ""})
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    before = fingerprint_frontend(workspace_at(project, "vite"), API_URL)
    write(tmp_path, {"project/backend/main.py": "one", "elsewhere/secret.js": "one"})
    assert fingerprint_frontend(workspace_at(project, "vite"), API_URL) == before


def test_who_waits_for_another_build_stops_waiting_when_the_ship_is_called_off(tmp_path: Path) -> None:
    workspace = plain_site(tmp_path)
    build_frontend(workspace, API_URL, discard)
    waits = threading.Event()
    with ThreadPoolExecutor(1) as pool, FileLock(workspace.cache / "frontend/lock"):
        waiting = pool.submit(build_frontend, workspace, API_URL, lambda event: waits.set())
        waits.wait()
        end_all_programs()
        try:
            with pytest.raises(BuildError, match="called off"):
                waiting.result(timeout=10)
        finally:
            want_programs()
