"""The check in repositories that are not as usual: bare, partial, broken, of somebody else, without git at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repositories import (
    SECRET,
    Looked,
    Repository,
    isolate,
    look,
    look_pushed,
    look_staged,
    make,
)

from shipper.check.hygiene.changes import changes_of_commits
from shipper.check.hygiene.found import Found
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import Scope, commit_range, history, staged, tree
from shipper.check.hygiene.verdict import check
from shipper.errors import ConfigError, RepositoryError, ShipperError


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    isolate(monkeypatch, tmp_path)
    return make(tmp_path / "work")


def look_with(function: Callable[[GitRepository], Scope], path: Path) -> Looked:
    with GitRepository.open(path) as opened:
        return look(function(opened))


@pytest.mark.parametrize("function", [staged, tree])
@pytest.mark.parametrize("where", ["bare", "inside .git"])
def test_where_no_working_tree_is_there_are_no_files_to_look_at(
    repository: Repository, where: str, function: Callable[[GitRepository], Scope]
) -> None:
    path = make(repository.path.parent / "bare.git", "--bare").path if where == "bare" else repository.path / ".git"
    with pytest.raises(ConfigError) as caught:
        look_with(function, path)
    assert caught.value.what == "Here is no working tree."
    assert "--history" in caught.value.fix


def test_the_history_of_a_bare_repository_is_looked_at(repository: Repository) -> None:
    bare = repository.remote()
    commit = repository.commit({"a": SECRET})
    repository.push("origin", "main")
    assert look_with(history, bare.path).places == [("a", commit)]


def test_a_repository_with_sha256_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    repository = make(tmp_path / "work", "--object-format=sha256")
    repository.write({"a": SECRET})
    repository.git("add", "--all")
    assert look_staged(repository).places == [("a", "")]
    first = repository.commit()
    assert len(first) == 64
    repository.git("tag", "--annotate", "-m", "t", "v1")
    second = repository.commit({"b": SECRET})
    remote = make(tmp_path / "remote.git", "--bare", "--object-format=sha256")
    repository.git("remote", "add", "origin", remote.path.as_posix())
    looked = look_pushed(repository, repository.pushed("origin", "main", "v1"))
    assert looked.places == [("a", first), ("b", second)]
    ranged = look_with(lambda opened: commit_range(opened, f"{'0' * 64}..HEAD"), repository.path)
    assert (ranged.files, ranged.report.commits) == ([("a", SECRET), ("b", SECRET)], 2)


def test_a_repository_of_somebody_else_is_refused_with_the_command_of_git(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(ConfigError) as caught:
        GitRepository.find(repository.path)
    assert caught.value.fix.startswith("git config --global --add safe.directory ")
    assert "work" in caught.value.fix


def test_without_git_it_is_said_that_git_is_missing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.path))
    with pytest.raises(ConfigError) as caught:
        GitRepository.open(repository.path)
    assert caught.value.what == "git was not found."


@pytest.mark.parametrize("said", ["git version 2.17.1", "", "git version 1.9"], ids=["2.17", "nothing", "1.9"])
def test_a_git_that_is_too_old_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    folder = repository.path.parent / "programs"
    folder.mkdir()
    if os.name == "nt":
        (folder / "git.bat").write_text(f"@echo.{said}\n", "ascii")
    else:
        (folder / "git").write_text(f"#!/bin/sh\necho '{said}'\n", "ascii")
        (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    with pytest.raises(ConfigError) as caught:
        GitRepository.open(repository.path)
    assert "too old" in caught.value.what


def test_a_folder_in_no_repository_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ConfigError) as caught:
        GitRepository.open(tmp_path)
    assert caught.value.fix == "git init"


def test_a_repository_that_was_moved_away_is_not_taken_for_none(repository: Repository) -> None:
    broken = repository.path.parent / "broken"
    broken.mkdir()
    (broken / ".git").write_text("gitdir: /nowhere/at/all\n", "ascii")
    with pytest.raises(ConfigError) as caught:
        GitRepository.find(broken)
    assert "/nowhere/at/all" in caught.value.why


def test_a_broken_configuration_is_told_in_the_words_of_git(repository: Repository) -> None:
    (repository.path / ".git/config").write_text("[core\n", "ascii")
    with pytest.raises(ConfigError) as caught:
        GitRepository.find(repository.path)
    assert "bad config line 1" in caught.value.why


def corrupt(repository: Repository, object_id: str, kept: float | None) -> None:
    """Keep only a part of an object's file, or nothing of it."""
    file = repository.path / ".git/objects" / object_id[:2] / object_id[2:]
    file.chmod(0o644)
    if kept is None:
        file.unlink()
    else:
        os.truncate(file, int(file.stat().st_size * kept))


