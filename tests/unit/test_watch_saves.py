"""What counts as a save: real files in a real repository, saved as editors and git do it, seen both ways."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import pytest

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.watch.files import Contents, changed_paths, may_count, read_contents
from shipper.watch.places import Place, places_of
from shipper.watch.saves import Saves

PATIENCE_SECONDS = 20


class Desk:
    """Somebody's repository, and shipper listening to it."""

    def __init__(self, root: Path, polling: bool) -> None:
        self.root = root
        self.workspace = Workspace(root, parse_project('name = "shop"\n[frontend]\npreset = "vite"\n', "ship.toml"))
        self.write(".gitignore", "ignored/\n*.log\n.shipper/\n")
        self.write("frontend/src/app.js", "one")
        self.write("frontend/src/deep/er/part.js", "one")
        self.write("frontend/node_modules/pack/index.js", "one")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()
        self.wake = threading.Event()
        self.saves = Saves(root, polling=polling, wake=self.wake)
        self.contents: Contents = {}

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
        subprocess.run(["git", *who, *words], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "work")

    def changes(self, *wanted: str) -> list[str]:
        """Wait until these paths were seen to have changed; return all that have since the last time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        found: set[str] = set()
        while not found.issuperset(wanted) and time.monotonic() < deadline:
            self.wake.wait(0.1)
            self.wake.clear()
            if self.saves.settled:
                self.saves.take()
                contents = read_contents(self.workspace)
                found.update(changed_paths(self.contents, contents))
                self.contents = contents
        return sorted(found)


@pytest.fixture(params=[False, True], ids=["listening", "polling"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param)
    with made.saves:
        made.contents = read_contents(made.workspace)
        yield made


def replace_as_editors_do(desk: Desk) -> None:
    desk.write("frontend/src/.app.js.swp", "vim")
    desk.write("frontend/src/app.js~", "two")
    os.replace(desk.root / "frontend/src/app.js~", desk.root / "frontend/src/app.js")
    (desk.root / "frontend/src/.app.js.swp").unlink()


def rename_the_old_away(desk: Desk) -> None:
    os.rename(desk.root / "frontend/src/app.js", desk.root / "frontend/src/app.js~")
    desk.write("frontend/src/app.js", "two")


SAVES: dict[str, tuple[Callable[[Desk], object], list[str]]] = {
    "written in place": (lambda desk: desk.write("frontend/src/app.js", "two"), ["frontend/src/app.js"]),
    "renamed into place": (replace_as_editors_do, ["frontend/src/app.js"]),
    "the old one renamed away": (rename_the_old_away, ["frontend/src/app.js"]),
    "a new file": (lambda desk: desk.write("new.txt", "new"), ["new.txt"]),
    "a new folder in a new folder": (lambda desk: desk.write("a/b/c.txt", "new"), ["a/b/c.txt"]),
    "a new folder beside an ignored one": (lambda desk: desk.write("frontend/x/y.js", "n"), ["frontend/x/y.js"]),
    "deleted": (lambda desk: (desk.root / "frontend/src/app.js").unlink(), ["frontend/src/app.js"]),
    "a deleted folder": (
        lambda desk: shutil.rmtree(desk.root / "frontend/src/deep"),
        ["frontend/src/deep/er/part.js"],
    ),
    "a moved folder": (
        lambda desk: os.rename(desk.root / "frontend/src/deep", desk.root / "frontend/moved"),
        ["frontend/moved/er/part.js", "frontend/src/deep/er/part.js"],
    ),
    "a folder moved in from outside": (
        lambda desk: shutil.move(desk.root / "ignored/part", desk.root / "part"),
        ["part/one.txt"],
    ),
}


@pytest.mark.parametrize(("save", "paths"), SAVES.values(), ids=SAVES.keys())
def test_a_save_is_seen_as_what_it_changed(desk: Desk, save: Callable[[Desk], object], paths: list[str]) -> None:
    desk.write("ignored/part/one.txt", "one")
    save(desk)
    assert desk.changes(*paths) == paths


def test_a_checkout_of_many_files_is_seen_whole_and_so_is_what_comes_after_it_in_the_same_folders(desk: Desk) -> None:
    desk.git("checkout", "--quiet", "-b", "other")
    names = [f"frontend/src/page{number}.js" for number in range(150)]
    for name in names:
        desk.write(name, "page")
    desk.commit()
    assert desk.changes(*names) == sorted(names)
    desk.git("checkout", "--quiet", "main")
    assert desk.changes(*names) == sorted(names)
    shutil.rmtree(desk.root / "frontend/src")
    assert "frontend/src/app.js" in desk.changes("frontend/src/app.js")
    desk.git("checkout", "--", "frontend/src")
    assert "frontend/src/app.js" in desk.changes("frontend/src/app.js")
    desk.write("frontend/src/app.js", "two")
    assert desk.changes("frontend/src/app.js") == ["frontend/src/app.js"]


def test_what_does_not_count_changes_nothing(desk: Desk) -> None:
    for path in (
        "ignored/x/y.txt",
        "a.log",
        "frontend/src/app.js.tmp.123",
        "frontend/dist/index.html",
        ".git/x",
        "4913",
    ):
        desk.write(path, "noise")
    desk.write("frontend/node_modules/pack/index.js", "two")
    os.utime(desk.root / "frontend/src/app.js")
    desk.write("frontend/src/app.js", "one")
    desk.write("last.txt", "a save, so that there is something to wait for")
    assert desk.changes("last.txt") == ["last.txt"]


def test_nobody_listens_to_what_is_ignored(tmp_path: Path) -> None:
    desk = Desk(tmp_path, polling=False)
    desk.write("ignored/deep/x.txt", "x")
    folder = tmp_path.resolve()
    assert places_of(folder) == {
        Place(folder, False),
        Place(folder / "frontend", False),
        Place(folder / "frontend/src", True),
    }


@pytest.mark.parametrize(
    "path", ["src/app.js", "README.md", "a.b/c.tmpl", "swap.swift", "backup/x", "4913.txt", "notes.partial"]
)
def test_an_ordinary_name_counts(path: str) -> None:
    assert may_count(PurePath(path))


@pytest.mark.parametrize(
    "path",
    "x/.app.js.swp x/app.js~ x/#app.js# x/.#app.js x/app.js___jb_tmp___ 4913 .DS_Store app.js.sb-1a2b3c4d-Qx9 "
    "x/.goutputstream-ABC123 app.js.tmp app.js.tmp.4711 .git/index a/node_modules/b/c.js .venv/lib/x.py".split(),
)
def test_a_name_of_editors_and_tools_does_not(path: str) -> None:
    assert not may_count(PurePath(path))
