"""The workflows and the action: valid by their schemas, and held to rules that keep what they are trusted with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from actions_runner import ACTION, REPOSITORY, read_yaml

from shipper.config.load import parse_project
from shipper.origin import Origin
from shipper.render.github import Place, caller_workflow

WORKFLOWS = REPOSITORY / ".github" / "workflows"
CI, SHIP = WORKFLOWS / "ci.yml", WORKFLOWS / "ship.yml"
OURS = [CI, SHIP, ACTION]
FRONTEND = 'name = "shop"\n[frontend]\npreset = "static"\n'
BACKEND = 'name = "shop"\n[frontend]\npreset = "next"\n[backend]\napp = "a:app"\n'
ECR = (
    'name = "shop"\n[backend]\nruntime = "compose"\nservice = "api"\nport = 8000\n'
    '[backend.image]\ndelivery = "ecr"\nrepository = "team/shop"\nregion = "eu-west-1"\n'
)


def targets(*names: str) -> str:
    return "".join(f'[targets.{name}]\nhost = "{name}.example.com"\n' for name in names)


PROJECTS = {
    "one target": FRONTEND + targets("live"),
    "two targets": BACKEND + targets("production", "staging"),
    "ECR in a folder": ECR + targets("x", "y", "www"),
}


@pytest.fixture(params=PROJECTS)
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The workflow that is written for somebody's project."""
    place = Place("app: #1/웹" if "folder" in request.param else ".", "release/v'1")
    project = parse_project(PROJECTS[request.param], "ship.toml")
    text = caller_workflow(project, place, Origin("team/shipper", "1a" * 20))
    file = tmp_path / ".github" / "workflows" / "ship.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return file