@pytest.mark.parametrize("kept", [None, 0, 0.6], ids=["missing", "empty", "cut off"])
@pytest.mark.parametrize("what", ["HEAD:a", "HEAD^{tree}", "HEAD", "HEAD~1"])
def test_a_broken_object_is_an_error_and_never_a_pass(repository: Repository, what: str, kept: float | None) -> None:
    repository.commit({"a": "1" * 9000 + os.urandom(5000).hex()})
    repository.commit({"a": os.urandom(5000).hex()}, os.urandom(500).hex())
    branch = repository.id("HEAD")
    corrupt(repository, repository.id(what), kept)
    with pytest.raises(ShipperError) as caught:
        look_with(history, repository.path)
    assert caught.value.fix == "git fsck --full"
    with pytest.raises(ShipperError):
        look_with(lambda opened: commit_range(opened, f"{'0' * 40}..{branch}"), repository.path)


def test_a_broken_staged_file_is_an_error(repository: Repository) -> None:
    repository.write({"a": os.urandom(500).hex()})
    repository.git("add", "a")
    corrupt(repository, repository.id(":a"), 0.5)
    with pytest.raises(RepositoryError):
        look_staged(repository)


@pytest.mark.parametrize("order", [["HEAD", "1" * 40], ["1" * 40, "HEAD"]], ids=["last", "first"])
def test_a_commit_that_git_passes_over_without_a_word_is_an_error(repository: Repository, order: list[str]) -> None:
    head = repository.commit({"a": "1"})
    commits = [head if name == "HEAD" else name for name in order]
    with GitRepository.open(repository.path) as opened, pytest.raises(RepositoryError) as caught:
        list(changes_of_commits(opened.git, commits))
    assert "passed over" in caught.value.why


def test_a_complaint_of_git_is_an_error_although_it_ends_well(repository: Repository) -> None:
    head = repository.commit({"a": "1"})
    blob = repository.id("HEAD:a")
    corrupt(repository, blob, 0)
    with GitRepository.open(repository.path) as opened:
        given = f"{blob}\n{head}\n".encode()
        assert opened.git.ask("cat-file", "--batch-check", given=given).code == 0
        with pytest.raises(RepositoryError) as caught:
            opened.objects.known([blob, head])
    assert "is empty" in caught.value.why


def partial_clone(repository: Repository, kind: str) -> Repository:
    repository.commit({"a": SECRET, "deep/b": "1"})
    repository.commit({"a": "clean", "deep/b": "2"})
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    path = repository.path.parent / "partial"
    address = repository.path.as_uri()
    repository.git("clone", "--quiet", "--no-checkout", f"--filter={kind}", address, str(path))
    return Repository(path)


def missing(repository: Repository) -> list[str]:
    shown = repository.git("rev-list", "--objects", "--missing=print", "--all").split("\n")
    return [line for line in shown if line.startswith("?")]


def test_what_a_partial_clone_lacks_is_fetched_and_looked_at(repository: Repository) -> None:
    partial = partial_clone(repository, "blob:none")
    assert len(missing(partial)) == 4
    looked = look_with(lambda opened: commit_range(opened, f"{'0' * 40}..HEAD"), partial.path)
    assert sorted(looked.files) == [("a", SECRET), ("a", b"clean"), ("deep/b", b"1"), ("deep/b", b"2")]
    assert missing(partial) == []


def test_what_a_partial_clone_lacks_is_fetched_at_once_and_only_once(repository: Repository) -> None:
    partial = partial_clone(repository, "blob:none")
    look_with(history, partial.path)
    packs = list((partial.path / ".git/objects/pack").glob("*.pack"))
    assert len(packs) == 2  # that of the clone and that of the one fetch
    repository.path.rename(repository.path.parent / "gone")
    assert len(look_with(history, partial.path).files) == 4


def test_a_partial_clone_whose_remote_is_gone_is_an_error(repository: Repository) -> None:
    partial = partial_clone(repository, "blob:none")
    repository.path.rename(repository.path.parent / "gone")
    with pytest.raises(RepositoryError) as caught:
        look_with(history, partial.path)
    assert "4 files that are to be checked are not in this partial clone" in caught.value.what
    assert caught.value.fix == "git fetch --refetch --no-filter"


def test_a_clone_without_trees_is_an_error_with_the_way_to_get_them(repository: Repository) -> None:
    partial = partial_clone(repository, "tree:0")
    with pytest.raises(RepositoryError) as caught:
        look_with(history, partial.path)
    assert caught.value.fix == "git fetch --refetch --no-filter"


def test_work_in_a_partial_clone_is_pushed_without_fetching_what_is_old(repository: Repository) -> None:
    partial = partial_clone(repository, "blob:none")
    partial.git("sparse-checkout", "set", "--no-cone", "/new")
    partial.git("checkout", "--quiet")
    partial.write({"new": SECRET})
    partial.git("add", "new")
    before = missing(partial)
    assert look_staged(partial).files == [("new", SECRET)]
    assert missing(partial) == before
    partial.git("commit", "--quiet", "--message=New")
    pushed = partial.pushed("origin", "main:refs/heads/new")
    before = missing(partial)
    assert look_pushed(partial, pushed).files == [("new", SECRET)]
    assert missing(partial) == before != []


