"""What `inv init` writes for repositories of many shapes: read by the loader of ship.toml, key by key."""

from __future__ import annotations

import functools
import re
import string
from pathlib import Path
from typing import Any

import pytest
from frontend_projects import write
from hypothesis import given, settings
from hypothesis import strategies as st
from repository_shapes import SHAPES, Shape, fastapi, next_app, package, vite

from shipper.config.load import parse_project
from shipper.config.project import Project
from shipper.config.types import AppName
from shipper.detect.proposal import Proposal, Wishes, app_name, propose
from shipper.detect.survey import survey
from shipper.errors import ConfigError
from shipper.render.ship_toml import render_ship_toml


def proposed(root: Path, files: dict[str, str], **wishes: str) -> tuple[Project, Proposal, str]:
    write(root, files)
    proposal = propose(survey(root), Wishes(**wishes))
    text = render_ship_toml(proposal)
    return parse_project(text, "ship.toml"), proposal, text


def value_at(project: Project, key: str) -> Any:
    def step(value: Any, name: str) -> Any:
        found = re.fullmatch(r"(\w+)\[(\d+)\]", name)
        if found:
            return getattr(value, found[1])[int(found[2])]
        return value[name] if isinstance(value, dict) else getattr(value, name)

    return functools.reduce(step, key.split("."), project)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_repository_becomes_a_ship_toml_that_fits(tmp_path: Path, shape: Shape) -> None:
    project, proposal, text = proposed(tmp_path, shape.files, **shape.wishes)
    assert {key: value_at(project, key) for key in shape.says} == shape.says
    told = "\n".join(f"{one.where} {one.what} {one.fix}" for one in proposal.problems)
    assert [words for words in shape.told if words not in told] == []
    if not shape.told:
        assert told == "", "what is in order is not warned about"
    for problem in proposal.problems:
        assert problem.where in text, "the file says it, too"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_every_place_that_is_named_is_there(tmp_path: Path, shape: Shape) -> None:
    _, _, text = proposed(tmp_path, shape.files, **shape.wishes)
    places = re.findall(r"([\w./가-힣-]+\.(?:json|py|toml|ya?ml|conf|service|mjs|tsx?|js|html|ini)):(\d+)", text)
    for path, line in places:
        if path in shape.files:
            assert 1 <= int(line) <= len(shape.files[path].splitlines()), f"{path}:{line}"


def test_without_a_server_the_practice_server_is_meant_and_the_table_is_there_to_fill_in(tmp_path: Path) -> None:
    project, _, text = proposed(tmp_path, vite(""))
    assert project.targets == {}
    table = text[text.index("# [targets.production]") :]
    uncommented = "\n".join(line.removeprefix("# ") for line in table.splitlines())
    assert parse_project(text + uncommented, "ship.toml").targets["production"].host == "203.0.113.10"


