"""What the check of history looks at: everything that any ref reaches, once, where it came in first."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_repositories import SECRET, Files, Looked, Repository, isolate, look, make

from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import history

WORD = SECRET.decode()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    isolate(monkeypatch, tmp_path)
    repository = make(tmp_path / "work")
    repository.commit({"base": "1"}, "Base")
    return repository


def look_history(repository: Repository) -> Looked:
    with GitRepository.open(repository.path) as opened:
        return look(history(opened))


def test_a_finding_names_the_commit_that_brought_it_in(repository: Repository) -> None:
    first = repository.commit({"a": b"x\n" + SECRET})
    repository.commit({"a": b"more\nx\n" + SECRET})
    repository.commit({"a": "clean"})
    repository.commit({"a": b"x\n" + SECRET})
    looked = look_history(repository)
    assert looked.places == [("a", first)]
    assert [data for path, data in looked.files if path == "a"] == [b"x\n" + SECRET, b"more\nx\n" + SECRET, b"clean"]
    assert looked.report.title == "5 commits of 1 ref"


def test_the_first_commit_is_found_whatever_its_date_says(repository: Repository) -> None:
    date = "2030-01-01T00:00:00Z"
    repository.write({"a": SECRET})
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message=Late", GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    first = repository.id("HEAD")
    repository.commit({"a": b"1\n" + SECRET})
    assert look_history(repository).places == [("a", first)]


def test_a_parent_comes_before_its_children_although_clocks_were_wrong(repository: Repository) -> None:
    def commit_at(year: int, files: Files) -> str:
        date = f"{year}-01-01T00:00:00Z"
        repository.write(files)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "-m", str(year), GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
        return repository.id("HEAD")

    first = commit_at(2030, {"a": SECRET})
    repository.git("switch", "--quiet", "-c", "side")
    commit_at(2020, {"a": b"1\n" + SECRET})
    repository.git("switch", "--quiet", "main")
    commit_at(2031, {"b": "1"})
    repository.git("merge", "--quiet", "--no-edit", "side")
    assert look_history(repository).places == [("a", first)]


def test_all_branches_and_remote_tracking_refs_are_looked_at(repository: Repository) -> None:
    repository.remote()
    repository.git("switch", "--quiet", "-c", "pushed")
    pushed = repository.commit({"pushed": SECRET})
    repository.push("origin", "pushed")
    repository.git("switch", "--quiet", "--orphan", "orphan")
    repository.git("branch", "--quiet", "-D", "pushed")
    orphan = repository.commit({"orphan": SECRET})
    repository.git("switch", "--quiet", "--detach", "main")
    detached = repository.commit({"detached": SECRET})
    looked = look_history(repository)
    assert sorted(looked.places) == [("detached", detached), ("orphan", orphan), ("pushed", pushed)]
    fixes = {finding.path: finding.fix for finding in looked.report.findings}
    assert "git filter-repo" in fixes["pushed"]
    assert "git switch orphan" in fixes["orphan"]
    assert "It is in your last commit" in fixes["detached"]


def test_what_no_ref_reaches_is_not_looked_at(repository: Repository) -> None:
    repository.commit({"a": SECRET})
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    repository.blob(SECRET)
    assert look_history(repository).files == [("base", b"1")]


def test_every_stash_is_looked_at_with_its_index_and_its_untracked_files(repository: Repository) -> None:
    for number in (1, 2):
        repository.write({"base": SECRET + b"%d" % number})
        repository.git("add", "base")
        repository.write({"base": b"on the disk %d" % number, f"untracked{number}": SECRET})
        repository.git("stash", "push", "--quiet", "--include-untracked")
    looked = look_history(repository)
    assert sorted(looked.files) == sorted(
        [("base", b"1")]
        + [("base", SECRET + b"%d" % number) for number in (1, 2)]
        + [("base", b"on the disk %d" % number) for number in (1, 2)]
        + [(f"untracked{number}", SECRET) for number in (1, 2)]
    )
    assert all("git stash drop" in finding.fix for finding in looked.report.findings)


def test_notes_and_tags_are_looked_at(repository: Repository) -> None:
    repository.git("notes", "--ref=review", "add", "-m", f"note {WORD}")
    repository.git("tag", "--annotate", "-m", f"tag {WORD}", "v1")
    repository.git("tag", "blob", repository.blob(b"tagged " + SECRET))
    looked = look_history(repository)
    assert ("refs/tags/blob", b"tagged " + SECRET) in looked.files
    assert f"tag {WORD}\n".encode() in looked.texts
    assert len(looked.report.findings) == 3
    assert any("git notes --ref=refs/notes/review remove" in finding.fix for finding in looked.report.findings)


def test_a_tag_on_a_commit_that_no_branch_has_is_looked_at(repository: Repository) -> None:
    secret = repository.commit({"a": SECRET})
    repository.git("tag", "old")
    repository.git("reset", "--quiet", "--hard", "HEAD^")
    looked = look_history(repository)
    assert looked.places == [("a", secret)]
    assert "It is in refs/tags/old" in looked.report.findings[0].fix


def test_messages_and_authors_are_looked_at_once(repository: Repository) -> None:
    for _ in range(3):
        repository.commit(message=f"Same {WORD}")
    looked = look_history(repository)
    assert looked.texts.count(f"Same {WORD}\n".encode()) == 1
    assert len([text for text in looked.texts if b"kim@example.com" in text]) == 1
    assert [commit for _, commit in looked.places] == [repository.id("HEAD~2")]


def test_the_head_of_another_working_tree_is_looked_at(repository: Repository) -> None:
    linked = Repository(repository.path.parent / "linked")
    repository.git("worktree", "add", "--quiet", "--detach", str(linked.path))
    secret = linked.commit({"a": SECRET})
    assert look_history(repository).places == [("a", secret)]


def test_replaced_objects_are_looked_at_as_they_are_and_so_is_what_replaces_them(repository: Repository) -> None:
    bad = repository.commit({"a": SECRET})
    good = repository.git("commit-tree", "-m", "Clean", "-p", f"{bad}^", f"{bad}^^{{tree}}")
    repository.git("replace", bad, good)
    looked = look_history(repository)
    assert looked.places == [("a", bad)]
    assert b"Clean\n" in looked.texts


def test_a_shallow_clone_says_what_it_does_not_have(repository: Repository) -> None:
    repository.commit({"base": "2"})
    path = repository.path.parent / "clone"
    repository.git("clone", "--quiet", "--depth=1", repository.path.as_uri(), str(path))
    looked = look_history(Repository(path))
    assert looked.files == [("base", b"2")]
    assert "shallow clone" in looked.report.notes[0]


def test_a_repository_without_commits_is_0_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    looked = look_history(make(tmp_path / "empty"))
    assert (looked.report.title, looked.files) == ("0 commits of 0 refs", [])
