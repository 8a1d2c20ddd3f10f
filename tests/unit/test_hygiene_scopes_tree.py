"""What the check of a tree looks at: the files that a release would be made of, as they are on the disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from git_repositories import SECRET, Looked, Repository, isolate, look, make

from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import folder_tree, tree
from shipper.errors import ConfigError, RepositoryError

NAMES = [" blank ", "-x", "한글 문서.md", "[a].txt", "#a", "x/y/z", "back\\slash" if os.sep == "/" else "b"]
NAMES += ["new\nline", "tab\t", "quote'\"", ":x", "*"] if os.sep == "/" else []
NAMES += [b"caf\xe9".decode("utf-8", "surrogateescape")] if sys.platform == "linux" else []


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    isolate(monkeypatch, tmp_path)
    return make(tmp_path / "work")


def look_tree(repository: Repository, root: Path | None = None) -> Looked:
    with GitRepository.open(root or repository.path) as opened:
        return look(tree(opened, root))


def test_files_are_looked_at_as_they_are_on_the_disk(repository: Repository) -> None:
    repository.commit({"clean": "1", "changed": "1", "gone": SECRET, "staged": "1"})
    repository.write({"changed": SECRET, "gone": None, "staged": SECRET, "untracked": "2"})
    repository.git("add", "staged")
    repository.write({"staged": "clean again"})
    looked = look_tree(repository)
    assert sorted(looked.files) == [
        ("changed", SECRET),
        ("clean", b"1"),
        ("staged", b"clean again"),
        ("untracked", b"2"),
    ]
    assert looked.report.title == "4 files"
    assert looked.places == [("changed", "")]


def test_ignored_files_are_not_looked_at_unless_they_are_tracked(repository: Repository) -> None:
    repository.write({".gitignore": "*.log\n.env\n", "tracked.log": SECRET})
    repository.git("add", "--force", "--all")
    repository.write({"other.log": SECRET, ".env": SECRET, "sub/.env": SECRET})
    (repository.path / ".git/info/exclude").write_text("private\n", "ascii")
    repository.write({"private": SECRET})
    assert sorted(path for path, _ in look_tree(repository).files) == [".gitignore", "tracked.log"]


@pytest.mark.parametrize("is_tracked", [True, False], ids=["tracked", "untracked"])
@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_read(repository: Repository, name: str, is_tracked: bool) -> None:
    repository.write({name: SECRET})
    if is_tracked:
        repository.git("add", "--all")
    assert look_tree(repository).files == [(name, SECRET)]


def test_a_link_is_not_followed(repository: Repository) -> None:
    outside = repository.path.parent / "outside"
    outside.write_bytes(SECRET)
    (repository.path / "tracked").symlink_to(outside)
    repository.git("add", "--all")
    (repository.path / "untracked").symlink_to("../outside")
    (repository.path / "broken").symlink_to("nowhere")
    looked = look_tree(repository)
    assert sorted(looked.files) == [
        ("broken", b"nowhere"),
        ("tracked", os.fsencode(outside)),
        ("untracked", b"../outside"),
    ]
    assert looked.report.findings == ()


def test_a_folder_that_became_a_link_does_not_lead_outside(repository: Repository) -> None:
    repository.commit({"folder/deep/a": "1"})
    outside = repository.path.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep/a").write_bytes(SECRET)
    (repository.path / "folder").rename(repository.path.parent / "moved")
    (repository.path / "folder").symlink_to(outside)
    assert look_tree(repository).files == [("folder", os.fsencode(outside))]


def test_a_file_that_became_a_folder_is_looked_at_as_the_folder(repository: Repository) -> None:
    repository.commit({"a": "1"})
    repository.write({"a": None})
    repository.write({"a/b": SECRET})
    assert look_tree(repository).files == [("a/b", SECRET)]


def test_a_root_limits_it_to_a_folder(repository: Repository) -> None:
    repository.commit({"web/a": "1", "web/[x]/b": "2", "web/x": "x", "website/c": SECRET, "d": SECRET})
    repository.write({"web/new": "3"})
    looked = look_tree(repository, repository.path / "web")
    assert sorted(looked.files) == [("web/[x]/b", b"2"), ("web/a", b"1"), ("web/new", b"3"), ("web/x", b"x")]
    assert look_tree(repository, repository.path / "web/[x]").files == [("web/[x]/b", b"2")]


def test_a_root_outside_is_refused(repository: Repository) -> None:
    with GitRepository.open(repository.path) as opened, pytest.raises(ConfigError) as caught:
        tree(opened, repository.path.parent)
    assert "is not in the repository" in caught.value.what


def test_outside_of_git_all_files_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    folder = Repository(tmp_path / "plain")
    folder.write({"a": "1", "deep/.env": SECRET, ".gitignore": "deep\n", "deep/.git/config": SECRET, "x/.git": SECRET})
    (folder.path / "link").symlink_to("deep")
    assert GitRepository.find(folder.path) is None
    looked = look(folder_tree(folder.path))
    assert looked.files == [(".gitignore", b"deep\n"), ("a", b"1"), ("link", b"deep"), ("deep/.env", SECRET)]
    assert looked.report.title == "4 files"
    assert {path for path, _ in looked.places} == {"deep/.env"}


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_read_outside_of_git(tmp_path: Path, name: str) -> None:
    Repository(tmp_path).write({f"in/{name}": SECRET})
    assert look(folder_tree(tmp_path)).files == [(f"in/{name}", SECRET)]


def test_files_that_a_sparse_checkout_leaves_out_come_from_the_index(repository: Repository) -> None:
    repository.commit({"in/a": "1", "out/b": SECRET})
    repository.git("sparse-checkout", "set", "--cone", "in")
    assert not (repository.path / "out").exists()
    assert look_tree(repository).files == [("in/a", b"1"), ("out/b", SECRET)]


def test_a_file_that_git_takes_for_unchanged_is_read_from_the_disk(repository: Repository) -> None:
    repository.commit({"a": "1", "b": "1"})
    repository.git("update-index", "--assume-unchanged", "a")
    repository.git("update-index", "--skip-worktree", "b")
    repository.write({"a": SECRET, "b": SECRET})
    assert look_tree(repository).files == [("a", SECRET), ("b", SECRET)]


def test_a_pointer_of_git_lfs_is_noted_and_real_contents_are_read(repository: Repository) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "b" * 64 + "\nsize 7\n"
    repository.commit({"here": pointer, "not-here": pointer})
    repository.write({"here": SECRET})
    looked = look_tree(repository)
    assert looked.places == [("here", "")]
    assert looked.report.notes == ("1 file (not-here) is in Git LFS: what the pointer stands for was not looked at.",)


def test_a_submodule_is_noted_and_not_entered(repository: Repository) -> None:
    inner = make(repository.path.parent / "inner")
    inner.commit({"a": SECRET})
    repository.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    repository.commit()
    looked = look_tree(repository)
    assert looked.names == [".gitmodules"]
    assert "submodule (libs/inner)" in looked.report.notes[0]
    assert looked.report.title == "1 file"


def test_a_repository_inside_that_is_no_submodule_is_gone_through_by_its_own_rules(repository: Repository) -> None:
    repository.commit({"a": "1"})
    inner = make(repository.path / "vendor/inner")
    inner.write({".gitignore": "left-out\n", "left-out": SECRET, "b": SECRET})
    inner.git("add", "b")
    looked = look_tree(repository)
    assert sorted(path for path, _ in looked.files) == ["a", "vendor/inner/.gitignore", "vendor/inner/b"]
    assert looked.places == [("vendor/inner/b", "")]


def test_a_file_in_conflict_is_read_once_from_the_disk(repository: Repository) -> None:
    repository.commit({"a": "1\n"})
    repository.git("switch", "--quiet", "-c", "side")
    repository.commit({"a": "2\n"})
    repository.git("switch", "--quiet", "main")
    repository.commit({"a": "3\n"})
    assert repository.try_git("merge", "side").returncode == 1
    [(path, data)] = look_tree(repository).files
    assert path == "a"
    assert b"<<<<<<<" in data


def test_a_file_that_is_only_intended_to_be_added_is_looked_at(repository: Repository) -> None:
    repository.write({"a": SECRET})
    repository.git("add", "--intent-to-add", "a")
    assert look_tree(repository).places == [("a", "")]


def test_line_ends_are_those_of_the_disk(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "true")
    repository.commit({"a": "1\r\n"})
    assert look_tree(repository).files == [("a", b"1\r\n")]


def test_a_file_that_cannot_be_read_is_an_error(repository: Repository) -> None:
    repository.write({"a": "1"})
    with GitRepository.open(repository.path) as opened:
        scope = tree(opened)
        (repository.path / "a").unlink()
        (repository.path / "a").mkdir()
        with pytest.raises(RepositoryError) as caught:
            look(scope)
    assert caught.value.what == "a cannot be read, so nothing can be said about it."


def test_a_file_deleted_in_the_meantime_is_passed_over(repository: Repository) -> None:
    repository.write({"a": "1", "b": "2"})
    with GitRepository.open(repository.path) as opened:
        scope = tree(opened)
        (repository.path / "a").unlink()
        looked = look(scope)
    assert looked.files == [("b", b"2")]


def test_a_name_in_the_index_that_no_file_can_have_is_a_deleted_file(repository: Repository) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{repository.blob(SECRET)},{'x' * 300}/a")
    repository.write({"b": "1"})
    assert look_tree(repository).files == [("b", b"1")]


def test_an_empty_repository_is_0_files(repository: Repository) -> None:
    assert look_tree(repository).report.title == "0 files"


def test_ways_out_differ_for_tracked_and_untracked_files(repository: Repository) -> None:
    repository.commit({"tracked/.env": "x"})
    repository.write({"untracked/.env": "x", "c d/.env": "x"})
    fixes = {finding.path: finding.fix for finding in look_tree(repository).report.findings}
    assert fixes["tracked/.env"].endswith(
        "git rm --cached -- :/tracked/.env, and add the line /tracked/.env to .gitignore."
    )
    assert fixes["untracked/.env"].endswith(
        "Move it out of the project, or add the line /untracked/.env to .gitignore."
    )
    assert fixes["c d/.env"].endswith("add the line /c d/.env to .gitignore.")