def test_two_frontends_are_not_guessed_between(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Which frontend") as caught:
        proposed(tmp_path, {**next_app("shop/"), **vite("admin/")})
    assert caught.value.exit_code == 2
    assert "admin  (Vite)" in caught.value.why and "shop  (Next.js)" in caught.value.why
    assert "--frontend admin" in caught.value.fix


def test_two_backends_are_not_guessed_between(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Which backend") as caught:
        proposed(tmp_path, {**fastapi("one/"), **fastapi("two/")})
    assert "--backend one" in caught.value.fix


@pytest.mark.parametrize(
    ("wishes", "said"),
    [({"frontend": "nowhere"}, "web (Vite)"), ({"backend": "nowhere"}, "api (FastAPI)")],
)
def test_a_folder_that_is_none_is_answered_with_those_that_are(
    tmp_path: Path, wishes: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match="was found in nowhere") as caught:
        proposed(tmp_path, {**vite("web/"), **fastapi("api/")}, **wishes)
    assert said in caught.value.why


def test_a_folder_may_be_named_as_a_shell_completes_it(tmp_path: Path) -> None:
    files = {**vite("web/"), **next_app("shop/")}
    assert proposed(tmp_path, files, frontend="./web/")[0].frontend is not None
    assert proposed(tmp_path, files, frontend="web\\")[0].frontend is not None


def test_either_half_can_be_left_out(tmp_path: Path) -> None:
    files = {**vite("web/"), **fastapi("api/")}
    assert proposed(tmp_path, files, frontend="none")[0].frontend is None
    assert proposed(tmp_path, files, backend="none")[0].backend is None


@pytest.mark.parametrize("files", [{}, {"notes.txt": "x"}, {"package.json": '{"dependencies": {"lodash": "4"}}'}])
def test_where_there_is_nothing_to_ship_what_is_known_is_said(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Nothing was found here") as caught:
        proposed(tmp_path, files)
    assert f"Looked at {len(files)} file" in caught.value.why
    assert "Django" in caught.value.fix


def test_a_node_backend_alone_is_told_what_it_needs(tmp_path: Path) -> None:
    files = {"package.json": '{\n  "dependencies": {"fastify": "5"}\n}', "Dockerfile": "FROM node\nEXPOSE 8080\n"}
    with pytest.raises(ConfigError, match="Fastify was found here, but not how it is run") as caught:
        proposed(tmp_path, files)
    assert "Fastify runs in a container" in caught.value.why
    assert "Write this into compose.yaml" in caught.value.fix
    sample = caught.value.fix.split("\n\n", 1)[1]
    project, _, _ = proposed(tmp_path, {"compose.yaml": sample})
    assert project.backend is not None
    assert (project.backend.service, project.backend.port) == ("api", 8080)


def test_a_dockerfile_alone_is_found_and_told_what_it_needs(tmp_path: Path) -> None:
    files = {"main.go": "package main\n", "Dockerfile": "FROM scratch\nEXPOSE 9090\n"}
    with pytest.raises(ConfigError, match="Dockerfile was found here, but not how it is run") as caught:
        proposed(tmp_path, files)
    assert "Write this into compose.yaml" in caught.value.fix
    sample = caught.value.fix.split("\n\n", 1)[1]
    project, proposal, _ = proposed(tmp_path, {"compose.yaml": sample})
    assert project.backend is not None
    assert (project.backend.runtime, project.backend.service, project.backend.port) == ("compose", "api", 9090)
    assert proposal.problems == ()
    with pytest.raises(ConfigError, match="A Dockerfile does not run under systemd"):
        proposed(tmp_path, {}, runtime="systemd")


def test_a_service_of_any_language_is_the_backend_beside_a_frontend(tmp_path: Path) -> None:
    services = {"core": 7000, "web": 80}
    compose = "services:\n" + "".join(
        f"  {name}:\n    build: ./{name}\n    ports: ['{port}:{port}']\n" for name, port in services.items()
    )
    files = {
        **vite("web/"),
        "web/Dockerfile": "FROM nginx\n",
        "core/Dockerfile": "FROM rust\n",
        "compose.yaml": compose,
    }
    project, proposal, _ = proposed(tmp_path, files)
    assert project.frontend is not None and project.frontend.path == "web"
    assert project.backend is not None and (project.backend.service, project.backend.port) == ("core", 7000)
    assert proposal.left_out == (), "the frontend's own container is no backend"


def test_the_dockerfile_of_a_frontend_is_no_backend(tmp_path: Path) -> None:
    _, proposal, _ = proposed(tmp_path, {**vite("web/"), "web/Dockerfile": "FROM nginx\n"})
    assert (proposal.backend, proposal.problems) == (None, ())


LIBRARY = {f"packages/ui/{path}": text for path, text in package("vite", scripts={"build": "vite build"}).items()}


def test_a_package_that_vite_builds_without_a_page_does_not_vanish(tmp_path: Path) -> None:
    _, proposal, _ = proposed(tmp_path, {**LIBRARY, **fastapi("api/")})
    (problem,) = proposal.problems
    assert problem.where.startswith("packages/ui/package.json:")
    assert "no index.html" in problem.what
    assert "packages/ui/index.html" in problem.fix


def test_such_a_package_alone_is_named_where_nothing_was_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Nothing was found") as caught:
        proposed(tmp_path, LIBRARY)
    assert "no index.html" in caught.value.why
    assert "packages/ui/index.html" in caught.value.fix


def test_beside_a_site_such_a_package_is_left_out_and_said_so(tmp_path: Path) -> None:
    _, proposal, _ = proposed(tmp_path, {**LIBRARY, **vite("web/")})
    assert proposal.problems == ()
    assert [left for left in proposal.left_out if "packages/ui" in left and "no index.html" in left]


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        ("./pgdata:/var/lib/postgresql/data", '"db-data:/var/lib/postgresql/data"'),
        ("{type: bind, source: ./pgdata, target: /var/lib/postgresql/data}", '"db-data:/var/lib/postgresql/data"'),
        (
            "./init.sql:/docker-entrypoint-initdb.d/init.sql:ro",
            "/docker-entrypoint-initdb.d/init.sql belongs in an image",
        ),
        ("pgdata:/var/lib/postgresql/data", ""),
    ],
    ids=["short", "long", "a file", "a volume"],
)
def test_a_database_in_a_folder_of_this_machine_is_told_before_the_first_ship(
    tmp_path: Path, entry: str, fix: str
) -> None:
    compose = (
        "services:\n  api:\n    build: api\n    ports: ['8000:8000']\n"
        f"  db:\n    image: postgres:16\n    volumes:\n      - {entry}\nvolumes: {{pgdata: }}\n"
    )
    _, proposal, text = proposed(tmp_path, {**fastapi("api/"), "api/Dockerfile": "FROM x\n", "compose.yaml": compose})
    assert [problem.where for problem in proposal.problems] == (["compose.yaml:8"] if fix else [])
    assert all(fix in problem.fix and problem.where in text for problem in proposal.problems)
    _, proposal, _ = proposed(tmp_path, {}, runtime="systemd")
    assert [problem for problem in proposal.problems if "compose" in problem.where] == [], "it is not used then"


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe" + '{"name": "x"}'.encode("utf-16-le"), b"\xb0\xa1\xb3\xaa = 1\n", b"\x00\x01\x02", b"\xef\xbb\xbf{}"],
    ids=["UTF-16", "EUC-KR", "binary", "byte order mark"],
)
@pytest.mark.parametrize(
    "name", ["package.json", "pyproject.toml", "main.py", "compose.yaml", ".env.example", "site.conf"]
)
def test_files_in_other_encodings_stop_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    write(tmp_path, vite("web/"))
    (tmp_path / name).write_bytes(content)
    project = parse_project(render_ship_toml(propose(survey(tmp_path), Wishes())), "ship.toml")
    assert project.frontend is not None


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.sampled_from(
        sorted(
            {
                "package.json",
                "app.py",
                "urls.py",
                "compose.yaml",
                "x.conf",
                "x.service",
                ".env.example",
                "next.config.mjs",
                "pyproject.toml",
            }
        )
    ),
)
def test_whatever_stands_in_a_file_the_written_one_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    root = tmp_path_factory.mktemp("any")
    write(root, {**vite("web/"), **fastapi("api/")})
    (root / "api" / name).write_bytes(text.encode("utf-8"))
    parse_project(render_ship_toml(propose(survey(root), Wishes(frontend="web", backend="api"))), "ship.toml")


