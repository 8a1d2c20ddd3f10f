"""What the check of a range looks at: the commits that somebody names, as CI does."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_repositories import SECRET, Looked, Repository, isolate, look, make

from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import commit_range
from shipper.errors import ConfigError

WORD = SECRET.decode()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Three commits on main (the second with a secret, tagged v1 and v2 around it), one on a side branch."""
    isolate(monkeypatch, tmp_path)
    repository = make(tmp_path / "work")
    repository.commit({"a": "1"}, "One")
    repository.git("tag", "v1")
    repository.git("switch", "--quiet", "-c", "side")
    repository.commit({"side": SECRET}, "Side")
    repository.git("switch", "--quiet", "main")
    repository.commit({"b": SECRET}, "Two")
    repository.commit({"b": "clean"}, "Three")
    return repository


def look_range(repository: Repository, revisions: str) -> Looked:
    with GitRepository.open(repository.path) as opened:
        return look(commit_range(opened, revisions))


@pytest.mark.parametrize(
    ("revisions", "files", "commits"),
    [
        ("v1..main", ["b=SECRET", "b=clean"], 2),
        ("v1..", ["b=SECRET", "b=clean"], 2),
        ("^v1 main", ["b=SECRET", "b=clean"], 2),
        ("main ^v1", ["b=SECRET", "b=clean"], 2),
        ("side...main", ["b=SECRET", "b=clean", "side=SECRET"], 3),
        ("main..side", ["side=SECRET"], 1),
        ("side main ^v1", ["b=SECRET", "b=clean", "side=SECRET"], 3),
        ("main", ["b=clean"], 1),
        ("HEAD~1", ["b=SECRET"], 1),
        ("main~1^!", ["b=SECRET"], 1),
        ("v1", ["a=1"], 1),
        ("main..v1", [], 0),
        ("HEAD..HEAD", [], 0),
    ],
)
def test_the_commits_of_a_range_are_looked_at(
    repository: Repository, revisions: str, files: list[str], commits: int
) -> None:
    looked = look_range(repository, revisions)
    assert sorted(f"{path}={data.decode()}" for path, data in looked.files) == [
        file.replace("SECRET", WORD) for file in files
    ]
    assert looked.report.commits == commits
    assert looked.report.title == f"{commits} commit{'s' * (commits != 1)} of {revisions}"


def test_one_merge_commit_shows_what_it_adds_itself(repository: Repository) -> None:
    repository.git("merge", "--quiet", "--no-commit", "side")
    merge = repository.commit({"evil": SECRET}, "Merge")
    looked = look_range(repository, "HEAD")
    assert (looked.files, looked.places) == ([("evil", SECRET)], [("evil", merge)])


def test_the_null_id_as_the_beginning_means_everything(repository: Repository) -> None:
    """GitHub's `github.event.before` of a new branch."""
    looked = look_range(repository, f"{'0' * 40}..main")
    assert looked.files == [("a", b"1"), ("b", SECRET), ("b", b"clean")]
    assert looked.report.notes == ("The range begins with the null id: all commits before its end were looked at.",)


def test_a_tag_at_the_end_is_looked_at_with_its_message(repository: Repository) -> None:
    repository.git("tag", "--annotate", "-m", f"release {WORD}", "v2")
    looked = look_range(repository, "HEAD..v2")
    assert looked.places == [("", repository.id("v2"))]
    assert looked.report.title == "0 commits of HEAD..v2"


@pytest.mark.parametrize(
    "revisions",
    [
        *("nothing..main", "main..nothing", "", "  ", "--all", "main --output=x", "-n1", "b", "main:b", "v1..main:b"),
        *("a b", "1234567", "1" * 40, f"{'1' * 40}..main", "main..main..main", "HEAD~99..HEAD"),
    ],
)
def test_what_names_no_commits_is_refused(repository: Repository, revisions: str) -> None:
    with pytest.raises(ConfigError) as caught:
        look_range(repository, revisions)
    assert "names no commits here" in caught.value.what
    assert "git fetch --all" in caught.value.fix


@pytest.mark.parametrize("revisions", ["HEAD~1..HEAD", "{first}..HEAD"], ids=["by name", "by id"])
def test_a_shallow_clone_without_the_beginning_is_refused_with_the_way_to_get_it(
    repository: Repository, revisions: str
) -> None:
    shallow = clone(repository, "--depth=1")
    with pytest.raises(ConfigError) as caught:
        look_range(shallow, revisions.format(first=repository.id("v1")))
    assert "git fetch --unshallow" in caught.value.fix
    assert "fetch-depth: 0" in caught.value.fix


def test_a_shallow_clone_that_reaches_far_enough_is_looked_at(repository: Repository) -> None:
    shallow = clone(repository, "--depth=2")
    assert look_range(shallow, "HEAD~1..HEAD").files == [("b", b"clean")]
    whole = look_range(shallow, "HEAD~1")
    assert whole.files == [("a", b"1"), ("b", SECRET)]
    assert "This is a shallow clone" in whole.report.notes[0]


def test_what_is_on_a_remote_already_must_be_rotated_first(repository: Repository) -> None:
    cloned = clone(repository)
    repository_fix = look_range(repository, "v1..main").report.findings[0].fix
    assert "git rebase -i" in repository_fix
    fix = look_range(cloned, "v1..main").report.findings[0].fix
    assert "rotate it first" in fix
    assert "git filter-repo --replace-text" in fix


def clone(repository: Repository, *options: str) -> Repository:
    path = repository.path.parent / "clone"
    repository.git("clone", "--quiet", *options, repository.path.as_uri(), str(path))
    return Repository(path)
