"""What the built files prove: sites that were really built with a fault in them are not shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from frontend_projects import API_URL, Recorder, project, sources

from shipper.build.frontend import build_frontend
from shipper.config.backend import Backend
from shipper.config.project import Workspace
from shipper.errors import FindingsError
from shipper.events import discard
from shipper.findings import Finding

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("frontends")

CALL = "fetch(`${import.meta.env.VITE_API_URL}/api/items`);\n"


def refused(workspace: Workspace, rule: str, api_url: str = API_URL) -> Finding:
    with pytest.raises(FindingsError) as caught:
        build_frontend(workspace, api_url, discard)
    assert [finding.rule for finding in caught.value.findings] == [rule]
    return caught.value.findings[0]


def test_an_address_of_this_machine_in_the_source_is_found_in_the_built_file(tmp_path: Path) -> None:
    text = CALL + "fetch('http://localhost:8000/api/users');\n"
    finding = refused(project(tmp_path, "vite", {"src/main.js": text}), "bake.loopback-url")
    assert "http://localhost:8000/api/users" in finding.message
    assert finding.path.startswith(".shipper/frontend/")
    assert (tmp_path / finding.path).is_file()
    assert "web/src/main.js:2" in finding.why


def test_a_fallback_that_survives_the_build_is_refused_with_its_place(tmp_path: Path) -> None:
    text = CALL + "const socket = import.meta.env.VITE_SOCKET || 'ws://127.0.0.1:8001';\nnew WebSocket(socket);\n"
    finding = refused(project(tmp_path, "vite", {"src/main.js": text}), "bake.loopback-url")
    assert "web/src/main.js:2 falls back to it" in finding.why
    assert "VITE_SOCKET" in finding.fix


def test_a_fallback_that_the_build_removes_is_no_fault(tmp_path: Path) -> None:
    text = "const url = import.meta.env.VITE_API_URL || 'http://127.0.0.1:8000';\nfetch(`${url}/api/items`);\n"
    recorder = Recorder()
    build_frontend(project(tmp_path, "vite", {"src/main.js": text}), API_URL, recorder)
    assert any("falls back to http://127.0.0.1:8000" in note for note in recorder.texts("note"))


def test_what_a_vite_config_puts_in_its_place_is_named(tmp_path: Path) -> None:
    config = 'export default { define: { __SOCKET__: JSON.stringify("ws://127.0.0.1:8001") } };\n'
    changes = {"vite.config.js": config, "src/main.js": CALL + "new WebSocket(__SOCKET__);\n"}
    finding = refused(project(tmp_path, "vite", changes), "bake.loopback-url")
    assert "web/vite.config.js:1" in finding.why


def test_a_placeholder_of_a_library_is_no_address(tmp_path: Path) -> None:
    # As axios 1.7 has it.
    library = "const origin = (typeof window !== 'undefined' && window.location.href) || 'http://localhost';\n"
    text = library + CALL + "console.log(new URL('/x', origin));\n"
    build = build_frontend(project(tmp_path, "vite", {"src/main.js": text}), API_URL, discard)
    assert any(b"http://localhost" in (build.site / path).read_bytes() for path in build.immutable)


def test_a_bare_origin_that_somebody_calls_is_refused(tmp_path: Path) -> None:
    text = CALL + "const base = 'http://localhost';\nconsole.log(1);\nfetch(base + prompt('path'));\n"
    assert "web/src/main.js:2" in refused(project(tmp_path, "vite", {"src/main.js": text}), "bake.loopback-url").why


def test_the_targets_own_address_may_be_this_machine(tmp_path: Path) -> None:
    build = build_frontend(project(tmp_path, "vite"), "http://127.0.0.1:8080", discard)
    assert any(b"http://127.0.0.1:8080" in (build.site / path).read_bytes() for path in build.immutable)


@pytest.mark.parametrize(
    "text",
    [
        r'"http:\/\/127.0.0.1:8000\/x"',
        '"https%3A%2F%2Flocalhost%3A8000%2Fx"',
        '"//[::1]:3000/x"',
        '"ws://0.0.0.0:9/x"',
        '"http://localhost:" + port',
        r'"{\"url\":\"http:\\/\\/localhost\\/x\"}"',
    ],
)
def test_every_spelling_of_this_machine_is_found(tmp_path: Path, text: str) -> None:
    workspace = sources(tmp_path, "static", {"main.js": f"fetch({text});\n"})
    assert refused(workspace, "bake.loopback-url").line == 1


@pytest.mark.parametrize(
    ("text", "api_url"),
    [
        ("location.hostname === 'localhost'", API_URL),
        ("fetch('https://localhost.example.com/x')", API_URL),
        ("fetch('https://127.0.0.1.example.com/x')", API_URL),
        (r"fetch('http:\/\/127.0.0.1:8080\/api')", "http://127.0.0.1:8080"),
        ("fetch('http%3A%2F%2F127.0.0.1%3A8080/api')", "http://127.0.0.1:8080"),
    ],
)
def test_what_only_looks_like_this_machine_is_let_through(tmp_path: Path, text: str, api_url: str) -> None:
    assert build_frontend(sources(tmp_path, "static", {"main.js": text}), api_url, discard)


@pytest.mark.parametrize(
    ("backend", "fix"),
    [
        (Backend(app="main:app"), 'Leave the server out at web/main.js:1: a path such as "/api/..."'),
        (None, "Write the address that visitors can reach at web/main.js:1."),
    ],
    ids=["with a backend", "without one"],
)
def test_what_is_not_built_is_not_told_of_variables_of_a_build(
    tmp_path: Path, backend: Backend | None, fix: str
) -> None:
    workspace = sources(tmp_path, "static", {"main.js": "fetch('http://localhost:8000/api/x');\n"})
    workspace = replace(workspace, project=workspace.project.model_copy(update={"backend": backend}))
    finding = refused(workspace, "bake.loopback-url")
    assert finding.message.startswith("The site calls http://localhost:8000/api/x")
    assert finding.fix.startswith(fix)


def test_a_longer_address_does_not_pass_for_the_targets_own(tmp_path: Path) -> None:
    workspace = sources(tmp_path, "static", {"main.js": "fetch('http://127.0.0.1:80801/x');\n"})
    assert "80801" in refused(workspace, "bake.loopback-url", "http://127.0.0.1:8080").message


def test_an_undefined_variable_in_a_url_is_refused_with_the_place_that_reads_it(tmp_path: Path) -> None:
    text = CALL + "fetch(`${import.meta.env.VITE_FILES}/list`);\n"
    finding = refused(project(tmp_path, "vite", {"src/main.js": text}), "bake.undefined-in-url")
    assert "web/src/main.js:2 reads VITE_FILES" in finding.why


def test_source_maps_are_refused_unless_they_are_wanted(tmp_path: Path) -> None:
    config = {"vite.config.js": "export default { build: { sourcemap: true } };\n"}
    finding = refused(project(tmp_path / "no", "vite", config), "bake.source-map")
    assert finding.path.endswith(".js.map")
    assert build_frontend(project(tmp_path / "yes", "vite", config, source_maps=True), API_URL, discard)


def test_code_that_reaches_no_browser_does_not_prove_the_url(tmp_path: Path) -> None:
    finding = refused(
        project(tmp_path, "vite", {"src/main.js": "document.title = 'x';\n", "src/unused.js": CALL}),
        "bake.url-not-in-javascript",
    )
    assert "web/src/unused.js:1 reads VITE_API_URL" in finding.why


def test_a_relative_url_is_proved_by_the_source_that_reads_it(tmp_path: Path) -> None:
    assert build_frontend(project(tmp_path, "vite"), "/api", discard)


PAGE = "export default function Page() {\n  return %s;\n}\n"
SHOWN = PAGE % "<p>{process.env.NEXT_PUBLIC_API_URL}</p>"
HANDED_OVER = 'import Items from "./items";\n' + PAGE % "<Items url={process.env.NEXT_PUBLIC_API_URL} />"
ITEMS = '"use client";\n' + (PAGE % "<button onClick={() => fetch(`${url}/x`)}>x</button>").replace(
    "Page()", "Items({ url })"
)


def test_a_url_that_is_only_in_the_html_is_refused(tmp_path: Path) -> None:
    finding = refused(project(tmp_path, "next", {"app/page.jsx": SHOWN}), "bake.url-not-in-javascript")
    assert "only in the HTML (index.html)" in finding.message
    assert "web/app/page.jsx:2 reads NEXT_PUBLIC_API_URL" in finding.why


def test_a_url_that_a_server_component_hands_to_a_client_component_is_proved(tmp_path: Path) -> None:
    workspace = project(tmp_path, "next", {"app/page.jsx": HANDED_OVER, "app/items.jsx": ITEMS})
    assert build_frontend(workspace, API_URL, discard)