_FOLDER = st.text(
    st.sampled_from(string.ascii_letters + string.digits + " -_.#'\"=[]{}가나다é\t"), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(_FOLDER.filter(lambda name: name.strip(". ") == name and name))
def test_whatever_a_folder_is_called_the_written_file_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.mktemp("any")
    write(root / name, vite(""))
    project = parse_project(render_ship_toml(propose(survey(root), Wishes())), "ship.toml")
    assert project.frontend is not None
    assert project.frontend.path == name


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_every_folders_name_gives_a_name_that_is_allowed(text: str) -> None:
    assert re.fullmatch(AppName.__metadata__[0].pattern, app_name(text))


def test_a_large_repository_is_read_in_bounds(tmp_path: Path) -> None:
    # A file of 3 MB that would name a second frontend behind the part that is read, and folders that are never entered.
    write(tmp_path, vite("web/"))
    (tmp_path / "big").mkdir()
    (tmp_path / "big/package.json").write_text('{"x": "' + "x" * 3_000_000 + '", "dependencies": {"next": "1"}}')
    for number in range(300):
        write(tmp_path / "web/node_modules" / f"package-{number}", {"package.json": '{"dependencies": {"next": "1"}}'})
    found = survey(tmp_path)
    assert [one.path for one in found.frontends] == ["web"]
    assert len(found.repository.files) < 10
