"""The backend's build with real git and real uv: which code is shipped, and the dependency tree for the server."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path

import pytest
import uv

from shipper.build.backend import BackendBuild, Python, build_backend, python_platform
from shipper.config.backend import Backend
from shipper.config.frontend import Frontend
from shipper.config.project import Project, Workspace
from shipper.errors import BuildError, ConfigError, HostError
from shipper.events import Event

SERVER = Python("3.11", "x86_64-manylinux_2_36")
GIT_CONFIG = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=false")


def git(folder: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *GIT_CONFIG, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def workspace_in(root: Path, files: dict[str, str], requirements: str | None = None) -> Workspace:
    """Return a workspace whose git repository tracks `files`."""
    root.mkdir(parents=True, exist_ok=True)
    write(root, files)
    git(root, "init", "--quiet")
    git(root, "add", "--force", "--all")
    backend = Backend(path="backend", app="app:app", requirements=requirements)
    return Workspace(root=root, project=Project(name="shop", backend=backend))


def build(workspace: Workspace, python: Python = SERVER) -> tuple[BackendBuild, list[Event]]:
    events: list[Event] = []
    return build_backend(workspace, python, events.append), events


def notes(events: list[Event]) -> str:
    return "\n".join(event.text for event in events if event.kind == "note")


def error_of(workspace: Workspace, python: Python = SERVER) -> str:
    with pytest.raises(BuildError) as caught:
        build(workspace, python)
    assert caught.value.fix
    store = workspace.cache / "dependencies"
    assert not store.exists() or list(store.iterdir()) == []
    return str(caught.value)


def tree_of(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_shipped_code_is_what_git_tracks_as_it_is_in_the_work_tree(tmp_path: Path) -> None:
    tracked = [
        "app.py",
        "gone.py",
        "manage.py",
        "이름 with space.txt",
        ".env",
        ".env.production",
        "db.sqlite3",
        "m.pyc",
    ]
    workspace = workspace_in(
        tmp_path, {**{f"backend/{name}": "x = 1\n" for name in tracked}, "other/app.py": "x = 1\n"}
    )
    git(tmp_path, "update-index", "--chmod=+x", "backend/manage.py")
    write(tmp_path, {".gitignore": "*.log\n", "backend/new.py": "", "backend/a.log": "", "backend/app.py": "x = 2\n"})
    (tmp_path / "backend/gone.py").unlink()
    result, events = build(workspace)
    assert result.code == tmp_path / "backend"
    assert result.code_files == ("app.py", "manage.py", "이름 with space.txt")
    assert result.executable == {"manage.py"}
    assert result.dependencies is None
    assert "Not shipped, because not in git: new.py." in notes(events)
    assert ".env, .env.production, db.sqlite3, m.pyc" in notes(events)
    assert [event.kind for event in events][0 :: len(events) - 1] == ["start", "done"]
    assert {event.step for event in events} == {"build.backend"}


def test_git_of_a_running_hook_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_in(tmp_path / "other", {"backend/wrong.py": ""})
    workspace = workspace_in(tmp_path / "shop", {"backend/right.py": ""})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert build(workspace)[0].code_files == ("right.py",)


def test_folder_without_git_is_shipped_but_for_secrets_and_caches(tmp_path: Path) -> None:
    names = [
        "app.py",
        "pkg/a.py",
        ".env",
        "key.pem",
        "venv/lib.py",
        "__pycache__/app.pyc",
        ".mypy_cache/x",
        "db.sqlite3",
    ]
    write(tmp_path, {f"backend/{name}": "" for name in names})
    workspace = Workspace(tmp_path, Project(name="shop", backend=Backend(app="app:app")))
    result, events = build(workspace)
    assert result.code_files == ("app.py", "pkg/a.py")
    assert "no git repository" in notes(events)


def test_backend_at_the_top_leaves_the_frontend_out(tmp_path: Path) -> None:
    workspace_in(tmp_path, {"app.py": "", "frontend/package.json": "{}", ".shipper/cache": ""})
    project = Project(name="shop", frontend=Frontend(preset="next"), backend=Backend(path=".", app="app:app"))
    assert build(Workspace(tmp_path, project))[0].code_files == ("app.py",)


def test_submodule_and_link_to_outside_and_empty_folder_are_refused(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path / "a", {"backend/app.py": ""})
    inner = workspace_in(tmp_path / "a" / "backend" / "library", {"x.py": ""}).root
    git(inner, "commit", "--quiet", "--message", "first")
    git(workspace.root, "add", "backend/library")
    assert "library is a git submodule" in error_of(workspace)

    workspace = workspace_in(tmp_path / "b", {"backend/app.py": "", "secret": ""})
    (workspace.root / "backend" / "link").symlink_to("../secret")
    git(workspace.root, "add", "--all")
    assert "backend/link is a link to something outside" in error_of(workspace)

    workspace = workspace_in(tmp_path / "c", {"README.md": ""})
    write(workspace.root, {"backend/app.py": ""})
    assert "git add backend" in error_of(workspace)


def test_backend_that_is_not_there_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="backend/ is not there"):
        build(Workspace(tmp_path, Project(name="shop", backend=Backend(app="app:app"))))
    with pytest.raises(ConfigError, match=r"no \[backend\]"):
        build(Workspace(tmp_path, Project(name="shop", frontend=Frontend(preset="static"))))


PINNED = "markupsafe==3.0.2\nuvicorn==0.30.0\nclick==8.1.7\nh11==0.14.0\n"


def test_two_builds_in_different_folders_are_equal_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"backend/app.py": "", "backend/requirements.txt": PINNED}
    first, events = build(workspace_in(tmp_path / "one", files))
    # As on another machine: nothing is downloaded yet.
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty cache"))
    second, _ = build(workspace_in(tmp_path / "somewhere" / "else", files))
    assert first.dependencies and second.dependencies
    tree = tree_of(first.dependencies)
    assert tree == tree_of(second.dependencies)
    assert first.fingerprint == second.fingerprint == first.dependencies.name
    assert not any(str(tmp_path).encode() in content for content in tree.values())
    assert not any(path.startswith("bin/") for path in tree)
    assert {d.metadata["Name"].lower() for d in distributions(path=[str(first.dependencies)])} == {
        "markupsafe",
        "uvicorn",
        "click",
        "h11",
    }
    for distribution in distributions(path=[str(first.dependencies)]):
        assert all(path.locate().exists() for path in distribution.files or ())
    assert any("uvicorn==0.30.0" in event.text for event in events if event.kind == "output")
    assert "does not pin" not in notes(events)


def test_wheels_are_those_of_the_server_not_of_this_machine(tmp_path: Path) -> None:
    files = {"backend/app.py": "", "backend/requirements.txt": "markupsafe==3.0.2\n"}
    result, _ = build(workspace_in(tmp_path, files), Python("3.12", "aarch64-manylinux_2_28"))
    assert result.dependencies
    assert [file.name for file in result.dependencies.glob("markupsafe/*.so")] == [
        "_speedups.cpython-312-aarch64-linux-gnu.so"
    ]


def test_tree_is_built_again_only_when_something_it_is_made_from_changes(tmp_path: Path) -> None:
    files = {
        "backend/app.py": "",
        "backend/requirements.txt": "-r requirements/base.txt\n",
        "backend/requirements/base.txt": "six==1.16.0\n-c limits.txt\n",
        "backend/requirements/limits.txt": "idna<4\n",
    }
    workspace = workspace_in(tmp_path, files)
    first, _ = build(workspace)
    again, events = build(workspace)
    assert (first.cached, again.cached) == (False, True)
    assert again.fingerprint == first.fingerprint
    assert [event.kind for event in events] == ["start", "done"]
    fingerprints = {first.fingerprint}
    for limit in ("<4.1", "<4.2", "<4.3"):
        write(workspace.root, {"backend/requirements/limits.txt": f"idna{limit}\n"})
        fingerprints.add(build(workspace)[0].fingerprint)
    fingerprints.add(build(workspace, Python("3.12", SERVER.platform))[0].fingerprint)
    assert len(fingerprints) == 5
    kept = {folder.name for folder in (workspace.cache / "dependencies").iterdir()}
    assert len(kept) == 3
    assert first.fingerprint not in kept
    assert (workspace.cache / ".gitignore").read_text() == "*\n"


def test_unpinned_requirements_are_noted(tmp_path: Path) -> None:
    files = {"backend/app.py": "", "backend/requirements.txt": "six>=1.16  # any\nidna==3.7\n"}
    _, events = build(workspace_in(tmp_path, files))
    assert "requirements.txt does not pin six:" in notes(events)


LOCKED_PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.9"
dependencies = ["six==1.16.0"]
[dependency-groups]
dev = ["idna==3.7"]
"""


