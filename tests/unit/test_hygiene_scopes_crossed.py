"""Every odd kind of repository in every scope that its own tests do not have: looked at rightly, or refused and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from git_repositories import SECRET, Looked, Pushed, Repository, isolate, look, look_pushed, look_staged, make

from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import Scope, commit_range, history, tree

Look = Callable[[Repository], Looked]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"c" * 64 + b"\nsize 12345\n"
IN_LFS = "1 file (big.psd) is in Git LFS: what the pointer stands for was not looked at."


def looking(function: Callable[[GitRepository], Scope]) -> Look:
    def look_there(repository: Repository) -> Looked:
        with GitRepository.open(repository.path) as opened:
            return look(function(opened))

    return look_there


look_tree, look_history = looking(tree), looking(history)
look_last = looking(lambda opened: commit_range(opened, "HEAD~1..HEAD"))
look_all = looking(lambda opened: commit_range(opened, "HEAD"))
OF_COMMITS = {"one range": look_last, "a range from the root": look_all, "history": look_history}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    isolate(monkeypatch, tmp_path)
    return make(tmp_path / "work")


@pytest.mark.parametrize("look_there", [look_tree, look_history], ids=["tree", "history"])
def test_ids_of_sha256_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look_there: Look) -> None:
    isolate(monkeypatch, tmp_path)
    repository = make(tmp_path / "work", "--object-format=sha256")
    first = repository.commit({"a": SECRET, ".env": "X=1"})
    repository.commit({"b": "clean"})
    repository.write({"new": SECRET})
    looked = look_there(repository)
    commit = "" if look_there is look_tree else first
    untracked = [("new", "")] if look_there is look_tree else []
    assert sorted(looked.places) == sorted([(".env", commit), ("a", commit), *untracked])
    assert looked.report.commits == (0 if look_there is look_tree else 2)


@pytest.mark.parametrize("look_there", OF_COMMITS.values(), ids=OF_COMMITS.keys())
def test_a_submodule_in_commits_is_noted_and_not_entered(repository: Repository, look_there: Look) -> None:
    repository.commit({"a": "1"})
    inner = make(repository.path.parent / "inner")
    inner.commit({"secret": SECRET})
    repository.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    added = repository.commit({"beside": SECRET})
    looked = look_there(repository)
    assert looked.places == [("beside", added)]
    assert not any("libs/inner" in name for name in looked.names)
    assert "1 submodule (libs/inner) is not entered: its commits are looked at when it is pushed itself." in (
        looked.report.notes
    )


def test_a_submodule_itself_is_a_repository_like_any_other(repository: Repository) -> None:
    inner = make(repository.path.parent / "inner")
    commit = inner.commit({"secret": SECRET})
    repository.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    entered = Repository(repository.path / "libs" / "inner")
    assert look_history(entered).places == [("secret", commit)]
    assert look_tree(entered).places == [("secret", "")]
    entered.write({"new": SECRET})
    entered.git("add", "new")
    assert look_staged(entered).places == [("new", "")]


@pytest.mark.parametrize("look_there", [look_staged, *OF_COMMITS.values()], ids=["staged", *OF_COMMITS.keys()])
def test_a_pointer_of_git_lfs_is_shown_and_noted(repository: Repository, look_there: Look) -> None:
    repository.commit({"a": "1"})
    repository.write({"big.psd": POINTER, "beside": SECRET})
    repository.git("add", "--all")
    if look_there is not look_staged:
        repository.commit()
    looked = look_there(repository)
    assert ("big.psd", POINTER) in looked.files
    assert [path for path, _ in looked.places] == ["beside"]
    assert looked.report.notes == (IN_LFS,)


def test_contents_that_lfs_should_have_taken_are_looked_at_as_they_are(repository: Repository) -> None:
    repository.commit({".gitattributes": "*.psd filter=lfs diff=lfs merge=lfs -text\n"})
    blob = repository.blob(b"not a pointer " + SECRET)
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},big.psd")
    assert look_staged(repository).places == [("big.psd", "")]


@pytest.mark.parametrize("look_there", OF_COMMITS.values(), ids=OF_COMMITS.keys())
def test_commits_of_a_bare_repository_are_looked_at(repository: Repository, look_there: Look) -> None:
    bare = repository.remote()
    repository.commit({"a": "1"})
    commit = repository.commit({"b": SECRET, ".env": "X=1"})
    repository.push("origin", "HEAD:refs/heads/main")
    bare.git("symbolic-ref", "HEAD", "refs/heads/main")
    assert sorted(look_there(bare).places) == [(".env", commit), ("b", commit)]


def test_a_push_out_of_a_bare_repository_is_looked_at(repository: Repository) -> None:
    bare = repository.remote()
    known = repository.commit({"a": SECRET})
    repository.push("origin", "HEAD:refs/heads/main")
    mirror = bare.remote("mirror")
    bare.push("mirror", "main")
    bare.git("fetch", "--quiet", "mirror", "+refs/heads/*:refs/remotes/mirror/*")
    new = repository.commit({"b": SECRET})
    repository.push("origin", "HEAD:refs/heads/main")
    given = f"refs/heads/main {new} refs/heads/main {known}\n".encode()
    looked = look_pushed(bare, Pushed("mirror", mirror.path.as_posix(), given))
    assert (looked.places, looked.report.commits) == ([("b", new)], 1)


@pytest.mark.parametrize("look_there", [look_staged, look_tree], ids=["staged", "tree"])
def test_the_files_of_a_shallow_clone_are_those_of_any_other(repository: Repository, look_there: Look) -> None:
    repository.commit({"gone": SECRET})
    (repository.path / "gone").unlink()
    repository.commit({"a": "1"})
    path = repository.path.parent / "clone"
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(path))
    shallow = Repository(path)
    shallow.write({"new": SECRET})
    shallow.git("add", "new")
    looked = look_there(shallow)
    assert looked.places == [("new", "")]
    assert looked.report.notes == (), "nothing that was asked for is missing"


@pytest.mark.parametrize("look_there", [*OF_COMMITS.values(), None], ids=[*OF_COMMITS.keys(), "push"])
def test_commits_in_a_sparse_checkout_are_whole(repository: Repository, look_there: Look | None) -> None:
    origin = repository.remote()
    repository.commit({"in/a": "1", "out/deep/b": "1"})
    repository.push("origin", "HEAD:refs/heads/main")
    repository.git("sparse-checkout", "set", "--cone", "in")
    repository.write({"out/deep/hidden": SECRET})
    repository.git("add", "--sparse", "out")
    repository.git("commit", "--quiet", "--message=x")
    repository.git("sparse-checkout", "reapply")
    assert not (repository.path / "out").exists()
    if look_there:
        looked = look_there(repository)
    else:
        looked = look_pushed(repository, repository.pushed(origin.path.as_posix(), "HEAD:refs/heads/main"))
    assert looked.places == [("out/deep/hidden", repository.id("HEAD"))]


@pytest.mark.parametrize("look_there", [look_tree, *OF_COMMITS.values()], ids=["tree", *OF_COMMITS.keys()])
def test_a_linked_working_tree_is_looked_at_by_its_own_files_and_head(repository: Repository, look_there: Look) -> None:
    repository.commit({"a": "1"})
    linked = Repository(repository.path.parent / "linked")
    repository.git("worktree", "add", "--quiet", "-b", "side", str(linked.path))
    commit = linked.commit({"side": SECRET})
    repository.write({"only here": SECRET})
    looked = look_there(linked)
    assert looked.places == [("side", "" if look_there is look_tree else commit)]
    assert look_last_names(repository) == []


def look_last_names(repository: Repository) -> list[str]:
    """What the range of the main working tree's own head shows: its head did not move with the other's."""
    return [path for path, _ in look_all(repository).places]