def program(name: str) -> str:
    """A developers' tool, from the environment of these tests."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is missing; it belongs to the developers' tools: make venv"
    return found


def run(*argv: str, given: str = "") -> tuple[int, str]:
    done = subprocess.run(argv, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    return done.returncode, done.stdout


def validate(schema: str, *files: Path) -> None:
    code, output = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files))
    assert code == 0, output


def audit(*files: Path) -> None:
    code, output = run(program("zizmor"), "--offline", "--no-progress", "--persona=pedantic", *map(str, files))
    assert code == 0, output


def test_our_files_are_valid_by_their_schemas() -> None:
    validate("vendor.github-workflows", CI, SHIP)
    validate("vendor.github-actions", ACTION)
    validate("vendor.dependabot", REPOSITORY / ".github" / "dependabot.yml")


def test_our_files_hold_nothing_that_can_be_misused() -> None:
    audit(*OURS, REPOSITORY / ".github" / "dependabot.yml")


def test_the_callers_file_is_valid_and_holds_nothing_that_can_be_misused(caller: Path) -> None:
    validate("vendor.github-workflows", caller)
    audit(caller)


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = read_yaml(file)["jobs"]
    return loaded


def steps(file: Path) -> Iterator[dict[str, Any]]:
    if file == ACTION:
        yield from read_yaml(file)["runs"]["steps"]
    else:
        for job in jobs(file).values():
            yield from job.get("steps", [])


SCRIPTS = [(file, step["run"]) for file in OURS for step in steps(file) if "run" in step]


@pytest.mark.parametrize(("file", "script"), SCRIPTS, ids=[script.splitlines()[0][:40] for _, script in SCRIPTS])
def test_a_script_is_good_shell_and_holds_no_expression(file: Path, script: str) -> None:
    assert "${{" not in script, "a value in a script is a script; it comes through env"
    code, output = run(program("shellcheck"), "--shell=bash", "-", given=script)
    assert code == 0, output


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(file: Path) -> None:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert lines
    pinned = re.compile(r"(- )?uses: ([\w.-]+/)+[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in lines if not pinned.fullmatch(line) and "uses: $/" not in line] == []


def test_one_action_is_one_commit_everywhere() -> None:
    found = {match for file in OURS for match in re.findall(r"uses: (\S+)@(\S+ # \S+)", file.read_text("utf-8"))}
    assert len({action for action, _ in found}) == len(found)


@pytest.mark.parametrize("file", [CI, SHIP], ids=lambda file: file.stem)
def test_every_job_ends_in_time_and_starts_with_few_rights(file: Path) -> None:
    assert read_yaml(file)["permissions"] in ({}, {"contents": "read"})
    for name, job in jobs(file).items():
        assert "timeout-minutes" in job, name
        rights = {right for right, level in job.get("permissions", {}).items() if level == "write"}
        assert rights <= {"id-token", "security-events"}, name
        uploads = any("upload-sarif" in step.get("uses", "") for step in job["steps"])
        assert ("security-events" in rights) == uploads, name


@pytest.mark.parametrize("file", [CI, SHIP], ids=lambda file: file.stem)
def test_no_clone_keeps_the_token(file: Path) -> None:
    clones = [step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@")]
    assert clones
    assert all(step["with"]["persist-credentials"] is False for step in clones)


def test_a_running_ship_is_never_cancelled_and_a_pull_request_is() -> None:
    assert jobs(SHIP)["ship"]["concurrency"] == {
        "group": "ship-${{ inputs.target }}-${{ inputs.working-directory }}",
        "cancel-in-progress": False,
    }
    ci = read_yaml(CI)["concurrency"]
    assert ci["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    assert "github.sha" in ci["group"], "a commit of main does not wait for, or replace, another one"


def test_ci_covers_three_systems_all_pythons_and_the_agents_python() -> None:
    matrix = jobs(CI)["local"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert any(step.get("with", {}).get("python-version") == "3.9" for step in jobs(CI)["agent"]["steps"])


def test_whoever_checks_commits_has_their_history() -> None:
    for job in jobs(CI).values():
        scripts = "".join(step.get("run", "") for step in job["steps"])
        if "shipper.hooks.actions" in scripts:
            assert job["steps"][0]["with"]["fetch-depth"] == 0


def references(value: Any, context: str) -> set[str]:
    """The names that expressions in a part of a file take from a context, such as `inputs`."""
    if isinstance(value, dict):
        return {name for part in value.values() for name in references(part, context)}
    if isinstance(value, list):
        return {name for part in value for name in references(part, context)}
    return set(re.findall(rf"\b{context}\.([\w-]+)", str(value)))


def test_every_input_of_the_action_is_used_and_every_one_used_is_declared() -> None:
    action = read_yaml(ACTION)
    assert references(action["runs"], "inputs") == set(action["inputs"])
    ids = {step["id"] for step in action["runs"]["steps"] if "id" in step}
    assert references([action["runs"], action["outputs"]], "steps") <= ids


def test_every_input_and_secret_of_the_workflow_is_used_and_every_one_used_is_declared() -> None:
    workflow = read_yaml(SHIP)
    call, job = workflow["on"]["workflow_call"], workflow["jobs"]["ship"]
    assert references(job, "inputs") == set(call["inputs"])
    assert references(job, "secrets") == set(call["secrets"])
    assert references(call["outputs"], "jobs.ship.outputs") == set(job["outputs"])
    assert set(job["steps"][-1]["with"]) == set(read_yaml(ACTION)["inputs"])


def test_what_the_workflow_and_the_action_say_of_an_input_is_the_same() -> None:
    of_action, of_workflow = read_yaml(ACTION)["inputs"], read_yaml(SHIP)["on"]["workflow_call"]["inputs"]
    for name in of_action.keys() & of_workflow.keys():
        if "default" in of_action[name]:
            assert str(of_workflow[name]["default"]) == of_action[name]["default"], name


def test_the_caller_gives_what_the_workflow_takes(caller: Path) -> None:
    call = read_yaml(SHIP)["on"]["workflow_call"]
    for name, job in jobs(caller).items():
        assert job["uses"] == f"team/shipper/.github/workflows/ship.yml@{'1a' * 20}"
        assert job["with"]["target"] == name
        assert set(job["with"]) <= set(call["inputs"])
        assert set(job["secrets"]) <= set(call["secrets"])
        # A called workflow cannot have more rights than its caller gives; it would not even start.
        assert job["permissions"] == jobs(SHIP)["ship"]["permissions"]
        assert all(value == f"${{{{ secrets.{secret} }}}}" for secret, value in job["secrets"].items())
    offered = read_yaml(caller)["on"]["workflow_dispatch"]["inputs"]
    assert references(read_yaml(caller)["jobs"], "inputs") == set(offered)
    assert offered.get("target", {"options": list(jobs(caller))})["options"] == list(jobs(caller))


def test_production_is_last_and_waits_for_the_others() -> None:
    text = caller_workflow(parse_project(PROJECTS["two targets"], "x"), Place(".", "main"), Origin("a/b", "0" * 40))
    assert text.index("  staging:\n") < text.index("  production:\n    needs: staging\n    if: ${{ !cancelled()")
