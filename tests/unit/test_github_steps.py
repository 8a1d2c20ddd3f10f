"""Every script of the workflows and the action, run with bash as GitHub's runner would; shipper is a stand-in."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from actions_runner import ACTION, REPOSITORY, read_yaml
from github_machine import CI, INPUTS, SHIP, Machine

# What would be run by a shell that saw it.
ODD = "$(touch pwned)`touch pwned`; touch pwned #'\" * --x"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_ship_checks_the_push_first_then_ships_and_says_what_is_live(machine: Machine) -> None:
    outputs = machine.runner.action(**INPUTS)
    assert machine.words == [
        ["check", "--range", f"{machine.first}..{machine.second}", "--github"],
        ["ship", "--yes", "--to=production", "--lock-wait=300"],
    ], machine.runner.ran
    assert outputs == {"release": "20261121T000000Z-1a2b3c4", "url": "https://a.example.com"}
    assert "Assume the AWS role" not in machine.names
    assert machine.names.index("Check what was pushed for secrets") < machine.names.index("Set up Node.js")


def test_the_key_is_only_in_the_environment_of_what_connects(machine: Machine) -> None:
    machine.runner.action(**INPUTS)
    check, ship = (call["environment"] for call in machine.calls)
    assert check == {}
    assert ship == {"SHIPPER_SSH_KEY": "the key", "SHIPPER_HOST_KEY": "SHA256:x"}
    assert "the key" not in "".join(ran.output for ran in machine.runner.ran)


def test_findings_end_it_before_anything_is_built_or_sent(machine: Machine) -> None:
    machine.ends_with(check=3)
    assert machine.runner.action(**INPUTS) == {"release": "", "url": ""}
    assert machine.runner.ran[-1].code == 3
    assert [words[0] for words in machine.words] == ["check"]


def test_a_ship_that_fails_fails_the_step_with_its_code(machine: Machine) -> None:
    machine.ends_with(ship=5)
    machine.runner.action(**INPUTS)
    assert (machine.names[-1], machine.runner.ran[-1].code) == ("Ship", 5)


def test_a_rollback_checks_and_builds_nothing(machine: Machine) -> None:
    outputs = machine.runner.action(**INPUTS, action="rollback")
    assert machine.words == [["rollback", "--yes", "--to=production", "--lock-wait=300"]]
    assert outputs["release"] == "20261121T000000Z-1a2b3c4"
    assert not {"Set up Node.js", "Restore builds and layers"} & set(machine.names)
    machine.runner.action(**INPUTS, action="rollback", release="20261120T000000Z-abcdef0")
    assert machine.words[-1][-1] == "--release=20261120T000000Z-abcdef0"


def test_the_environment_is_sent_before_the_ship_when_there_is_one(machine: Machine) -> None:
    machine.runner.action(**INPUTS, **{"env-file": "A=1\nB=2\n"})
    assert [words[0] for words in machine.words] == ["check", "env.push", "ship"]
    _, push, ship = (call["environment"] for call in machine.calls)
    assert push == {**ship, "SHIPPER_ENV_FILE": "A=1\nB=2\n"}


def test_everything_happens_in_the_folder_of_the_project(machine: Machine) -> None:
    machine.runner.action(**INPUTS, **{"working-directory": "app 웹"})
    assert {Path(call["in"]).name for call in machine.calls} == {"app 웹"}
    cache = next(ran for ran in machine.runner.ran if ran.name == "Restore builds and layers")
    assert cache.given["path"] == "app 웹/.shipper"


def test_an_aws_role_is_assumed_for_the_region(machine: Machine) -> None:
    machine.runner.action(**INPUTS, **{"aws-role": "arn:aws:iam::1:role/x", "aws-region": "eu-west-1"})
    role = next(ran for ran in machine.runner.ran if ran.name == "Assume the AWS role")
    assert role.given["role-to-assume"] == "arn:aws:iam::1:role/x"
    assert role.given["aws-region"] == "eu-west-1"


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"action": "shipp"}, "has to be ship or rollback"),
        ({"action": ODD}, "has to be ship or rollback"),
        ({"target": ""}, "'target' is empty"),
        ({"aws-role": "arn:aws:iam::1:role/x"}, "needs 'aws-region'"),
    ],
    ids=["action", "odd action", "target", "region"],
)
def test_inputs_that_cannot_be_meant_end_it_at_once(machine: Machine, inputs: dict[str, str], words: str) -> None:
    machine.runner.action(**{**INPUTS, **inputs})
    assert len(machine.runner.ran) == 1
    assert machine.runner.ran[0].code == 2
    assert machine.runner.ran[0].output.startswith("::error title=shipper::")
    assert words in machine.runner.ran[0].output


def test_no_input_is_ever_run(machine: Machine) -> None:
    odd = dict.fromkeys(("target", "ssh-key", "host-key", "lock-wait", "env-file", "release"), ODD)
    machine.runner.action(**odd)
    machine.runner.action(**odd, action="rollback")
    assert [words[1:] for words in machine.words[1:]] == [
        [f"--to={ODD}"],
        ["--yes", f"--to={ODD}", f"--lock-wait={ODD}"],
        ["--yes", f"--to={ODD}", f"--lock-wait={ODD}", f"--release={ODD}"],
    ]
    assert not list(machine.folder.rglob("pwned"))


def test_a_name_of_a_branch_is_never_run(machine: Machine) -> None:
    machine.runner.event = {**machine.runner.event, "ref": f"refs/heads/{ODD}", "before": "0" * 40}
    machine.runner.action(**INPUTS)
    assert machine.words[0] == ["check", "--range", f"{'0' * 40}..{machine.second}", "--github"]
    assert not list(machine.folder.rglob("pwned"))


def test_the_action_installs_the_shipper_it_came_with(machine: Machine) -> None:
    steps = [step for step in read_yaml(ACTION)["runs"]["steps"] if step.get("id") == "install"]
    del machine.runner.answers["install"]
    # The dependencies are those of this environment: nothing is downloaded.
    machine.runner.environment = {
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's word for "without", https://github.com/pypa/pip/issues/5735
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    outputs = machine.runner.steps(steps, {})["install"]
    assert machine.runner.ran[-1].code == 0, machine.runner.ran[-1].output
    home = machine.runner.temp / "shipper"
    kept = {**os.environ, **machine.runner.environment}
    show = [outputs["python"], "-P", "-c", "import shipper.hooks.actions as module; print(module.__file__)"]
    where = subprocess.run(show, cwd=machine.clone, env=kept, capture_output=True, text=True, check=True).stdout
    assert Path(where.strip()).is_relative_to(home)
    done = subprocess.run([outputs["shipper"], "--version"], env=kept, capture_output=True, text=True, check=True)
    assert "shipper 0." in done.stdout.lower()


def test_the_reusable_workflow_has_no_script_of_its_own() -> None:
    assert [step for step in read_yaml(SHIP)["jobs"]["ship"]["steps"] if "run" in step] == []


def ci_steps(job: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = read_yaml(CI)["jobs"][job]["steps"]
    return steps


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            "test",
            [
                ["sudo", "apt-get", "update", "-qq"],
                ["sudo", "apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker-registry"],
                ["make", "test"],
            ],
        ),
        (
            "local",
            [
                ["python", "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1"],
                ["python", "-m", "pip", "install", "--quiet", "--editable", ".", "--group", "dev"],
                ["python", "-m", "pytest", "tests/unit"],
            ],
        ),
    ],
)
def test_what_ci_installs_and_tests(machine: Machine, job: str, words: list[list[str]]) -> None:
    for name in ("sudo", "make", "python"):
        machine.stand_in(name)
    machine.runner.path.insert(0, str(machine.programs))
    machine.runner.steps(ci_steps(job), {})
    assert {ran.code for ran in machine.runner.ran} == {None, 0}
    assert [call["words"] for call in machine.calls] == words


def test_ci_imports_the_whole_agent(machine: Machine) -> None:
    machine.runner.workspace = REPOSITORY
    machine.runner.environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    machine.runner.steps(ci_steps("agent"), {})
    assert machine.runner.ran[-1].code == 0, machine.runner.ran[-1].output


def test_ci_notices_an_agent_that_cannot_be_imported(machine: Machine) -> None:
    agent = machine.clone / "shipper" / "agent"
    agent.mkdir(parents=True)
    for folder in (agent, agent.parent):
        (folder / "__init__.py").touch()
    (agent / "steps.py").write_text("import requests_that_no_server_has\n")
    machine.runner.environment = {}
    machine.runner.steps(ci_steps("agent"), {})
    assert machine.runner.ran[-1].code == 1


@pytest.mark.parametrize("code", [0, 3])
def test_ci_checks_what_was_pushed_and_gives_code_scanning_what_it_found(machine: Machine, code: int) -> None:
    steps = [step for step in ci_steps("secrets") if step.get("name") == "Check every commit"]
    machine.runner.path.insert(0, str(machine.programs))
    machine.ends_with(check=code)
    machine.runner.steps(steps, {})
    assert machine.runner.ran[-1].code == code, machine.runner.ran[-1].output
    words = ["check", "--range", f"{machine.first}..{machine.second}", "--github", "--sarif", "shipper.sarif"]
    assert machine.words == [words]
    upload = ci_steps("secrets")[-1]
    assert upload["with"]["sarif_file"] == words[-1]
    assert "!cancelled()" in upload["if"], "findings are what makes the step before it fail"
