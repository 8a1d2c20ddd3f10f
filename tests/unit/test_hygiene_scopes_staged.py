"""What the check of the index looks at: exactly what `git commit` would record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from git_repositories import (
    SECRET,
    Repository,
    check_staged,
    isolate,
    look_staged,
    make,
    said_by_hook,
)

from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import staged
from shipper.check.hygiene.verdict import BEGINNING_BYTES, LARGEST_BYTES
from shipper.errors import ConfigError

ODD_NAMES = {
    "blank": " with blank ",
    "korean": "비밀번호 문서.md",
    "dash": "-rf",
    "glob": "[a]*.txt" if sys.platform != "win32" else "[a].txt",
    "percent": "100%.txt",
    "hash": "#notes",
    "bang": "!important",
    "one-letter": "x",
    "looks-like-a-status": "A 100644 file",
}
if sys.platform != "win32":
    ODD_NAMES |= {
        "newline": "new\nline",
        "tab": "tab\there",
        "quotes": "quote'\"",
        "arrow": "old -> new",
        "colon": ":(top)x",
        "colon-first": ":raw",
        "backslash": "back\\slash",
        "carriage-return": "cr\r",
    }
if sys.platform == "linux":
    ODD_NAMES |= {"latin-1": b"caf\xe9".decode("utf-8", "surrogateescape"), "line-separator": "a\u2028b"}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    isolate(monkeypatch, tmp_path)
    return make(tmp_path / "work")


def test_everything_staged_is_looked_at_before_the_first_commit(repository: Repository) -> None:
    repository.write({"a.txt": "one", "web/b.txt": SECRET, "left.txt": "not staged"})
    repository.git("add", "a.txt", "web")
    looked = look_staged(repository)
    assert looked.files == [("a.txt", b"one"), ("web/b.txt", SECRET)]
    assert looked.places == [("web/b.txt", "")]
    assert looked.report.title == "2 staged files"


def test_staged_contents_are_looked_at_and_not_those_on_the_disk(repository: Repository) -> None:
    repository.commit({"bad-then-good": "x", "good-then-bad": "x"})
    repository.write({"bad-then-good": SECRET, "good-then-bad": "fine"})
    repository.git("add", "--all")
    repository.write({"bad-then-good": "cleaned only here", "good-then-bad": SECRET})
    looked = look_staged(repository)
    assert looked.files == [("bad-then-good", SECRET), ("good-then-bad", b"fine")]
    assert looked.places == [("bad-then-good", "")]


def test_what_is_unchanged_unstaged_or_untracked_is_not_looked_at(repository: Repository) -> None:
    repository.commit({"same": SECRET, "changed": "1"})
    repository.write({"changed": SECRET, "new": SECRET})
    looked = look_staged(repository)
    assert (looked.names, looked.files, looked.report.title) == ([], [], "0 staged files")


def test_a_file_that_is_only_intended_to_be_added_is_not_looked_at(repository: Repository) -> None:
    repository.commit({"a": "1"})
    repository.write({"intended": SECRET, "staged": "2"})
    repository.git("add", "--intent-to-add", "intended")
    repository.git("add", "staged")
    assert look_staged(repository).files == [("staged", b"2")]


def test_a_deleted_file_is_not_looked_at(repository: Repository) -> None:
    repository.commit({"a": SECRET})
    repository.git("rm", "--quiet", "a")
    assert look_staged(repository).report.title == "0 staged files"


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
def test_odd_names_arrive_as_they_are(repository: Repository, name: str) -> None:
    repository.write({name: SECRET})
    repository.git("add", "--all")
    looked = look_staged(repository)
    assert looked.files == [(name, SECRET)]
    [finding] = looked.report.findings
    finding.path.encode()  # can be printed


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
def test_the_way_out_of_the_index_can_be_typed_as_it_stands(repository: Repository, name: str) -> None:
    repository.commit({"keep/it": "1"})
    repository.write({f"{name}/.env": "x"})
    repository.git("add", "--all")
    [finding] = look_staged(repository).report.findings
    command = finding.fix.partition("Rotate it. ")[2].partition(", and ")[0]
    assert command.startswith("git rm --cached -- ")
    ended = run_in_shell(command, repository.path / "keep")
    assert ended.returncode == 0, ended.stderr
    assert look_staged(repository).report.findings == ()


def test_at_the_top_a_plain_name_is_typed_plainly(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write({"web/.env": "x"})
    repository.git("add", "--all")
    monkeypatch.chdir(repository.path)
    [finding] = look_staged(repository).report.findings
    assert finding.fix == "Rotate it. git rm --cached -- web/.env, and add the line /web/.env to .gitignore."


def test_a_secret_in_a_staged_file_can_be_taken_out_or_left_for_later(repository: Repository) -> None:
    repository.commit({"a.py": "1"})
    repository.write({"a.py": SECRET})
    repository.git("add", "--all")
    [finding] = look_staged(repository).report.findings
    assert "git add -- :/a.py" in finding.fix
    assert "git restore --staged -- :/a.py" in finding.fix


def test_before_the_first_commit_there_is_nothing_to_restore_from(repository: Repository) -> None:
    repository.write({"a.py": SECRET})
    repository.git("add", "--all")
    [finding] = look_staged(repository).report.findings
    assert "restore" not in finding.fix
    assert "git rm --cached -- :/a.py" in finding.fix


def test_commit_with_all_is_checked_with_what_it_commits(repository: Repository) -> None:
    first = repository.commit({"a": "1", "b": "1"})
    repository.hook("pre-commit", check_staged)
    repository.write({"a": SECRET})
    ended = repository.try_git("commit", "--all", "--message=x")
    assert said_by_hook(ended)["files"] == [f"a={SECRET.decode()}"]
    assert ended.returncode == 1
    assert repository.id("HEAD") == first


def test_commit_of_a_path_is_checked_with_that_path_only(repository: Repository) -> None:
    repository.commit({"sub/a": "1", "b": "1"})
    repository.hook("pre-commit", check_staged)
    repository.write({"sub/a": "2", "b": SECRET})
    repository.git("add", "b")
    ended = repository.try_git("commit", "--message=x", "--", "a", folder=repository.path / "sub")
    assert said_by_hook(ended)["files"] == ["sub/a=2"]
    assert ended.returncode == 0
    assert look_staged(repository).places == [("b", "")]


def test_a_hook_in_a_subfolder_tells_a_command_that_works_there(repository: Repository) -> None:
    repository.commit({"sub/a": "1"})
    repository.hook("pre-commit", check_staged)
    repository.write({"sub/.env": "x"})
    repository.git("add", "--all")
    ended = repository.try_git("commit", "--message=x", folder=repository.path / "sub")
    assert "git rm --cached -- :/sub/.env" in said_by_hook(ended)["fixes"][0]


@pytest.mark.parametrize("options", [[], ["--all"]], ids=["staged", "all"])
def test_a_commit_in_a_linked_working_tree_is_checked_with_its_own_index(
    repository: Repository, options: list[str]
) -> None:
    repository.commit({"a": "1", "b": "1"})
    repository.hook("pre-commit", check_staged)
    linked = Repository(repository.path.parent / "linked")
    repository.git("worktree", "add", "--quiet", str(linked.path), "-b", "other")
    repository.write({"b": SECRET})
    repository.git("add", "--all")
    linked.write({"a": "2"})
    if not options:
        linked.git("add", "--all")
    ended = linked.try_git("commit", "--message=x", *options)
    assert said_by_hook(ended)["files"] == ["a=2"]
    assert ended.returncode == 0


def test_the_variables_of_a_hook_of_another_repository_are_ignored(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make(repository.path.parent / "other")
    other.commit({"theirs": "1"})
    repository.write({"ours": "1"})
    repository.git("add", "--all")
    monkeypatch.chdir(other.path)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
    assert look_staged(repository).files == [("ours", b"1")]


def test_a_repository_apart_from_its_files_is_found_by_the_variables(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Repository(repository.path.parent / "files")
    files.write({"sub/a": "1"})
    repository.git("add", "--all", folder=files.path, GIT_DIR=str(repository.path / ".git"), GIT_WORK_TREE=".")
    monkeypatch.chdir(files.path)
    monkeypatch.setenv("GIT_DIR", "../work/.git")
    monkeypatch.setenv("GIT_WORK_TREE", ".")
    assert look_staged(files).files == [("sub/a", b"1")]
    assert look_staged(Repository(files.path / "sub")).files == [("sub/a", b"1")]


def test_an_unmerged_file_is_refused_with_the_command_that_settles_it(repository: Repository) -> None:
    conflict(repository)
    with pytest.raises(ConfigError) as caught, GitRepository.open(repository.path) as opened:
        staged(opened)
    assert "1 file is not merged yet" in caught.value.what
    assert "git add -- :/a" in caught.value.fix


def test_a_settled_conflict_is_looked_at(repository: Repository) -> None:
    conflict(repository)
    repository.write({"a": SECRET})
    repository.git("add", "a")
    assert look_staged(repository).places == [("a", "")]


@pytest.mark.parametrize("sides", [1, 2], ids=["two parents", "octopus"])
def test_what_a_merge_brings_is_looked_at_and_its_origin_is_told(repository: Repository, sides: int) -> None:
    repository.commit({"a": "1"})
    ids = []
    for side in range(sides):
        repository.git("switch", "--quiet", "-c", f"side{side}", "main")
        ids.append(repository.commit({f"theirs{side}": SECRET}))
    repository.git("switch", "--quiet", "main")
    repository.commit({"ours": SECRET})
    repository.git("merge", "--quiet", "--no-commit", *ids)
    repository.write({"added-by-the-merge": SECRET})
    repository.git("add", "--all")
    looked = look_staged(repository)
    assert [path for path, _ in looked.places] == ["added-by-the-merge", *(f"theirs{side}" for side in range(sides))]
    assert "git add -- :/added-by-the-merge" in looked.report.findings[0].fix
    for commit, finding in zip(ids, looked.report.findings[1:], strict=True):
        assert f"comes with the merge of {commit[:12]}" in finding.fix


def test_a_picked_commit_with_a_conflict_is_looked_at_when_it_is_settled(repository: Repository) -> None:
    repository.commit({"a": "1\n"})
    repository.git("switch", "--quiet", "-c", "side")
    picked = repository.commit({"a": "2\n", "b": SECRET})
    repository.git("switch", "--quiet", "main")
    repository.commit({"a": "3\n"})
    assert repository.try_git("cherry-pick", picked).returncode == 1
    repository.write({"a": "4\n"})
    repository.git("add", "a")
    assert look_staged(repository).files == [("a", b"4\n"), ("b", SECRET)]


def test_a_link_is_looked_at_by_where_it_leads_and_not_by_its_name(repository: Repository) -> None:
    target = repository.blob(b"../somewhere/SECRET".replace(b"SECRET", SECRET))
    repository.git("update-index", "--add", "--cacheinfo", f"120000,{target},.env")
    looked = look_staged(repository)
    assert looked.names == []
    assert looked.files == [(".env", b"../somewhere/" + SECRET)]
    assert looked.report.files == 1


def test_a_folder_that_became_a_link_is_a_link(repository: Repository) -> None:
    repository.commit({"folder/a": SECRET, "folder/b": "1"})
    target = repository.blob(b"elsewhere")
    repository.git("rm", "-r", "--quiet", "folder")
    repository.git("update-index", "--add", "--cacheinfo", f"120000,{target},folder")
    assert look_staged(repository).files == [("folder", b"elsewhere")]


def test_a_file_that_only_became_executable_is_looked_at(repository: Repository) -> None:
    repository.commit({"run": SECRET})
    repository.git("update-index", "--chmod=+x", "run")
    assert look_staged(repository).places == [("run", "")]


@pytest.mark.parametrize(("old", "new"), [("settings", ".env"), ("Readme.md", "README.md")], ids=["to .env", "case"])
def test_a_renamed_file_is_looked_at_under_its_new_name(repository: Repository, old: str, new: str) -> None:
    repository.commit({old: "x" * 500})
    repository.git("mv", old, new)
    looked = look_staged(repository)
    assert looked.files == [(new, b"x" * 500)]
    assert len(looked.report.findings) == (new == ".env")


def test_attributes_and_bytes_that_make_a_diff_binary_do_not_hide_a_file(repository: Repository) -> None:
    repository.commit({".gitattributes": "* -diff\n*.txt binary\n"})
    repository.write({"a.txt": SECRET, "b.bin": b"\0\xff" + SECRET})
    repository.git("add", "--all")
    assert [path for path, _ in look_staged(repository).places] == ["a.txt", "b.bin"]


def test_what_git_makes_of_line_ends_is_what_is_looked_at(repository: Repository) -> None:
    repository.write({"a.txt": "one\r\ntwo\r\n"})
    repository.git("-c", "core.autocrlf=input", "-c", "core.safecrlf=false", "add", "a.txt")
    assert look_staged(repository).files == [("a.txt", b"one\ntwo\n")]


def test_a_submodule_is_noted_and_not_entered(repository: Repository) -> None:
    inner = make(repository.path.parent / "inner")
    inner.commit({"a": SECRET})
    repository.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    repository.git("config", "submodule.libs/inner.ignore", "all")
    looked = look_staged(repository)
    assert looked.names == [".gitmodules"]
    assert any("1 submodule (libs/inner) is not entered" in note for note in looked.report.notes)


def test_an_index_that_is_sparse_or_split_shows_everything(repository: Repository) -> None:
    repository.commit({"in/a": "1", "out/deep/b": "1"})
    repository.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    repository.write({"in/new": SECRET})
    repository.git("add", "in")
    blob = repository.blob(SECRET)
    repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},out/deep/hidden")
    assert [path for path, _ in look_staged(repository).places] == ["in/new", "out/deep/hidden"]
    repository.git("sparse-checkout", "disable")
    repository.git("update-index", "--split-index")
    repository.write({"later": SECRET})
    repository.git("add", "later")
    assert [path for path, _ in look_staged(repository).places] == ["in/new", "later", "out/deep/hidden"]


def test_of_a_very_large_file_only_the_beginning_is_read_and_that_is_said(repository: Repository) -> None:
    repository.write({"small": "1", "large": SECRET + b"x" * LARGEST_BYTES})
    repository.git("add", "--all")
    looked = look_staged(repository)
    assert [(path, len(data)) for path, data in looked.files] == [("large", BEGINNING_BYTES), ("small", 1)]
    assert looked.places == [("large", "")]
    assert any("1 file (large) is larger than 10 MiB" in note for note in looked.report.notes)


def test_an_empty_file_is_looked_at_by_its_name(repository: Repository) -> None:
    repository.write({".env": "", "empty": ""})
    repository.git("add", "--all")
    looked = look_staged(repository)
    assert looked.files == [(".env", b""), ("empty", b"")]
    assert looked.places == [(".env", "")]


def test_the_same_line_is_told_once_and_another_one_too(repository: Repository) -> None:
    repository.write({"a": b"x\n" + SECRET + b"1\n" + SECRET + b"2\n  " + SECRET + b"1\n"})
    repository.git("add", "--all")
    assert [finding.line for finding in look_staged(repository).report.findings] == [2, 3]


def conflict(repository: Repository) -> None:
    repository.commit({"a": "1\n"})
    repository.git("switch", "--quiet", "-c", "side")
    repository.commit({"a": "2\n"})
    repository.git("switch", "--quiet", "main")
    repository.commit({"a": "3\n"})
    assert repository.try_git("merge", "side").returncode == 1


def run_in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    if sys.platform == "win32":
        return subprocess.run(command, shell=True, cwd=folder, capture_output=True, check=False)
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=False)
