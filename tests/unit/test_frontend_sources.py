"""What is said about a frontend before it is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from frontend_projects import API_URL, sources, workspace_at, write

from shipper.build.bake import check_sources
from shipper.findings import Finding

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("frontends")

LOOPBACK = "http://127.0.0.1:8000"


def only(findings: list[Finding], rule: str) -> Finding:
    found = [finding for finding in findings if finding.rule == rule]
    assert len(found) == 1, findings
    return found[0]


@pytest.mark.parametrize("preset", ["next", "vite", "static"])
def test_nothing_is_said_about_a_frontend_that_reads_the_configured_variable(tmp_path: Path, preset: str) -> None:
    assert check_sources(sources(tmp_path, preset), API_URL) == []


def test_a_variable_of_another_tool_is_refused_and_both_names_and_places_are_told(tmp_path: Path) -> None:
    workspace = sources(
        tmp_path, "vite", {".env": f"REACT_APP_API_URL={API_URL}\n"}, api_url_variable="REACT_APP_API_URL"
    )
    write(tmp_path, {"ship.toml": '[frontend]\npreset = "vite"\napi_url_variable = "REACT_APP_API_URL"\n'})
    finding = only(check_sources(workspace, API_URL), "bake.other-variable-read")
    assert finding.severity == "error"
    assert "ship.toml:3 sets REACT_APP_API_URL" in finding.message
    assert "VITE_API_URL (web/src/main.js:1)" in finding.message
    assert "web/.env:1" in finding.why
    assert 'api_url_variable = "VITE_API_URL"' in finding.fix


def test_an_unconfigured_api_variable_is_refused_with_the_line_to_write(tmp_path: Path) -> None:
    finding = only(
        check_sources(sources(tmp_path, "vite", api_url_variable=None), API_URL), "bake.variable-not-configured"
    )
    assert (finding.path, finding.line) == ("web/src/main.js", 1)
    assert 'api_url_variable = "VITE_API_URL"' in finding.fix


def test_a_frontend_without_an_api_needs_no_variable(tmp_path: Path) -> None:
    workspace = sources(
        tmp_path, "vite", {"src/main.js": "console.log(import.meta.env.MODE);\n"}, api_url_variable=None
    )
    assert check_sources(workspace, API_URL) == []


def test_a_variable_that_only_a_comment_mentions_is_not_read(tmp_path: Path) -> None:
    text = (
        "// import.meta.env.VITE_API_URL\n/* import.meta.env.VITE_API_URL */\nconst home = 'https://example.com/x';\n"
    )
    finding = only(check_sources(sources(tmp_path, "vite", {"src/main.js": text}), API_URL), "bake.variable-not-read")
    assert finding.severity == "error"
    assert "VITE_API_URL" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "const { VITE_API_URL } = import.meta.env;",
        "const env = import.meta.env;\nfetch(env.VITE_API_URL);",
        'fetch(import.meta.env["VITE_API_URL"]);',
        "fetch(import.meta.env?.VITE_API_URL ?? '');",
        'const pick = (name) => import.meta.env[name];\nfetch(pick("VITE_API_URL"));',
    ],
)
def test_every_way_in_which_vite_gives_a_variable_counts_as_a_read(tmp_path: Path, text: str) -> None:
    assert check_sources(sources(tmp_path, "vite", {"src/main.js": text}), API_URL) == []


@pytest.mark.parametrize(
    "text",
    [
        'const read = (name) => process.env["NEXT_PUBLIC_" + name];',
        "const { NEXT_PUBLIC_API_URL } = process.env;",
        "const env = process.env;\nexport const url = env.NEXT_PUBLIC_API_URL;",
    ],
)
def test_a_read_that_next_cannot_bake_is_refused(tmp_path: Path, text: str) -> None:
    workspace = sources(tmp_path, "next", {"app/page.jsx": text})
    finding = only(check_sources(workspace, API_URL), "bake.dynamic-read")
    assert finding.severity == "error"
    assert (finding.path, finding.line) == ("web/app/page.jsx", 1)
    assert "process.env.NEXT_PUBLIC_API_URL" in finding.fix


def test_process_env_in_a_vite_source_is_refused(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "vite", {"src/main.js": "fetch(process.env.VITE_API_URL);\n"})
    finding = only(check_sources(workspace, API_URL), "bake.wrong-env-object")
    assert "import.meta.env.VITE_API_URL" in finding.fix


def test_a_variable_without_the_public_prefix_is_refused(tmp_path: Path) -> None:
    text = '"use client";\nexport const url = process.env.API_URL;\n'
    workspace = sources(tmp_path, "next", {"app/page.jsx": text}, api_url_variable="API_URL")
    finding = only(check_sources(workspace, API_URL), "bake.no-public-prefix")
    assert "NEXT_PUBLIC_API_URL in web/app/page.jsx:2" in finding.fix


def test_an_env_entry_of_next_config_is_refused_because_it_beats_the_build(tmp_path: Path) -> None:
    text = f'export default {{\n  output: "export",\n  env: {{ NEXT_PUBLIC_API_URL: "{LOOPBACK}" }},\n}};\n'
    finding = only(check_sources(sources(tmp_path, "next", {"next.config.mjs": text}), API_URL), "bake.config-wins")
    assert (finding.path, finding.line) == ("web/next.config.mjs", 3)


def test_an_env_entry_that_passes_the_same_variable_on_is_fine(tmp_path: Path) -> None:
    text = "export default { env: { NEXT_PUBLIC_API_URL: process.env.NEXT_PUBLIC_API_URL } };\n"
    assert check_sources(sources(tmp_path, "next", {"next.config.mjs": text}), API_URL) == []


def test_a_define_of_a_vite_config_is_refused_because_it_beats_the_build(tmp_path: Path) -> None:
    text = f'export default {{\n  define: {{ "import.meta.env.VITE_API_URL": JSON.stringify("{LOOPBACK}") }},\n}};\n'
    finding = only(check_sources(sources(tmp_path, "vite", {"vite.config.js": text}), API_URL), "bake.config-wins")
    assert (finding.path, finding.line) == ("web/vite.config.js", 2)


@pytest.mark.parametrize(("preset", "winner"), [("next", ".env.local"), ("vite", ".env.production")])
def test_the_env_file_that_wins_is_named_for_each_tool(tmp_path: Path, preset: str, winner: str) -> None:
    name = {"next": "NEXT_PUBLIC_SOCKET", "vite": "VITE_SOCKET"}[preset]
    source = {"next": "app/socket.js", "vite": "src/socket.js"}[preset]
    read = {"next": "process.env", "vite": "import.meta.env"}[preset]
    both = {file: f"# for work\n{name}=ws://localhost:8000/{file}\n" for file in (".env.local", ".env.production")}
    workspace = sources(tmp_path, preset, {source: f"new WebSocket({read}.{name});\n", **both})
    finding = only(check_sources(workspace, API_URL), "bake.env-file-wins")
    assert (finding.path, finding.line) == (f"web/{winner}", 2)
    assert f"/{winner}" in finding.message


def test_an_env_file_that_is_beaten_by_ship_toml_is_a_note(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "vite", {".env.local": f"VITE_API_URL={LOOPBACK}\n"})
    assert only(check_sources(workspace, API_URL), "bake.env-file-ignored").severity == "note"


def test_a_public_variable_of_the_shell_that_leads_home_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITE_SOCKET", "ws://localhost:8000")
    workspace = sources(tmp_path, "vite", {"src/socket.js": "new WebSocket(import.meta.env.VITE_SOCKET);\n"})
    assert only(check_sources(workspace, API_URL), "bake.shell-wins").severity == "error"


def test_a_fallback_to_this_machine_is_a_warning(tmp_path: Path) -> None:
    text = f"const url = import.meta.env.VITE_API_URL || '{LOOPBACK}';\n"
    finding = only(check_sources(sources(tmp_path, "vite", {"src/main.js": text}), API_URL), "bake.loopback-fallback")
    assert finding.severity == "warning"
    assert LOOPBACK in finding.message


def test_a_variable_that_nothing_sets_is_a_warning(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "vite", {"src/title.js": "document.title = import.meta.env.VITE_TITLE;\n"})
    assert only(check_sources(workspace, API_URL), "bake.variable-not-set").severity == "warning"


def test_tests_and_declarations_are_no_reads(tmp_path: Path) -> None:
    read = "fetch(import.meta.env.VITE_API_URL);\n"
    changes = {"src/main.js": "", "src/main.test.js": read, "src/vite-env.d.ts": read, "e2e/login.js": read}
    assert only(check_sources(sources(tmp_path, "vite", changes), API_URL), "bake.variable-not-read")


def test_sources_of_other_packages_in_the_same_workspace_are_read_too(tmp_path: Path) -> None:
    write(tmp_path, {"package.json": "{}", "package-lock.json": "{}", "web/package.json": "{}"})
    write(tmp_path, {"packages/api/index.js": "export const url = import.meta.env.VITE_API_URL;\n"})
    assert check_sources(workspace_at(tmp_path, "vite"), API_URL) == []
