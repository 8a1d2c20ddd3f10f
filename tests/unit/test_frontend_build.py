"""Frontends are really installed and built here, with the fixtures' own tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from frontend_projects import (
    API_URL,
    FIXTURES,
    Recorder,
    built_template,
    contents,
    project,
    sources,
    workspace_at,
    write,
)

from shipper.build.frontend import FrontendBuild, build_frontend, fingerprint_frontend
from shipper.build.next_build_id import build_id_of
from shipper.config.frontend import Frontend
from shipper.config.project import Project, Workspace
from shipper.errors import BuildError, ConfigError, FindingsError
from shipper.events import Event, discard

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("frontends")

NEXT_CONFIG = (FIXTURES / "next/next.config.mjs").read_text(encoding="utf-8")


def template_build(preset: str) -> FrontendBuild:
    return build_frontend(workspace_at(built_template(preset), preset), API_URL, discard)


def builds(workspace: Workspace) -> list[Path]:
    return [path for path in (workspace.cache / "frontend").iterdir() if path.is_dir()]


def test_next_is_installed_built_and_described() -> None:
    build = template_build("next")
    assert b"About this app" in (build.site / "about/index.html").read_bytes()
    assert any(API_URL.encode() in (build.site / path).read_bytes() for path in build.immutable)
    assert all(path.startswith("_next/static/") for path in build.immutable)
    assert build.trailing_slash
    assert build.fallback == "404.html"


def test_vite_is_installed_built_and_described(tmp_path: Path) -> None:
    changes = {"public/photo-20261120A.svg": "<svg/>", "public/robots.txt": "User-agent: *"}
    build = build_frontend(project(tmp_path, "vite", changes), API_URL, discard)
    assert not build.cached
    assert (build.site / "robots.txt").exists()
    assert len(build.immutable) == 1
    assert build.immutable[0].startswith("assets/index-")
    assert API_URL.encode() in (build.site / build.immutable[0]).read_bytes()
    assert not build.trailing_slash
    assert build.fallback == "index.html"


def test_static_files_are_copied_without_what_git_ignores_and_without_dot_files(tmp_path: Path) -> None:
    secret = "DATABASE_PASSWORD=not-for-visitors\n"
    changes = {".env": secret, ".htpasswd": secret, "notes.bak": secret, ".well-known/security.txt": "Contact: me\n"}
    workspace = sources(tmp_path, "static", {**changes, ".gitignore": "*.bak\n"})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    build = build_frontend(workspace, API_URL, discard)
    assert sorted(contents(build.site)) == [".well-known/security.txt", "about.html", "index.html", "main.js"]
    assert (build.immutable, build.trailing_slash, build.fallback) == ((), False, "")


def test_a_link_to_something_outside_the_static_files_is_not_published(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "static", {".env": "PASSWORD=not-for-visitors\n"})
    write(tmp_path, {"backend/.env": "PASSWORD=not-for-visitors\n"})
    (tmp_path / "web/outside.txt").symlink_to(tmp_path / "backend/.env")
    (tmp_path / "web/hidden.txt").symlink_to(tmp_path / "web/.env")
    (tmp_path / "web/start.html").symlink_to(tmp_path / "web/index.html")
    build = build_frontend(workspace, API_URL, discard)
    assert sorted(contents(build.site)) == ["about.html", "index.html", "main.js", "start.html"]


def test_an_output_folder_that_git_tracks_is_never_emptied(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "static", {"public/logo.svg": "<svg/>"}, command=("node", "-e", "1"), output="public")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    with pytest.raises(ConfigError, match="files that git tracks"):
        build_frontend(workspace, API_URL, discard)
    assert (tmp_path / "web/public/logo.svg").exists()


def test_static_files_beside_the_rest_of_the_project_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"index.html": "<title>Tiny</title>", "settings.py": "PASSWORD = 'not-for-visitors'"})
    workspace = Workspace(tmp_path, Project(name="tiny", frontend=Frontend(path=".", preset="static")))
    with pytest.raises(ConfigError, match="folder of their own"):
        build_frontend(workspace, API_URL, discard)


def test_static_files_that_are_all_there_is_may_stand_at_the_top(tmp_path: Path) -> None:
    pages = {"index.html": "<title>Tiny</title>", "css/site.css": "", "그림/사진.webp": ""}
    write(
        tmp_path, {**pages, "ship.toml": "", "tasks.py": "", "README.md": "", "CNAME": "", ".env": "PASSWORD=not-ours"}
    )
    workspace = Workspace(tmp_path, Project(name="tiny", frontend=Frontend(path=".", preset="static")))
    assert sorted(contents(build_frontend(workspace, API_URL, discard).site)) == sorted(pages)


def test_two_clones_of_equal_source_give_equal_bytes(tmp_path: Path) -> None:
    workspace, template = project(tmp_path, "next"), template_build("next")
    shutil.rmtree(tmp_path / "web/.next")
    clone = build_frontend(workspace, API_URL, discard)
    assert not clone.cached
    assert clone.fingerprint == template.fingerprint
    # Next itself took the id; it was not replaced afterwards.
    assert (tmp_path / "web/.next/BUILD_ID").read_text() == build_id_of(clone.fingerprint)
    assert contents(clone.site) == contents(template.site)


def test_one_changed_text_changes_few_files_of_a_next_site(tmp_path: Path) -> None:
    text = "export default function About() {\n  return <p>About another app</p>;\n}\n"
    changed = build_frontend(project(tmp_path, "next", {"app/about/page.jsx": text}), API_URL, discard)
    before = set(contents(template_build("next").site).values())
    new = [path for path, content in contents(changed.site).items() if content not in before]
    assert "about/index.html" in new
    # The pages hold the build id; no script may change.
    assert not [path for path in new if path.endswith(".js")]


def published_build_ids(build: FrontendBuild) -> list[str]:
    return [path.parent.name for path in build.site.glob("_next/static/*/_buildManifest.js")]


def test_a_random_build_id_is_replaced_where_the_preload_does_not_reach(tmp_path: Path) -> None:
    package = (FIXTURES / "next/package.json").read_text().replace("next build", "env -u NODE_OPTIONS next build")
    build = build_frontend(project(tmp_path, "next", {"package.json": package}), API_URL, discard)
    wanted = build_id_of(build.fingerprint)
    assert published_build_ids(build) == [wanted]
    assert wanted.encode() in (build.site / "index.html").read_bytes()


def test_the_build_id_of_the_users_own_configuration_is_kept_and_pages_are_counted(tmp_path: Path) -> None:
    config = NEXT_CONFIG.replace("trailingSlash: true", 'generateBuildId: () => "release-7"')
    recorder = Recorder()
    build = build_frontend(project(tmp_path, "next", {"next.config.mjs": config}), API_URL, recorder)
    assert published_build_ids(build) == ["release-7"]
    assert not build.trailing_slash
    progress = [event for event in recorder.events if event.kind == "progress"]
    assert progress[-1].done == progress[-1].total > 0
    assert progress[-1].unit == "pages"


def test_a_next_app_that_does_not_export_is_told_how_to(tmp_path: Path) -> None:
    config = NEXT_CONFIG.replace('output: "export", ', "")
    with pytest.raises(BuildError, match="wrote no web/out/") as caught:
        build_frontend(project(tmp_path, "next", {"next.config.mjs": config}), API_URL, discard)
    assert 'output: "export"' in caught.value.fix


def test_what_a_build_started_ends_when_it_is_interrupted(tmp_path: Path) -> None:
    script = "console.log(process.pid); setInterval(() => {}, 1000)"
    workspace = sources(tmp_path, "static", command=("node", "-e", script), output="public")
    started: list[int] = []

    def interrupt(event: Event) -> None:
        started.append(int(event.text))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_frontend(workspace, API_URL, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
    assert builds(workspace) == []


def test_unchanged_sources_start_nothing(tmp_path: Path) -> None:
    workspace = project(tmp_path, "vite")
    first = build_frontend(workspace, API_URL, discard)
    recorder = Recorder()
    again = build_frontend(workspace, API_URL, recorder)
    assert again.cached
    assert recorder.events == []
    assert (again.site, again.immutable, again.fingerprint) == (first.site, first.immutable, first.fingerprint)


def test_what_is_imported_from_another_folder_of_the_project_is_built_anew_when_it_changes(tmp_path: Path) -> None:
    main = (FIXTURES / "vite/src/main.js").read_text(encoding="utf-8")
    workspace = project(
        tmp_path, "vite", {"src/main.js": f'{main}import {{ motto }} from "../../shared/motto";\nconsole.log(motto);\n'}
    )
    write(tmp_path, {"shared/motto.js": 'export const motto = "Step by step.";\n'})
    build_frontend(workspace, API_URL, discard)
    assert build_frontend(workspace, API_URL, discard).cached
    write(tmp_path, {"shared/motto.js": 'export const motto = "All at once.";\n'})
    again = build_frontend(workspace, API_URL, discard)
    assert not again.cached
    assert b"All at once." in (again.site / again.immutable[0]).read_bytes()


def test_a_build_tells_what_it_does(tmp_path: Path) -> None:
    recorder = Recorder()
    build_frontend(project(tmp_path, "vite"), API_URL, recorder)
    assert any("modules transformed" in line for line in recorder.texts("output"))
    assert {event.step for event in recorder.events} == {"build.frontend"}


def test_every_input_changes_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = sources(tmp_path, "vite")
    seen = [fingerprint_frontend(workspace, API_URL), fingerprint_frontend(workspace, "https://staging.example.com")]
    seen.append(fingerprint_frontend(workspace_at(tmp_path, "vite", variables={"VITE_TITLE": "Tiny"}), API_URL))
    seen.append(fingerprint_frontend(workspace_at(tmp_path, "vite", command=("npm", "run", "other")), API_URL))
    # Git ignores this one, and the build reads it all the same.
    write(tmp_path / "web", {".gitignore": ".env*\n"})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    seen.append(fingerprint_frontend(workspace, API_URL))
    write(tmp_path / "web", {".env.production": "VITE_TITLE=Tiny\n"})
    seen.append(fingerprint_frontend(workspace, API_URL))
    monkeypatch.setenv("VITE_TITLE", "From the shell")
    seen.append(fingerprint_frontend(workspace, API_URL))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("preset", "file", "text", "name"),
    [
        ("next", "next.config.mjs", "export default { env: { title: process.env.SHOP_TITLE } };", "SHOP_TITLE"),
        ("vite", "vite.config.ts", "export default { envPrefix: ['VITE_', 'SHOP_'] };", "SHOP_TITLE"),
        ("vite", "vite.config.ts", "const env = loadEnv(mode, cwd(), ''); env.SHOP_TITLE;", "SHOP_TITLE"),
        ("vite", "package.json", '{"scripts": {"build": "vite build --mode $SHOP_MODE"}}', "SHOP_MODE"),
    ],
)
def test_a_variable_that_only_the_configuration_names_changes_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, file: str, text: str, name: str
) -> None:
    workspace = sources(tmp_path, preset, {file: text})
    before = fingerprint_frontend(workspace, API_URL)
    monkeypatch.setenv("NOBODY_READS_IT", "one")
    assert fingerprint_frontend(workspace, API_URL) == before
    monkeypatch.setenv(name, "one")
    assert fingerprint_frontend(workspace, API_URL) != before


def test_a_variable_that_an_own_command_names_changes_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "web", {"index.html": "one"})
    workspace = workspace_at(tmp_path, "command", command=("sh", "-c", "cp $SHOP_PAGE out/"), output="out")
    before = fingerprint_frontend(workspace, API_URL)
    monkeypatch.setenv("SHOP_PAGE", "index.html")
    assert fingerprint_frontend(workspace, API_URL) != before


def test_what_builds_write_does_not_change_the_fingerprint(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "next")
    before = fingerprint_frontend(workspace, API_URL)
    write(
        tmp_path / "web", {"out/index.html": "", ".next/BUILD_ID": "x", "next-env.d.ts": "", "node_modules/a/b.js": ""}
    )
    assert fingerprint_frontend(workspace, API_URL) == before


def test_a_fingerprint_is_of_content_not_of_times_or_place(tmp_path: Path) -> None:
    first = sources(tmp_path / "one", "vite")
    second = sources(tmp_path / "another place", "vite")
    os.utime(second.root / "web/index.html", (1, 1))
    assert fingerprint_frontend(first, API_URL) == fingerprint_frontend(second, API_URL)


def test_a_failed_build_leaves_nothing_and_the_next_run_builds_anew(tmp_path: Path) -> None:
    workspace = project(tmp_path, "vite")
    build_frontend(workspace, API_URL, discard)
    good = (tmp_path / "web/src/main.js").read_text()
    write(tmp_path / "web", {"src/main.js": f'import "./missing.js";\n{good}', "dist/index.html": "an old build"})
    for _ in range(2):
        with pytest.raises(BuildError) as caught:
            build_frontend(workspace, API_URL, discard)
        assert "./missing.js" in caught.value.why
        assert "src/main.js" in caught.value.why
        assert not (tmp_path / "web/dist").exists()
        assert len(builds(workspace)) == 1
    write(tmp_path / "web", {"src/main.js": f"{good}\nconsole.log('repaired');\n"})
    assert not build_frontend(workspace, API_URL, discard).cached


def test_a_source_that_changes_during_the_build_is_built_again(tmp_path: Path) -> None:
    write_version = 'import { writeFileSync } from "node:fs";\nwriteFileSync("src/version.js", "export default 1;");\n'
    package = (FIXTURES / "vite/package.json").read_text().replace("vite build", "vite build && node version.mjs")
    workspace = project(tmp_path, "vite", {"package.json": package, "version.mjs": write_version})
    recorder = Recorder()
    build = build_frontend(workspace, API_URL, recorder)
    assert any("src/version.js changed" in note for note in recorder.texts("note"))
    assert build.fingerprint == fingerprint_frontend(workspace, API_URL)


def test_only_the_last_five_builds_are_kept(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "static")
    for number in range(7):
        write(tmp_path / "web", {"main.js": f"console.log({number});\n"})
        last = build_frontend(workspace, API_URL, discard)
    assert len(builds(workspace)) == 5
    assert b"6" in (last.site / "main.js").read_bytes()


def test_a_cached_build_is_proved_again_when_the_rules_change(tmp_path: Path) -> None:
    address = "http://localhost:9000"
    workspace = sources(tmp_path, "static", {"main.js": f"fetch('{address}/x');\n"})
    with pytest.raises(FindingsError):
        build_frontend(workspace, API_URL, discard)
    allowed = workspace_at(tmp_path, "static", allow=({"url": address, "reason": "a printer on every desk"},))
    assert build_frontend(allowed, API_URL, discard).cached
    with pytest.raises(FindingsError):
        build_frontend(workspace, API_URL, discard)


def test_the_output_of_a_command_of_ones_own_is_taken(tmp_path: Path) -> None:
    script = "const fs = require('fs'); fs.mkdirSync('public'); fs.copyFileSync('about.html', 'public/index.html');"
    workspace = sources(tmp_path, "static", command=("node", "-e", script), output="public")
    assert list(contents(build_frontend(workspace, API_URL, discard).site)) == ["index.html"]


def test_two_builds_of_one_folder_wait_for_each_other(tmp_path: Path) -> None:
    # Fails when somebody else is in the middle of the same: an npm build would, or would mix the two.
    script = "mkdir busy && mkdir out && echo made > out/index.html && sleep 0.3 && rmdir busy"
    changes = {"index.html": "<h1>source</h1>"}
    workspace = sources(tmp_path, "static", changes, command=("sh", "-c", script), output="out")
    events: list[Event] = []
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: build_frontend(workspace, API_URL, events.append), range(3)))
    assert [build.cached for build in made].count(False) == 1
    assert "waiting for it" in " ".join(event.text for event in events)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'web' is not there"):
        build_frontend(workspace_at(tmp_path, "vite"), API_URL, discard)


def test_a_missing_package_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    with pytest.raises(ConfigError, match=r"no package\.json in web/"):
        build_frontend(workspace_at(tmp_path, "vite", api_url_variable=None), API_URL, discard)


def test_a_missing_lock_file_is_named(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "vite")
    (tmp_path / "web/package-lock.json").unlink()
    with pytest.raises(ConfigError, match="no lock file") as caught:
        build_frontend(workspace, API_URL, discard)
    assert "npm install" in caught.value.fix


def test_a_machine_without_npm_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = sources(tmp_path, "vite")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="npm is not installed") as caught:
        build_frontend(workspace, API_URL, discard)
    assert "Node.js" in caught.value.fix


def test_a_missing_build_script_is_named(tmp_path: Path) -> None:
    package = (FIXTURES / "vite/package.json").read_text().replace('"build"', '"compile"')
    with pytest.raises(BuildError) as caught:
        build_frontend(project(tmp_path, "vite", {"package.json": package}), API_URL, discard)
    assert "no script named build" in caught.value.why
    assert "command = [...]" in caught.value.fix


def test_a_build_that_writes_elsewhere_is_no_build(tmp_path: Path) -> None:
    config = 'export default { build: { outDir: "elsewhere" } };\n'
    workspace = project(tmp_path, "vite", {"vite.config.js": config, ".gitignore": "elsewhere\n"})
    with pytest.raises(BuildError, match=r"wrote no web/dist/"):
        build_frontend(workspace, API_URL, discard)
    assert builds(workspace) == []
