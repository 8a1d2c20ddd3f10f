"""Hooks of the project: what ship.toml may say of them, where they stand in a plan, and how one runs here."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
from test_plan import EMPTY, FACTS, PARTS, SITE, TARGET, TOML, record, server

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.deliver.upload import Cargo
from shipper.errors import ConfigError, HookError, ShipperError
from shipper.events import Event
from shipper.pipeline.hooks import (
    failure_steps,
    hook_steps,
    named_hooks,
    run_after_switch,
    run_build_hooks,
    run_on_failure,
)
from shipper.pipeline.job import Job
from shipper.pipeline.plan import activation_steps, ship_steps

PYTHONS = {**FACTS, "pythons": {"3.11": "/usr/bin/python3.11"}, "python": {"minor": "3.11"}, "machine": "x86_64"}
STATE = dataclasses.replace(EMPTY, facts={**PYTHONS, "libc": {"name": "glibc", "version": "2.36"}})
SITE_ONLY = 'name = "shop"\n[frontend]\npreset = "static"\n'
ALL = """
[[hooks.before_build]]
command = ["make", "code"]
[[hooks.after_build]]
command = ["make", "look"]
[[hooks.before_switch]]
command = ["make", "smoke"]
[[hooks.before_switch]]
command = ["python", "manage.py", "check"]
on = "server"
[[hooks.after_switch]]
command = ["make", "purge"]
[[hooks.after_switch]]
command = ["python", "manage.py", "warm"]
on = "server"
servers = "first"
[[hooks.on_failure]]
command = ["python", "manage.py", "tell"]
on = "server"
"""


def job_of(text: str, root: Path = Path(), target: Target = TARGET) -> Job:
    return Job(Workspace(root, parse_project(text, "ship.toml")), "production", target)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            TOML + '[[hooks.before_build]]\ncommand = ["make"]\non = "server"\n',
            r"ship.toml:10  hooks.before_build\[0\].on  expected 'here': nothing is built on the server.*before_switch",
            id="a build hook on the server",
        ),
        pytest.param(
            SITE_ONLY + '[[hooks.after_switch]]\ncommand = ["/bin/true"]\non = "server"\n',
            r"hooks.after_switch\[0\]: on = 'server' needs a \[backend\]",
            id="a site without a backend",
        ),
        pytest.param(
            TOML + '[[hooks.after_switch]]\ncommand = ["manage", "warm"]\non = "server"\n',
            r"hooks.after_switch\[0\].command: expected a command that begins with 'python'",
            id="a program that systemd cannot find",
        ),
        pytest.param(
            SITE_ONLY + "[[hooks.after_switch]]\ncommand = []\n", "expected a command, a word for each", id="no words"
        ),
        pytest.param(
            SITE_ONLY + '[[hooks.before_ship]]\ncommand = ["x"]\n', "before_ship  is not a known", id="moment"
        ),
        pytest.param(
            SITE_ONLY + '[[hooks.after_build]]\ncommand = ["x"]\ntimeout = 7200\n', "at most 3600", id="two hours"
        ),
        pytest.param(
            SITE_ONLY + '[[hooks.after_build]]\ncommand = "make it"\n', "expected a list of texts", id="a shell's line"
        ),
    ],
)
def test_a_hook_that_cannot_be_right_is_named_with_what_is_expected(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_project(text, "ship.toml")
    assert caught.match(words)


def test_in_containers_a_hook_of_the_server_may_be_any_program_of_the_image() -> None:
    text = 'name = "shop"\n[backend]\nruntime = "compose"\nservice = "api"\nport = 8000\n'
    project = parse_project(text + '[[hooks.after_switch]]\ncommand = ["warm"]\non = "server"\n', "ship.toml")
    assert project.hooks.after_switch[0].on == "server"


def test_hooks_stand_in_the_plan_where_they_run() -> None:
    job = job_of(TOML + ALL)
    new = record(2)
    steps = ship_steps(
        new,
        STATE,
        job.workspace.project,
        TARGET,
        SITE,
        PARTS,
        Cargo(()),
        hook_steps(job, new, STATE, "ship", first=True),
    )
    names = [step.name for step in steps]
    wanted = (
        "before-build build.frontend after-build health before-switch.1 before-switch.2 switch verify "
        "after-switch.2 prune after-switch.1"
    )
    assert [name for name in names if name in wanted.split()] == wanted.split()
    places = {step.name: (step.place, step.arguments.get("on")) for step in steps}
    assert places["before-switch.1"] == ("server", "here"), "the server says when"
    assert places["before-switch.2"] == ("server", "server")
    assert places["after-switch.1"] == ("here", None)
    command = next(step for step in steps if step.name == "before-switch.2").arguments["command"]
    assert command == ["/usr/bin/python3.11", "manage.py", "check"]


def test_a_further_server_has_only_the_hooks_that_are_for_each() -> None:
    job, new = job_of(TOML + ALL), record(2)
    hooks = hook_steps(job, new, STATE, "ship", first=False)
    assert [step.name for step in activation_steps(new, STATE, TARGET, hooks) if "-switch" in step.name] == [
        "before-switch.2"
    ]
    assert hooks.before_build == hooks.afterwards == ()


def test_a_rollback_has_no_hook_in_its_way() -> None:
    job, old, new = job_of(TOML + ALL), record(1), record(2)
    state = dataclasses.replace(server(old, new), facts=STATE.facts)
    hooks = hook_steps(job, old, state, "rollback", first=True)
    assert (hooks.before_build, hooks.before_switch) == ((), ())
    assert [step.name for step in (*hooks.after_switch, *hooks.afterwards)] == ["after-switch.2", "after-switch.1"]
    assert hooks.after_switch[0].arguments["variables"]["SHIPPER_ACTION"] == "rollback"


def test_the_hooks_of_a_failure_run_in_the_slot_that_stays() -> None:
    job, old = job_of(TOML + ALL), record(1)
    new = {**record(2), "slot": "0123456789ab"}
    state = dataclasses.replace(server(old), facts=STATE.facts)
    (step,) = hook_steps(job, new, state, "ship", first=True).on_failure
    assert step.arguments["slot"] == old["slot"] != new["slot"]
    assert f"/slots/{old['slot']}/env" in step.arguments["properties"]["EnvironmentFile"]
    assert failure_steps(job, new, None, state, "ship", first=True) == (), "at a first ship there is none"


def test_one_hook_of_a_moment_has_no_number() -> None:
    job = job_of(TOML + ALL)
    assert [name for name, _ in named_hooks(job, "before_build")] == ["before-build"]
    assert [name for name, _ in named_hooks(job, "before_switch")] == ["before-switch.1", "before-switch.2"]


def script(when: str, text: str, **more: object) -> str:
    path = Path(sys.executable).as_posix()
    keys = "".join(f"{key} = {value!r}\n" for key, value in more.items())
    return f"[[hooks.{when}]]\ncommand = ['{path}', '-c', '''{text}''']\n{keys}"


def test_a_hook_of_this_machine_knows_the_ship_and_shows_no_value_of_the_env_file(tmp_path: Path) -> None:
    secret = "correct" + "-horse-" + "battery"
    (tmp_path / ".env.production").write_text(f"SECRET_KEY={secret}\n", encoding="utf-8")
    (tmp_path / "code").mkdir()
    text = (
        "import os, pathlib; told = os.environ; here = pathlib.Path().resolve().name;"
        "print(told['SHIPPER_HOOK'], told['SHIPPER_URL'], here);"
        "print(pathlib.Path('../.env.production').read_text())"
    )
    events: list[Event] = []
    run_build_hooks(
        job_of(SITE_ONLY + script("before_build", text, path="code"), tmp_path), "before_build", events.append
    )
    lines = [event.text for event in events if event.kind == "output"]
    assert lines == ["before_build http://shop.example.com code", "SECRET_KEY=********"]
    assert [event.kind for event in events] == ["start", "output", "output", "done"]


def test_the_first_hook_that_fails_before_the_build_ends_it(tmp_path: Path) -> None:
    text = script("before_build", "print(1); raise SystemExit(4)") + script("before_build", "print(2)")
    events: list[Event] = []
    with pytest.raises(HookError, match=r"before-build.1 failed \(exit code 4\)") as caught:
        run_build_hooks(job_of(SITE_ONLY + text, tmp_path), "before_build", events.append)
    assert caught.value.exit_code == 1
    assert [event.text for event in events if event.kind == "output"] == ["1"]
    assert events[-1].kind == "failed"


def test_after_the_switch_every_hook_runs_whatever_the_others_did(tmp_path: Path) -> None:
    text = script("after_switch", "raise SystemExit(1)") + script("after_switch", "print('ran')")
    events: list[Event] = []
    failed = run_after_switch(job_of(SITE_ONLY + text, tmp_path), record(1), "", "ship", events.append)
    assert [step for step, _ in failed] == ["after-switch.1"]
    assert "ran" in [event.text for event in events]


def test_the_hooks_of_a_failure_get_its_reason_and_a_usage_error_is_none(tmp_path: Path) -> None:
    text = script("on_failure", "import os; print(os.environ['SHIPPER_REASON'])")
    job = job_of(SITE_ONLY + text, tmp_path)
    events: list[Event] = []
    run_on_failure(job, "ship", ConfigError("There is no target 'x'."), events.append)
    assert events == []
    run_on_failure(job, "ship", ShipperError("The build\nfailed."), events.append)
    assert [event.text for event in events if event.kind == "output"] == ["The build failed."]
