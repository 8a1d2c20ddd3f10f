"""The two ways in, `shipper` and `inv`: the table of contents, the help, and words that nobody understands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "quality"
TASKS = """
aws.ecr.create build check init logs plan report rollback ship status watch completion.install completion.remove
completion.show env.check env.push hooks.install hooks.remove hooks.status host.check host.clean host.trust lock.release
lock.show lock.take sandbox.down sandbox.reset sandbox.ssh sandbox.status sandbox.up diff open releases env.diff
env.edit env.generate
""".split()


def run(module: str, *words: str, folder: Path = EXAMPLE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


@pytest.mark.parametrize("folder", [EXAMPLE, REPOSITORY])
@pytest.mark.parametrize("module", ["invoke", "shipper"])
def test_list_is_a_table_of_contents_with_a_line_for_every_task(module: str, folder: Path) -> None:
    done = run(module, "--list", folder=folder)
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ") and line[2] != " "]
    assert sorted(row[0] for row in rows) == sorted(TASKS)
    assert all(len(row) == 2 for row in rows), done.stdout


def test_without_a_word_it_shows_the_tasks_and_how_to_go_on() -> None:
    alone, listed = run("shipper"), run("shipper", "--list")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.startswith(listed.stdout)
    assert alone.stdout.removeprefix(listed.stdout).startswith("shipper --help <task>")


@pytest.mark.parametrize("task", TASKS)
def test_every_option_of_every_task_is_explained(task: str) -> None:
    done = run("shipper", "--help", task)
    assert done.returncode == 0, done.stderr
    options = done.stdout.split("Options:")[1].splitlines()
    flags = [line.split() for line in options if line.strip().startswith("-")]
    unexplained = [words for words in flags if not [w for w in words if not w.startswith("-") and w.upper() != w]]
    assert not unexplained, done.stdout


@pytest.mark.parametrize(
    "words",
    [["ship", "--bogus"], ["shpi"], ["ship", "--to"], ["host.clean", "--days", "x"], ["ship", "--lock-wait=soon"]],
)
def test_words_that_nobody_understands_are_a_usage_error(words: list[str]) -> None:
    done = run("shipper", *words)
    assert done.returncode == 2
    assert "shipper --list" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [["logs", "--lines", "-5"], ["host.clean", "--days", "-1"], ["ship", "--lock-wait", "-3"]],
    ids=["lines", "days", "seconds"],
)
def test_less_than_nothing_is_refused_before_any_server_is_asked(words: list[str]) -> None:
    done = run("shipper", *words)
    assert done.returncode == 2, done.stderr
    assert f"{words[1]} {words[2]} is below zero." in done.stderr
    assert f"such as {words[1]} 7" in done.stderr


def test_without_a_ship_toml_it_says_how_one_looks(tmp_path: Path) -> None:
    done = run("shipper", "ship", folder=tmp_path)
    assert done.returncode == 2
    assert "ship.toml" in done.stderr
    assert "[frontend]" in done.stderr


def test_two_releases_are_named_behind_diff_as_people_type_them() -> None:
    done = run("shipper", "diff", "here", "live")
    assert done.returncode == 2
    assert "shipper diff live here" in done.stderr
