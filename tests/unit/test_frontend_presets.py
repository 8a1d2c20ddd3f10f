"""Create React App, Astro and commands of one's own: built, described, proved and diagnosed like Next and Vite."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from frontend_projects import API_URL, Recorder, contents, project, sources, workspace_at, write

from shipper.build.assets import find_missing_assets
from shipper.build.bake import check_sources
from shipper.build.frontend import build_frontend, fingerprint_frontend
from shipper.build.presets import immutable_addresses
from shipper.config.backend import Backend
from shipper.config.frontend import Frontend
from shipper.config.project import Project, Workspace
from shipper.errors import BuildError, FindingsError, ShipperError
from shipper.events import discard

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("frontends")

# A generator as small as they come; it writes what it was given, and its name and words are up to the project.
GENERATOR = """\
import os, pathlib
site = pathlib.Path("public")
site.mkdir()
site.joinpath("index.html").write_text(f"<a href='{os.environ['API_URL']}/api/items'>items</a>", encoding="utf-8")
site.joinpath("404.html").write_text("nothing here", encoding="utf-8")
"""
COMMAND = {"command": (sys.executable, "generate.py"), "output": "public"}


def generated(tmp_path: Path, changes: dict[str, str] | None = None, **settings: Any) -> Workspace:
    write(tmp_path / "web", {"generate.py": GENERATOR, **(changes or {})})
    return workspace_at(tmp_path, "command", **{**COMMAND, "api_url_variable": "API_URL", **settings})


def frontend_of(workspace: Workspace) -> Frontend:
    assert workspace.project.frontend is not None
    return workspace.project.frontend


def test_astro_is_installed_built_proved_and_described(tmp_path: Path) -> None:
    # A page with its script inside, and one with a script that is too large for that.
    long = "console.log(" + ", ".join(f'"{number} of many words"' for number in range(400)) + ");\n"
    page = '<html lang="en"><body><script>import { url } from "../long";\nfetch(url);</script></body></html>\n'
    changes = {
        "src/long.ts": long + "export const url = import.meta.env.PUBLIC_API_URL;\n",
        "src/pages/more.astro": page,
    }
    workspace = project(tmp_path, "astro", changes)
    build = build_frontend(workspace, API_URL, discard)
    assert API_URL.encode() in (build.site / "index.html").read_bytes(), "a small script stands in the page"
    assert build.immutable and all(path.startswith("_astro/") for path in build.immutable)
    assert all(re.search(immutable_addresses(frontend_of(workspace)), f"/{path}") for path in build.immutable)
    assert (build.trailing_slash, build.fallback) == (True, "")
    assert build_frontend(workspace, API_URL, discard).cached


def test_astro_that_wants_a_server_is_told_what_to_change(tmp_path: Path) -> None:
    page = "---\nexport const prerender = false;\n---\n<p>{Astro.url.pathname}</p>\n"
    with pytest.raises(BuildError) as caught:
        build_frontend(project(tmp_path, "astro", {"src/pages/now.astro": page}), API_URL, discard)
    assert "made by a server" in caught.value.why
    assert "prerender = false" in caught.value.fix


def test_astro_reads_the_env_files_of_its_mode_in_the_order_of_vite(tmp_path: Path) -> None:
    files = {name: f"PUBLIC_SOCKET=ws://localhost:8000/{name}\n" for name in (".env.local", ".env.production")}
    page = "<script>new WebSocket(import.meta.env.PUBLIC_SOCKET);</script>\n"
    workspace = sources(tmp_path, "astro", {**files, "src/pages/chat.astro": page})
    (finding,) = [one for one in check_sources(workspace, API_URL) if one.severity == "error"]
    assert (finding.rule, finding.path) == ("bake.env-file-wins", "web/.env.production")


def test_create_react_app_is_built_for_the_top_of_the_domain_without_source_maps(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "cra", {".env.production": "BUILD_PATH=elsewhere\nGENERATE_SOURCEMAP=true\n"})
    build = build_frontend(workspace, API_URL, discard)
    page = (build.site / "index.html").read_text(encoding="utf-8")
    assert 'src="/static/js/main.' in page and 'href="/favicon.ico"' in page, "homepage of package.json does not count"
    assert not [path for path in contents(build.site) if path.endswith(".map")]
    assert len(build.immutable) == 1
    assert re.search(immutable_addresses(frontend_of(workspace)), f"/{build.immutable[0]}")
    assert build.fallback == "index.html"


def test_create_react_app_under_a_path_is_a_blank_page_and_is_refused(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "cra", variables={"PUBLIC_URL": "/tiny"})
    with pytest.raises(FindingsError) as caught:
        build_frontend(workspace, API_URL, discard)
    (finding,) = caught.value.findings
    assert finding.rule == "bake.asset-not-there"
    assert "/tiny/static/js/main." in finding.message
    assert "PUBLIC_URL" in finding.fix


def test_warnings_of_create_react_app_are_told_and_stop_where_ci_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    changes = {"src/index.js": 'const unused = 1;\nfetch(process.env.REACT_APP_API_URL + "/api/items");\n'}
    recorder = Recorder()
    build_frontend(sources(tmp_path / "here", "cra", changes), API_URL, recorder)
    assert any("CI=true" in note for note in recorder.texts("note"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(BuildError) as caught:
        build_frontend(sources(tmp_path / "there", "cra", changes), API_URL, discard)
    assert 'CI = "false"' in caught.value.fix
    build_frontend(workspace_at(tmp_path / "there", "cra", variables={"CI": "false"}), API_URL, discard)


@pytest.mark.parametrize(
    "text",
    [
        "const { REACT_APP_API_URL } = process.env;\nfetch(REACT_APP_API_URL);",
        'const read = (name) => process.env[name];\nfetch(read("REACT_APP_API_URL"));',
    ],
    ids=["destructured", "computed"],
)
def test_create_react_app_gives_the_whole_object_to_the_browser(tmp_path: Path, text: str) -> None:
    assert check_sources(sources(tmp_path, "cra", {"src/index.js": text}), API_URL) == []


def test_the_page_of_create_react_app_is_a_source_too(tmp_path: Path) -> None:
    page = '<html><body data-api="%REACT_APP_API_URL%"></body></html>\n'
    workspace = sources(tmp_path, "cra", {"src/index.js": "", "public/index.html": page})
    assert check_sources(workspace, API_URL) == []


def test_vites_object_in_create_react_app_is_refused(tmp_path: Path) -> None:
    text = "fetch(import.meta.env.REACT_APP_API_URL);\n"
    (finding,) = check_sources(sources(tmp_path, "cra", {"src/index.js": text}), API_URL)
    assert finding.rule == "bake.wrong-env-object"
    assert "process.env.REACT_APP_API_URL" in finding.fix


def test_a_command_of_ones_own_needs_no_package_json_and_its_pages_are_the_proof(tmp_path: Path) -> None:
    workspace = generated(tmp_path)
    build = build_frontend(workspace, API_URL, discard)
    assert sorted(contents(build.site)) == ["404.html", "index.html"]
    assert (build.immutable, build.fallback) == ((), "404.html")
    assert build_frontend(workspace, API_URL, discard).cached
    assert fingerprint_frontend(generated(tmp_path, {"page.md": "more"}), API_URL) != build.fingerprint


def test_a_command_whose_sources_never_name_the_variable_is_refused(tmp_path: Path) -> None:
    (finding,) = check_sources(generated(tmp_path, api_url_variable="OTHER_URL"), API_URL)
    assert finding.rule == "bake.variable-not-read"
    assert "Read OTHER_URL where" in finding.fix


def test_a_command_that_loses_the_url_on_the_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FindingsError) as caught:
        build_frontend(
            generated(tmp_path, {"generate.py": GENERATOR.replace("{os.environ['API_URL']}", "")}), API_URL, discard
        )
    assert [finding.rule for finding in caught.value.findings] == ["bake.variable-not-read"]


def test_a_single_page_app_of_a_command_says_so(tmp_path: Path) -> None:
    build = build_frontend(generated(tmp_path, single_page=True), API_URL, discard)
    assert build.fallback == "index.html"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"command": ("no-such-generator",)}, "Install no-such-generator on this machine"),
        ({"output": "elsewhere"}, "Correct [frontend] output"),
    ],
    ids=["the program is missing", "another folder"],
)
def test_a_command_that_cannot_be_right_is_told_what_to_correct(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ShipperError) as caught:
        build_frontend(generated(tmp_path, **settings), API_URL, discard)
    assert said in caught.value.fix


@pytest.mark.parametrize("missing", ["command", "output"])
def test_the_preset_for_a_command_needs_both_of_its_keys(missing: str) -> None:
    settings = {key: value for key, value in COMMAND.items() if key != missing}
    with pytest.raises(ValueError, match="expected 'command' and 'output'"):
        Frontend(preset="command", **settings)


def test_a_script_that_the_backend_answers_for_is_not_missed(tmp_path: Path) -> None:
    page = '<script src="/api/config.js"></script><script src="https://cdn.example.com/x.js"></script>'
    write(tmp_path, {"index.html": f'{page}<!-- <script src="/old.js"> --><script src="gone.js?v=1"></script>'})
    project = Project(name="tiny", frontend=Frontend(preset="static"), backend=Backend(app="main:app"))
    (finding,) = find_missing_assets(tmp_path, project, "site")
    assert "gone.js" in finding.message
    assert finding.severity == "warning", "pages written by hand are not refused for it"
