"""No script of a workflow or an action is without a test: all are listed, and all are run; CI's own check for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from actions_runner import REPOSITORY, Runner, read_yaml
from github_machine import CI, INPUTS, Machine

from shipper.config.load import parse_project
from shipper.origin import Origin
from shipper.render.github import Place, caller_workflow

GITHUB = REPOSITORY / ".github"
WRITTEN = [*sorted(GITHUB.glob("workflows/*.y*ml")), *sorted(GITHUB.glob("actions/*/action.y*ml"))]
PROGRAMS = ("python", "shipper", "sudo", "make")


def every_script(value: Any) -> Iterator[str]:
    """Every text below a key `run`, wherever it stands: a step of a job, of an action, of a job called by another."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "run" and isinstance(inner, str):
                yield inner
            yield from every_script(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every_script(inner)


def caller(folder: Path) -> Path:
    project = parse_project(
        'name = "shop"\n[frontend]\npreset = "static"\n[targets.live]\nhost = "a.example.com"\n', "ship.toml"
    )
    file = folder / "caller.yml"
    file.write_text(caller_workflow(project, Place(".", "main"), Origin("team/shipper", "1a" * 20)), encoding="utf-8")
    return file


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which every program that a script starts is a stand-in, installed ones as well."""
    machine = Machine(tmp_path)
    machine.runner.answers = {"python": {"python-path": str(machine.stand_in("python"))}}
    installed, suffix = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
    home = machine.runner.temp / "shipper" / installed
    home.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy(machine.stand_in(name), home / f"{name}{suffix}")
    machine.runner.path.insert(0, str(machine.programs))
    return machine


def run_everything(machine: Machine, workflows: list[Path]) -> None:
    """Every job of the workflows, and the action in both of its ways."""
    machine.runner.action(**INPUTS, **{"env-file": "A=1\n"})
    machine.runner.action(**INPUTS, action="rollback")
    for file in workflows:
        for job in read_yaml(file)["jobs"].values():
            machine.runner.steps(job.get("steps", []), {})


def test_every_script_of_every_workflow_and_action_is_run(machine: Machine, tmp_path: Path) -> None:
    files = [*WRITTEN, caller(tmp_path)]
    scripts = {script for file in files for script in every_script(read_yaml(file))}
    assert len(scripts) >= 10
    run_everything(machine, [file for file in files if file.name != "action.yml"])
    assert {ran.code for ran in machine.runner.ran} == {None, 0}, machine.runner.ran
    assert scripts - set(machine.runner.scripts) == set(), "no test runs these"


def test_a_script_that_is_skipped_is_noticed(machine: Machine, tmp_path: Path) -> None:
    text = CI.read_text(encoding="utf-8")
    changed = tmp_path / "ci.yml"
    condition = (
        "run: make test\n      - name: Another\n        if: github.event_name == 'schedule'\n        run: make other"
    )
    changed.write_text(text.replace("run: make test", condition), encoding="utf-8")
    run_everything(machine, [changed])
    assert set(every_script(read_yaml(changed))) - set(machine.runner.scripts) == {"make other"}


def test_ci_installs_this_shipper_and_finds_a_secret_with_it(tmp_path: Path) -> None:
    clone = tmp_path / "a clone"
    names = subprocess.run(
        ["git", "ls-files", "-z", "pyproject.toml", "README.md", "LICENSE", "nginx", "systemd", "shipper"],
        cwd=REPOSITORY, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in names.rstrip("\0").split("\0"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, clone / name)
    first = commit_all(clone)
    (clone / "notes.md").write_text("A change.\n")
    second = commit_all(clone)
    installed = tmp_path / "installed"
    runner = Runner(tmp_path / "machine", clone, {})
    runner.path.insert(0, str(installed / "bin"))
    # Beside the dependencies of this environment: nothing is downloaded, and the environment stays as it is.
    runner.environment = {
        "PIP_TARGET": str(installed),
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's word for "without", https://github.com/pypa/pip/issues/5735
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": os.pathsep.join([str(installed), sysconfig.get_path("purelib")]),
    }
    steps = read_yaml(CI)["jobs"]["secrets"]["steps"]
    runner.event = pushed(first, second)
    runner.steps(steps, {})
    assert {ran.code for ran in runner.ran} == {None, 0}, runner.ran
    assert (installed / "shipper" / "program.py").is_file()
    assert "1 commit" in runner.ran[-1].output
    (clone / "notes.md").write_text("The root password of the server is " + "hT9k" + "Wq3!vXz\n")
    runner.event = pushed(second, commit_all(clone))
    runner.steps([step for step in steps if step.get("name") == "Check every commit"], {})
    assert runner.ran[-1].code == 3, runner.ran[-1].output
    assert "::error file=notes.md" in runner.ran[-1].output
    results = json.loads((clone / "shipper.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["secret.password"]


def pushed(before: str, after: str) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main", "before": before, "after": after, "repository": {"default_branch": "main"},
    }  # fmt: skip


def commit_all(clone: Path) -> str:
    who = [word for key in ("user.name", "user.email") for word in ("-c", f"{key}=a@b.c")]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "A change"]):
        subprocess.run(["git", *words], cwd=clone, capture_output=True, check=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, text=True, check=True)
    return done.stdout.strip()