def test_lock_file_goes_before_the_others_and_development_packages_stay_here(tmp_path: Path) -> None:
    files = {
        "backend/app.py": "",
        "backend/pyproject.toml": LOCKED_PROJECT,
        "backend/requirements.txt": "click==8.1.7\n",
    }
    workspace = workspace_in(tmp_path, files)
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet"], cwd=tmp_path / "backend", check=True)
    git(tmp_path, "add", "--all")
    result, _ = build(workspace)
    assert result.dependencies
    assert {file.name for file in result.dependencies.iterdir()} == {"six.py", "six-1.16.0.dist-info"}


def test_pyproject_with_standard_dependencies_is_enough(tmp_path: Path) -> None:
    result, _ = build(workspace_in(tmp_path, {"backend/app.py": "", "backend/pyproject.toml": LOCKED_PROJECT}))
    assert result.dependencies
    assert (result.dependencies / "six.py").is_file()
    assert not (result.dependencies / "idna").exists()


def test_a_package_that_the_index_does_not_know_is_named(tmp_path: Path) -> None:
    # An index of its own: one far away may be slow, or away, at any time.
    (tmp_path / "index").mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        address = f"--index-url http://127.0.0.1:{index.server_port}/simple"
        files = {"backend/app.py": "", "backend/requirements.txt": f"{address}\nno-such-package==1\n"}
        message = error_of(workspace_in(tmp_path / "project", files))
        index.shutdown()
    assert "knows no package 'no-such-package'" in message


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        ("psycopg2==2.9.9", ["no ready-made package of 'psycopg2'", "Python 3.11 on x86_64-manylinux_2_36", "-binary"]),
        ("click==8.1.7\nclick==8.1.6", ["no set of versions fits", "click==8.1.6"]),
        ("click==999.1", ["no set of versions fits", "click==999.1"]),
        ("-e .", ["editable", "wheel"]),
        ("./library", ["a path on this machine"]),
        ("library @ file:///home/me/library", ["'library'", "a path on this machine"]),
        ("library @ git+https://token:hunter2@example.com/library.git", ["'library' is a repository"]),
        ("git+https://token:hunter2@example.com/library.git", ["a repository"]),
        ("-e git+https://token:hunter2@example.com/library.git", ["editable"]),
        ("-r missing.txt", ["missing.txt cannot be read"]),
        ("six =!= 1", ["could not be fetched", "six =!= 1"]),
    ],
)
def test_requirement_that_cannot_be_shipped_is_explained(tmp_path: Path, requirements: str, words: list[str]) -> None:
    files = {"backend/app.py": "", "backend/requirements.txt": f"{requirements}\n"}
    message = error_of(workspace_in(tmp_path, files))
    assert [word for word in words if word not in message] == []
    assert "hunter2" not in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ('[tool.poetry]\nname = "shop"\n', "does not list its dependencies"),
        ('[project]\nname = "shop"\ndynamic = ["dependencies"]\n', "does not list its dependencies"),
        (LOCKED_PROJECT + '[tool.uv.sources]\nsix = { path = "../six" }\n', "'six' is a repository or a path"),
    ],
)
def test_project_file_that_cannot_be_shipped_is_explained(tmp_path: Path, project: str, words: str) -> None:
    assert words in error_of(workspace_in(tmp_path, {"backend/app.py": "", "backend/pyproject.toml": project}))


