"""Which commits a run of GitHub's actions checks: real clones, as actions/checkout makes them, and events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shipper.errors import ConfigError
from shipper.hooks.actions import options

ZEROS = "0" * 40


class Clones:
    """A repository on "GitHub", a developer's clone of it, and the one of a run."""

    def __init__(self, folder: Path) -> None:
        self.hub, self.developer, self.run = folder / "hub.git", folder / "developer", folder / "run"
        self.git("init", "-q", "--bare", "-b", "main", str(self.hub), at=folder)
        self.git("clone", "-q", str(self.hub), str(self.developer), at=folder)
        self.git("checkout", "-q", "-b", "main")
        self.base = self.commit()
        self.main = self.commit()
        self.git("push", "-q", "origin", "main")

    def git(self, *words: str, at: Path | None = None) -> str:
        who = [word for key in ("user.name", "user.email") for word in ("-c", f"{key}=a@b.c")]
        done = subprocess.run(
            ["git", *who, *words], cwd=at or self.developer, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, *words: str) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", "x", *words)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> str:
        self.git("checkout", "-q", "-b", name, "main")
        tip = self.commit()
        self.git("push", "-q", "origin", name)
        return tip

    def checkout(self, revision: str, *words: str) -> Path:
        """The clone of a run: all branches with their history, unless said otherwise; no branch is checked out."""
        self.git("clone", "-q", "--no-checkout", *words, self.hub.as_uri(), str(self.run), at=self.hub.parent)
        self.git("checkout", "-q", "--detach", revision, at=self.run)
        return self.run

    def push(self, ref: str, before: str, after: str) -> dict[str, Any]:
        return {"ref": ref, "before": before, "after": after, "repository": {"default_branch": "main"}}


@pytest.fixture
def clones(tmp_path: Path) -> Clones:
    return Clones(tmp_path)


def test_a_push_is_what_came_after_the_commit_before(clones: Clones) -> None:
    event = clones.push("refs/heads/main", clones.base, clones.main)
    assert options("push", event, clones.checkout(clones.main)) == ("--range", f"{clones.base}..{clones.main}")


def test_a_new_branch_is_what_the_default_branch_does_not_have(clones: Clones) -> None:
    tip = clones.branch("feature/한글")
    event = clones.push("refs/heads/feature/한글", ZEROS, tip)
    assert options("push", event, clones.checkout(tip)) == ("--range", f"{clones.main}..{tip}")


def test_a_new_tag_of_what_is_known_has_no_commits(clones: Clones) -> None:
    event = clones.push("refs/tags/v1", ZEROS, clones.main)
    assert options("push", event, clones.checkout(clones.main)) == ("--range", f"{clones.main}..{clones.main}")


def test_the_first_push_of_a_repository_is_all_of_it(clones: Clones) -> None:
    event = clones.push("refs/heads/main", ZEROS, clones.main)
    assert options("push", event, clones.checkout(clones.main)) == ("--range", f"{ZEROS}..{clones.main}")


@pytest.mark.parametrize("branch", ["main", "feature"])
def test_after_a_force_push_more_is_checked_never_less(clones: Clones, branch: str) -> None:
    before = clones.main if branch == "main" else clones.branch(branch)
    after = clones.commit("--amend", "-m", "another one")
    clones.git("push", "-q", "--force", "origin", branch)
    event = clones.push(f"refs/heads/{branch}", before, after)
    start = ZEROS if branch == "main" else clones.main
    # What nothing names any more does not come along with a clone.
    assert options("push", event, clones.checkout(after)) == ("--range", f"{start}..{after}")


def test_a_pull_request_is_what_it_adds_to_its_base(clones: Clones) -> None:
    tip = clones.branch("feature")
    event = {"pull_request": {"base": {"sha": clones.main}, "head": {"sha": tip}}}
    assert options("pull_request", event, clones.checkout(tip)) == ("--range", f"{clones.main}..{tip}")


def test_a_merge_queue_is_what_it_adds(clones: Clones) -> None:
    event = {"merge_group": {"base_sha": clones.base, "head_sha": clones.main}}
    assert options("merge_group", event, clones.checkout(clones.main)) == ("--range", f"{clones.base}..{clones.main}")


@pytest.mark.parametrize("name", ["workflow_dispatch", "schedule", "release", "repository_dispatch"])
def test_without_new_commits_it_is_the_tree(clones: Clones, name: str) -> None:
    assert options(name, {}, clones.checkout(clones.main)) == ("--tree",)


def test_a_branch_that_was_deleted_brings_nothing_in(clones: Clones) -> None:
    event = clones.push("refs/heads/old", clones.base, ZEROS)
    assert options("push", event, clones.checkout(clones.main)) == ("--tree",)


def test_a_clone_without_history_is_refused_and_not_half_checked(clones: Clones) -> None:
    event = clones.push("refs/heads/main", clones.base, clones.main)
    run = clones.checkout(clones.main, "--depth=1")
    with pytest.raises(ConfigError, match=r"no history(.|\n)*fetch-depth: 0"):
        options("push", event, run)


@pytest.mark.parametrize("after", ["--help", "main", "1a2b3c", "1" * 41])
def test_what_is_no_commit_never_reaches_git(clones: Clones, after: str) -> None:
    event = clones.push("refs/heads/main", clones.base, after)
    with pytest.raises(ConfigError, match="names no commit"):
        options("push", event, clones.checkout(clones.main))


def run_module(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    argv = [sys.executable, "-P", "-m", "shipper.hooks.actions"]
    return subprocess.run(argv, cwd=folder, env={**kept, **environment}, capture_output=True, text=True)


def test_the_module_prints_the_options(clones: Clones, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(clones.push("refs/heads/main", clones.base, clones.main)))
    run = clones.checkout(clones.main)
    done = run_module(run, GITHUB_EVENT_NAME="push", GITHUB_EVENT_PATH=str(event))
    assert (done.returncode, done.stdout) == (0, f"--range {clones.base}..{clones.main}\n"), done.stderr


def test_outside_of_a_run_the_module_says_so(clones: Clones) -> None:
    done = run_module(clones.developer)
    assert done.returncode == 1
    assert "no run of GitHub's actions" in done.stderr
    assert "Traceback" not in done.stderr
