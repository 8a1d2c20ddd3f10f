"""`--json`: whatever happens, standard output is JSON as the public schema says, and the exit code is the right one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from bakery import BUILD, SCHEMA, Bakery, told_in, validated

from shipper.report.as_json import SCHEMA as VERSION

# Put together here, so that this file holds none.
TOKEN = "_".join(["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"])
ASKING = ["plan", "status", "host.check", "lock.show", "report"]
RUNNING = ["ship --yes", "rollback --yes", "build"]


@pytest.fixture
def bakery(tmp_path: Path) -> Bakery:
    return Bakery(tmp_path / "bakery")


def test_the_schema_is_one_and_has_the_version_that_is_written() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f":{VERSION}")
    assert SCHEMA.name == f"output-{VERSION}.schema.json"


@pytest.mark.parametrize(
    "told",
    [
        {"schema": 1, "command": "ship", "ok": True, "exit_code": 1, "findings": []},
        {"schema": 1, "command": "ship", "ok": True, "exit_code": 0, "findings": []},
        {"schema": 1, "command": "lock.show", "ok": False, "exit_code": 0, "findings": [], "error": {}},
        {"schema": 1, "command": "build", "ok": True, "exit_code": 0},
        {"schema": 2, "command": "build", "ok": True, "exit_code": 0, "findings": []},
        {"schema": 1, "event": "done", "time": "2026-11-21T14:44:42Z", "step": "lay", "server": "", "text": ""},
        {"schema": 1, "event": "gone", "time": "2026-11-21T14:44:42Z", "step": "lay", "server": "", "text": ""},
    ],
)
def test_the_schema_refuses_what_is_not_so(told: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validated(json.dumps(told))


@pytest.mark.parametrize(
    "command", [*ASKING, *RUNNING, "env.check", "env.push", "env.diff", "releases", "diff", "check --adopt"]
)
def test_without_a_project_every_command_says_so_as_json(command: str, tmp_path: Path, bakery: Bakery) -> None:
    bakery.root = tmp_path
    code, output, beside = bakery.type(*command.split(), "--json")
    (told,) = told_in(output)
    assert (code, told["exit_code"], beside) == (2, 2, "")
    assert told["command"] == command.split()[0]
    assert "ship.toml" in told["error"]["what"]
    assert told["error"]["fix"]


@pytest.mark.parametrize("command", ["lock.show", "ship --yes"])
def test_a_server_that_cannot_be_reached_is_exit_code_4(command: str, bakery: Bakery) -> None:
    code, output, beside = bakery.type(*command.split(), "--json")
    told = told_in(output)[-1]
    assert (code, told["ok"], told["exit_code"], beside) == (4, False, 4, "")
    assert told["error"]["what"] == "127.0.0.1:9 refuses the connection."


def test_findings_that_block_are_exit_code_3_and_are_listed(bakery: Bakery) -> None:
    (bakery.root / "recipe.py").write_text(f"TOKEN = '{TOKEN}'\n", encoding="utf-8")
    bakery.git("add", "--all")
    code, output, _ = bakery.type("check", "--json")
    (told,) = told_in(output)
    assert (code, told["exit_code"]) == (3, 3)
    assert [finding["path"] for finding in told["findings"]] == ["recipe.py"]
    code, output, _ = bakery.type("check", "--adopt", "--json")
    (told,) = told_in(output)
    assert (code, told["adopted"]) == (0, 1)


def test_options_that_nobody_understands_are_json_as_well(bakery: Bakery) -> None:
    for words in (["ship", "--json", "--bogus"], ["ship", "--json", "--lock-wait", "soon"]):
        code, output, beside = bakery.type(*words)
        (told,) = told_in(output)
        assert (code, told["exit_code"], beside) == (2, 2, "")


FAULTY = """\
from invoke.context import Context
from shipper.tasks.face import command

@command()
def build(context, json=False):
    print("what a library prints")
    return 1 / 0

build(Context(), json=True)
"""


def test_a_fault_of_shipper_itself_is_json_too_and_what_libraries_print_stands_beside(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTY],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    (told,) = told_in(done.stdout)
    assert told["error"]["what"] == "shipper itself failed: ZeroDivisionError."
    assert told["exit_code"] == 1
    assert done.stderr.startswith("what a library prints\n")


def test_a_build_tells_its_events_and_then_its_end(tmp_path: Path) -> None:
    bakery = Bakery(tmp_path / "bakery", f"print('빵 {{}}')\n{BUILD}")
    code, output, beside = bakery.type("build", "--json")
    assert (code, beside) == (0, "")
    *events, result = told_in(output)
    assert [event["event"] for event in events] == ["start", "output", "done"]
    assert events[1]["text"] == "빵 {}"
    assert output.isascii()
    assert (result["command"], result["target"]) == ("build", "production")


def test_a_build_that_fails_says_why_and_nothing_stands_beside(tmp_path: Path) -> None:
    bakery = Bakery(tmp_path / "bakery", "raise SystemExit('no flour')\n")
    code, output, beside = bakery.type("build", "--json")
    told = told_in(output)[-1]
    assert (code, told["exit_code"], beside) == (1, 1, "")
    assert "no flour" in told["error"]["why"]


def test_ctrl_c_is_exit_code_130_and_the_last_line_still_comes(tmp_path: Path) -> None:
    bakery = Bakery(tmp_path / "bakery", "import time\nprint('kneading', flush=True)\ntime.sleep(60)\n")
    process = bakery.begin("build", "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if b"kneading" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, beside = process.communicate(timeout=30)
    told = validated(rest.decode().splitlines()[-1])
    assert (process.returncode, told["exit_code"], told["ok"]) == (130, 130, False)
    assert beside == b""


def test_secrets_are_stars_in_json_and_in_text_alike(tmp_path: Path) -> None:
    build = "import os\nprint('the token is', os.environ['NPM_TOKEN'])\nraise SystemExit(os.environ['NPM_TOKEN'])\n"
    bakery = Bakery(tmp_path / "bakery", build)
    for words in (("build", "--json"), ("build", "--verbose")):
        code, output, beside = bakery.type(*words, NPM_TOKEN=TOKEN)
        assert code == 1
        assert TOKEN not in output + beside
        assert "the token is ********" in output