def test_configured_requirement_file_must_be_there(tmp_path: Path) -> None:
    files = {"backend/app.py": "", "backend/requirements/production.txt": "six==1.16.0\n"}
    workspace = workspace_in(tmp_path / "a", files, requirements="requirements/production.txt")
    assert build(workspace)[0].dependencies
    workspace = workspace_in(tmp_path / "b", files, requirements="requirements/live.txt")
    assert "requirements/live.txt is not in backend/" in error_of(workspace)


@pytest.mark.parametrize(
    ("facts", "platform"),
    [
        (("x86_64", "glibc", "2.36"), "x86_64-manylinux_2_36"),
        (("aarch64", "glibc", "2.34"), "aarch64-manylinux_2_34"),
        (("amd64", "glibc", "2.43"), "x86_64-manylinux_2_40"),
        (("x86_64", "glibc", "2.26"), "x86_64-manylinux_2_17"),
        (("arm64", "musl", "1.2.5"), "aarch64-unknown-linux-musl"),
    ],
)
def test_platform_is_the_newest_that_the_server_can_run(facts: tuple[str, str, str], platform: str) -> None:
    assert python_platform(*facts) == platform


@pytest.mark.parametrize("facts", [("armv7l", "glibc", "2.36"), ("x86_64", "glibc", "2.12"), ("x86_64", "musl", "1.1")])
def test_server_without_wheels_is_refused(facts: tuple[str, str, str]) -> None:
    with pytest.raises(HostError, match=facts[0]):
        python_platform(*facts)
