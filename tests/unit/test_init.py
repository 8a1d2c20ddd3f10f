"""`inv init --github`: the workflow for a project in a real repository, and which shipper it names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from actions_runner import read_yaml
from prepared import run_shipper

from shipper.errors import ConfigError
from shipper.origin import Origin, origin_of_clone, parse_origin

COMMIT = "1a2b3c4d5e" * 4
SOURCE = ("--source", f"team/shipper@{COMMIT}")
PROJECT = """\
name = "shop"
[frontend]
preset = "next"
[backend]
app = "a:app"
[targets.production]
host = "a.example.com"
key = "~/.ssh/production.pem"
host_key = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
[targets.staging]
host = "b.example.com"
env_file = ".env.staging"
"""


def git(folder: Path, *words: str) -> str:
    who = [word for key in ("user.name", "user.email") for word in ("-c", f"{key}=a@b.c")]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    (folder / "ship.toml").write_text(PROJECT, encoding="utf-8")
    return folder


def init(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_shipper(["init", *words], folder, os.environ, apart=True)


def test_it_writes_the_workflow_and_says_what_github_has_to_know(project: Path) -> None:
    done = init(project, "--github", *SOURCE)
    assert done.returncode == 0, done.stderr
    workflow = read_yaml(project / ".github" / "workflows" / "ship.yml")
    assert workflow["on"]["push"]["branches"] == ["trunk"]
    assert list(workflow["jobs"]) == ["staging", "production"]
    for words in (
        "gh api --method PUT 'repos/{owner}/{repo}/environments/staging'",
        "gh secret set SHIPPER_SSH_KEY --env production < ~/.ssh/production.pem",
        "gh secret set SHIPPER_SSH_KEY --env staging < <private key file>",
        "gh variable set SHIPPER_HOST_KEY --env staging",
        "gh secret set SHIPPER_ENV_FILE --env staging < .env.staging",
        "required reviewers",
    ):
        assert words in done.stdout
    # It is pinned in ship.toml.
    assert "SHIPPER_HOST_KEY --env production" not in done.stdout
    assert "AWS" not in done.stdout


def test_done_twice_is_done_once(project: Path) -> None:
    first = init(project, "--github", *SOURCE)
    again = init(project, "--github", *SOURCE)
    assert again.returncode == 0, again.stderr
    assert "is written" in first.stdout
    assert "is there already, as it would be written" in again.stdout


def test_another_file_is_left_as_it_is_and_the_difference_is_shown(project: Path) -> None:
    init(project, "--github", *SOURCE)
    file = project / ".github" / "workflows" / "ship.yml"
    mine = file.read_text("utf-8").replace("name: Ship shop", "name: Mine")
    file.write_text(mine, encoding="utf-8")
    done = init(project, "--github", *SOURCE)
    assert done.returncode == 2
    assert "-name: Mine" in done.stderr
    assert "+name: Ship shop" in done.stderr
    assert file.read_text("utf-8") == mine


def test_print_shows_the_same_file_and_writes_nothing(project: Path) -> None:
    shown = init(project, "--github", "--print", *SOURCE)
    assert shown.returncode == 0, shown.stderr
    assert not (project / ".github").exists()
    init(project, "--github", *SOURCE)
    assert shown.stdout == (project / ".github" / "workflows" / "ship.yml").read_text("utf-8")


def test_a_project_in_a_folder_of_its_repository_has_a_workflow_of_its_own_at_the_top(project: Path) -> None:
    git(project, "mv", "-k", "ship.toml", "x")
    (project / "apps" / "shop").mkdir(parents=True)
    (project / "ship.toml").rename(project / "apps" / "shop" / "ship.toml")
    done = init(project / "apps" / "shop", "--github", *SOURCE)
    assert done.returncode == 0, done.stderr
    jobs = read_yaml(project / ".github" / "workflows" / "ship-shop.yml")["jobs"]
    assert {job["with"]["working-directory"] for job in jobs.values()} == {"apps/shop"}


@pytest.mark.parametrize(
    ("prepare", "branch"),
    [
        ([], "trunk"),
        ([["branch", "main"]], "main"),
        (
            [
                ["update-ref", "refs/remotes/origin/live", "HEAD"],
                ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/live"],
            ],
            "live",
        ),
    ],
    ids=["the current one", "main", "the remote's"],
)
def test_the_branch_that_is_shipped_is_the_default_one(project: Path, prepare: list[list[str]], branch: str) -> None:
    git(project, "commit", "-q", "--allow-empty", "-m", "x")
    for words in prepare:
        git(project, *words)
    init(project, "--github", *SOURCE)
    assert read_yaml(project / ".github" / "workflows" / "ship.yml")["on"]["push"]["branches"] == [branch]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "is there already"),
        (("--github", "--source", "team/shipper@main"), "branches and tags can be moved"),
        (("--github", "--source", "team/shipper"), "<owner>/shipper@<commit>"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(project: Path, words: tuple[str, ...], said: str) -> None:
    done = init(project, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (project / ".github").exists()


def test_without_a_target_there_is_nothing_to_write(project: Path) -> None:
    (project / "ship.toml").write_text(PROJECT.partition("[targets")[0], encoding="utf-8")
    done = init(project, "--github", *SOURCE)
    assert done.returncode == 2
    assert "[targets.production]" in done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of shipper, from somewhere."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    git(tmp_path, "clone", "-q", "hub.git", "clone")
    folder = tmp_path / "clone"
    git(folder, "checkout", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    git(folder, "push", "-q", "origin", "main")
    return folder


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/team/shipper",
        "https://github.com/team/shipper.git",
        "https://somebody:token@github.com/team/shipper.git/",
        "git@github.com:team/shipper.git",
        "ssh://git@github.com/team/shipper.git",
    ],
)
def test_a_clone_knows_where_it_comes_from(clone: Path, url: str) -> None:
    commit = git(clone, "rev-parse", "HEAD")
    git(clone, "remote", "set-url", "origin", url)
    assert origin_of_clone(clone) == Origin("team/shipper", commit)


def test_a_commit_that_was_never_pushed_cannot_be_named(clone: Path) -> None:
    git(clone, "remote", "set-url", "origin", "https://github.com/team/shipper")
    git(clone, "commit", "-q", "--allow-empty", "-m", "only here")
    with pytest.raises(ConfigError, match="was never pushed"):
        origin_of_clone(clone)


@pytest.mark.parametrize("url", ["https://git.example.com/team/shipper", "https://notgithub.com/team/shipper"])
def test_a_clone_from_elsewhere_is_refused_and_no_login_is_shown(clone: Path, url: str) -> None:
    git(clone, "remote", "set-url", "origin", url.replace("//", "//me:hidden@"))
    with pytest.raises(ConfigError, match="not on GitHub") as caught:
        origin_of_clone(clone)
    assert "hidden" not in str(caught.value)


def test_what_names_a_commit_is_read() -> None:
    assert parse_origin(f"team/shipper@{COMMIT}") == Origin("team/shipper", COMMIT)
