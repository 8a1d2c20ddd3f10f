"""`shipper init` as people type it: without a terminal, at one, twice, in the wrong place, with wrong values."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from frontend_projects import write
from prepared import run_shipper
from repository_shapes import NGINX, UNIT, django, fastapi, next_app, vite

from shipper.config.load import load_project

SHOP = {**next_app("frontend/"), **django("backend/"), "nginx.conf": NGINX, "qms.service": UNIT}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "Quality Shop"
    write(root, SHOP)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def init(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_shipper(["init", *words], folder, os.environ, apart=True)


def at_a_terminal(folder: Path, answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Type `shipper init` at a terminal and answer each question when it is asked; return exit code and screen."""
    import pty

    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "shipper", "init"]
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "200"}
    running = subprocess.Popen(argv, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    screen, seen = "", 0
    waiting = list(answers)
    while True:
        if not select.select([ours], [], [], 60)[0]:
            running.kill()
            raise AssertionError(f"nothing more was said after:\n{screen}")
        try:
            screen += os.read(ours, 4096).decode("utf-8", "replace")
        except OSError:  # the terminal's other end was closed
            break
        if waiting and waiting[0][0] in screen[seen:]:
            seen = len(screen)
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    os.close(ours)
    assert not waiting, f"never asked: {waiting[0][0]}\n{screen}"
    return running.wait(timeout=60), screen


def test_it_writes_what_was_found_and_says_where_and_what_to_type_next(shop: Path) -> None:
    done = init(shop, "--yes")
    assert done.returncode == 0, done.stderr
    project = load_project(shop / "ship.toml")
    assert project.name == "quality-shop"
    assert project.targets == {}
    for words in (
        "Next.js in frontend/ (npm)   frontend/package.json:",
        "calls the API at NEXT_PUBLIC_API_URL   frontend/app/page.tsx:1",
        "Django in backend/, under systemd   backend/manage.py",
        "health /api/health   backend/core/urls.py:2",
        "quality.co.kr   nginx.conf:5",
        "git add --all ",
        "git commit ",
        "sandbox.up",
        "env.push --to sandbox",
        "SECRET_KEY",
        "ship --to sandbox",
    ):
        assert words in done.stdout, words
    assert "&&" not in done.stdout, "PowerShell 5 has none"


def test_with_a_server_the_target_is_there_and_the_way_to_it_is_said(shop: Path) -> None:
    done = init(shop, "--yes", "--host", "203.0.113.7", "--domain", "shop.example.kr", "--key", "~/.ssh/a.pem")
    assert done.returncode == 0, done.stderr
    target = load_project(shop / "ship.toml").targets["production"]
    assert (target.host, target.user, target.key) == ("203.0.113.7", "ubuntu", "~/.ssh/a.pem")
    assert target.public_url == "https://shop.example.kr", "the team's nginx has certificates"
    assert "host.trust --to production" in done.stdout


def test_done_twice_changes_nothing_and_says_what_to_type(shop: Path) -> None:
    init(shop, "--yes")
    before = (shop / "ship.toml").read_bytes()
    again = init(shop, "--yes", "--name", "other")
    assert again.returncode == 2
    assert "never overwritten" in again.stderr
    assert "shipper plan" in again.stderr
    assert (shop / "ship.toml").read_bytes() == before
    below = init(shop / "frontend", "--yes")
    assert below.returncode == 2, "nor is a second one written into a folder of the same project"


def test_print_shows_the_file_and_writes_nothing(shop: Path) -> None:
    shown = init(shop, "--print")
    assert shown.returncode == 0, shown.stderr
    assert sorted(path.name for path in shop.iterdir() if path.is_file()) == ["nginx.conf", "qms.service"]
    init(shop, "--yes")
    assert shown.stdout == (shop / "ship.toml").read_text(encoding="utf-8")
    assert init(shop, "--print").stdout == shown.stdout, "also beside one that is there"


def test_tasks_py_is_written_for_inv_and_left_alone_where_there_is_one(shop: Path, tmp_path: Path) -> None:
    init(shop, "--yes")
    listed = subprocess.run([sys.executable, "-m", "invoke", "--list"], cwd=shop, capture_output=True, encoding="utf-8")
    assert "sandbox.up" in listed.stdout, listed.stderr
    other = tmp_path / "other"
    write(other, {**vite(""), "tasks.py": "# Celery's\n"})
    assert init(other, "--yes").returncode == 0
    assert (other / "tasks.py").read_text(encoding="utf-8") == "# Celery's\n"
    third = tmp_path / "third"
    write(third, vite(""))
    assert init(third, "--yes", "--no-tasks").returncode == 0
    assert not (third / "tasks.py").exists()


def test_without_a_terminal_and_without_yes_nothing_is_written(shop: Path) -> None:
    done = init(shop)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert "Django in backend/" in done.stdout, "what would be written is shown all the same"
    assert not (shop / "ship.toml").exists()


def test_a_folder_without_git_is_told_to_have_it(tmp_path: Path) -> None:
    write(tmp_path, {**vite("web/"), **fastapi("api/")})
    done = init(tmp_path, "--yes")
    assert done.returncode == 0, done.stderr
    assert "git init" in done.stdout


def test_a_folder_of_a_repository_is_a_project_of_its_own_and_the_rest_is_named(shop: Path) -> None:
    done = init(shop / "frontend", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"go to {shop}" in done.stdout
    project = load_project(shop / "frontend" / "ship.toml")
    assert project.frontend is not None
    assert (project.frontend.path, project.backend) == (".", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--name", "Shop!"), "--name cannot be 'Shop!'"),
        (("--name", "root"), "--name cannot be 'root'"),
        (("--host", "http://x.kr/"), "--host cannot be 'http://x.kr/'"),
        (("--user", "Kim Lee"), "--user cannot be 'Kim Lee'"),
        (("--domain", "한글"), "--domain cannot be '한글'"),
        (("--runtime", "docker"), "--runtime compose"),
        (("--frontend", "nowhere"), "frontend (Next.js)"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(shop: Path, words: tuple[str, ...], said: str) -> None:
    done = init(shop, "--yes", *words)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert not (shop / "ship.toml").exists()


def test_an_empty_folder_is_answered_with_what_is_known(tmp_path: Path) -> None:
    done = init(tmp_path, "--yes")
    assert done.returncode == 2
    assert "Nothing was found here that can be shipped" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    write(tmp_path, vite(""))
    # A link to nowhere is not there for `exists`, and cannot be made anew either.
    (tmp_path / "ship.toml").symlink_to(tmp_path / "gone" / "ship.toml")
    done = init(tmp_path, "--yes")
    assert done.returncode == 2
    assert "is there already" in done.stderr


def test_at_a_terminal_only_what_nobody_could_know_is_asked(tmp_path: Path) -> None:
    write(tmp_path / "shop", {**SHOP, **vite("admin/")})
    code, screen = at_a_terminal(
        tmp_path / "shop",
        [
            ("Which frontend", "frontend"),
            ("Name of the app", ""),
            ("Server, a name or an address", "203.0.113.7"),
            ("Who logs in there", ""),
            ("Name that visitors type", ""),
            ("Write ship.toml?", "y"),
        ],
    )
    assert code == 0, screen
    project = load_project(tmp_path / "shop" / "ship.toml")
    target = project.targets["production"]
    assert (project.name, target.host, target.user, target.domain) == ("shop", "203.0.113.7", "ubuntu", "quality.co.kr")


def test_at_a_terminal_a_no_writes_nothing_and_a_slip_is_told(tmp_path: Path) -> None:
    write(tmp_path, vite(""))
    code, _ = at_a_terminal(tmp_path, [("Name of the app", "shop"), ("Server", ""), ("Write ship.toml?", "n")])
    assert code == 0
    assert not (tmp_path / "ship.toml").exists()
    code, screen = at_a_terminal(
        tmp_path, [("Name of the app", "shop"), ("Server", "my server"), ("Who", ""), ("visitors", "")]
    )
    assert code == 2
    assert "--host cannot be 'my server'" in screen