def test_a_shallow_clone_pushes_only_what_is_new(repository: Repository) -> None:
    repository.commit({"a": SECRET})
    repository.commit({"a": "clean"})
    shallow = Repository(repository.path.parent / "shallow")
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(shallow.path))
    shallow.commit({"b": SECRET})
    looked = look_pushed(shallow, shallow.pushed("origin", "main:refs/heads/new"))
    assert (looked.files, looked.report.title) == ([("b", SECRET)], "1 commit of new")


def test_objects_that_another_repository_lends_are_read(repository: Repository) -> None:
    repository.commit({"a": SECRET})
    borrower = Repository(repository.path.parent / "borrower")
    repository.git("clone", "--quiet", "--shared", str(repository.path), str(borrower.path))
    assert look_with(history, borrower.path).files == [("a", SECRET)]


def test_packed_objects_and_a_commit_graph_are_read(repository: Repository) -> None:
    for number in range(5):
        repository.commit({"a": "x" * 5000 + str(number), f"b{number}": SECRET})
    repository.git("gc", "--quiet")
    repository.git("commit-graph", "write", "--reachable", "--changed-paths")
    looked = look_with(history, repository.path)
    assert len(looked.files) == 10
    assert looked.report.bytes > 5 * 5001


def test_objects_in_quarantine_are_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server's hook pre-receive sees: githooks(5), git-receive-pack(1), "Quarantine Environment"."""
    repository.commit({"a": "1"})
    (repository.path / "quarantine").mkdir()
    monkeypatch.chdir(repository.path)
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "quarantine")
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", ".git/objects")
    new = repository.git("mktree", given=f"100644 blob {repository.blob(SECRET)}\tb\n".encode())
    commit = repository.git("commit-tree", "-m", "x", "-p", "HEAD", new)
    looked = look_with(lambda opened: commit_range(opened, f"main..{commit}"), repository.path)
    assert looked.places == [("b", commit)]


@pytest.mark.parametrize("name", ["with blank", "한글", "new\nline"] if os.name != "nt" else ["with blank", "한글"])
def test_the_name_of_the_folder_does_not_matter(repository: Repository, name: str) -> None:
    odd = make(repository.path.parent / name / "in")
    odd.commit({"sub/a": "1"})
    odd.write({"sub/b": SECRET})
    odd.git("add", "--all")
    assert look_with(staged, odd.path / "sub").places == [("sub/b", "")]
    assert look_with(tree, odd.path / "sub").places == [("sub/b", "")]


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_TRACE": "1", "GIT_TRACE_SETUP": "1"},
        {"GIT_EXTERNAL_DIFF": "false", "GIT_DIFF_OPTS": "--unified=0"},
        {"GIT_REPLACE_REF_BASE": "refs/heads/"},
        {"GIT_GLOB_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1"},
        {"GIT_NAMESPACE": "elsewhere"},
        {"LANGUAGE": "ko", "LC_ALL": "ko_KR.UTF-8"},
        {"GIT_INDEX_FILE": "nowhere"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_variables_of_the_environment_do_not_mislead(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    commit = repository.commit({"a": SECRET})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert look_with(history, repository.path).places == [("a", commit)]


@pytest.mark.parametrize(
    "setting",
    [
        "core.quotePath=true",
        "diff.renames=copies",
        "diff.external=false",
        "diff.ignoreSubmodules=all",
        "diff.noprefix=true",
        "diff.relative=true",
        "core.abbrev=4",
        "core.fsmonitor=false",
        "log.showSignature=true",
        "log.showRoot=false",
        "color.ui=always",
        "core.pager=false",
        "i18n.logOutputEncoding=euc-kr",
    ],
)
def test_configuration_does_not_mislead(repository: Repository, setting: str) -> None:
    first = repository.commit({"비밀": SECRET, "sub/b": "x" * 300})
    name, _, value = setting.partition("=")
    repository.git("config", name, value)
    repository.git("mv", "sub/b", "sub/.env")
    assert look_with(staged, repository.path / "sub").files == [("sub/.env", b"x" * 300)]
    second = repository.commit(message="커밋")
    looked = look_with(history, repository.path / "sub")
    assert looked.places == [("비밀", first), ("sub/.env", second)]
    assert "커밋\n".encode() in looked.texts


def test_a_password_in_an_address_is_not_told(repository: Repository) -> None:
    partial = partial_clone(repository, "blob:none")
    partial.git("remote", "set-url", "origin", "http://user:hunter22@127.0.0.1:1/x.git")
    with pytest.raises(RepositoryError) as caught:
        look_with(history, partial.path)
    assert "hunter22" not in str(caught.value)
    assert "127.0.0.1" in caught.value.why


def test_a_rule_that_fails_is_an_error_that_quotes_nothing(repository: Repository) -> None:
    commit = repository.commit({"a": SECRET})

    def fail(path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
        raise ValueError(data)

    with GitRepository.open(repository.path) as opened, pytest.raises(ShipperError) as caught:
        check(commit_range(opened, commit), lambda path, size, read: None, fail)
    assert caught.value.what == "The check itself failed while it looked at a."
    assert SECRET.decode() not in str(caught.value)
