"""The project's own commands around a ship: when they run, what they know, and what their failures do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
from conftest import Exec
from corner import Corner
from prepared import PROGRAM

TELL = """
import os, sys
told = {name: value for name, value in os.environ.items() if name.startswith("SHIPPER_") or name == "SECRET_KEY"}
print("told", told["SHIPPER_HOOK"], sys.argv[1], *(f"{name}={told[name]!r}" for name in sorted(told)))
"""
# Asks the new copy on its own socket, before anybody sees it.
SMOKE = """
import http.client, os, socket
connection = http.client.HTTPConnection("corner")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(os.environ["SHIPPER_SOCKET"])
connection.request("GET", "/api/health")
print("the new one says", connection.getresponse().read().decode())
"""
CHECK_SITE = "import os, pathlib; print('site', (pathlib.Path(os.environ['SHIPPER_SITE']) / 'made.txt').read_text())"


def here(script: str, *words: str, **more: object) -> dict[str, object]:
    return {"command": [sys.executable, "-c", script, *words], **more}


def there(script: str, *words: str, **more: object) -> dict[str, object]:
    return {"command": ["python", "-c", script, *words], "on": "server", **more}


def set_hooks(corner: Corner, hooks: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Write the hooks into ship.toml in place of those that are there; a value of JSON is one of TOML."""
    text = (corner.root / "ship.toml").read_text(encoding="utf-8").split("\n[[hooks.")[0]
    for when, entries in hooks.items():
        for entry in entries:
            lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
            text += f"\n[[hooks.{when}]]\n{lines}"
    corner.write("ship.toml", text)


def printed(output: str, words: str) -> str:
    found = [line for line in output.splitlines() if words in line and "|" in line]
    assert len(found) == 1, (words, output)
    return found[0]


@pytest.mark.live
def test_every_hook_runs_at_its_moment_and_knows_what_it_needs(corner: Corner, sandbox_exec: Exec) -> None:
    first = corner.live()
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"')
    set_hooks(
        corner,
        {
            "before_build": [here("import pathlib; pathlib.Path('made.txt').write_text('generated')", path="site")],
            "after_build": [here(CHECK_SITE)],
            "before_switch": [there(SMOKE), there(TELL, "second"), here(TELL, "third")],
            "after_switch": [here(TELL, "here"), there(TELL, "there")],
            "on_failure": [here(TELL, "never")],
        },
    )
    planned = corner.shipper("plan")
    assert planned.code == 0, planned.output
    ended = corner.ship()
    assert ended.code == 0, ended.output
    live = corner.live()
    names = [line.split()[1] for line in planned.output.splitlines() if line.strip()[:1].isdigit()]
    ran = [line.split()[1] for line in ended.output.splitlines() if line.startswith("  ok ")]
    assert sorted([*names, "connect"]) == sorted(ran)
    order = [name for name in ran if name.startswith(("before", "after")) or name in ("health", "switch", "stop")]
    assert " ".join(order) == (
        "before-build after-build health before-switch.1 before-switch.2 before-switch.3 switch stop "
        "after-switch.2 after-switch.1"
    )
    assert corner.get("/made.txt") == (200, "generated")
    assert "| site generated" in ended.output
    assert 'the new one says {"version": "two"' in printed(ended.output, "the new one says")
    second = printed(ended.output, "told before_switch second")
    assert "SECRET_KEY='********'" in second and "marker-9f8e7d6c5b4a" not in ended.output
    for told in (second, printed(ended.output, "told before_switch third"), printed(ended.output, "after_switch here")):
        assert f"SHIPPER_RELEASE='{live}'" in told
        assert f"SHIPPER_PREVIOUS='{first}'" in told
        assert f"SHIPPER_COMMIT='{corner.git('rev-parse', 'HEAD')}'" in told
        assert "SHIPPER_ACTION='ship'" in told and "SHIPPER_TARGET='sandbox'" in told
        assert f"SHIPPER_URL='{corner.url}'" in told
    assert "told on_failure" not in ended.output
    _, journal = sandbox_exec(["cat", "/srv/corner/journal.jsonl"])
    assert '"step": "before-switch.2", "state": "done"' in journal and "marker-" not in journal

    back = corner.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert "before_switch" not in back.output
    assert "SHIPPER_ACTION='rollback'" in printed(back.output, "told after_switch there")


@pytest.mark.live
def test_a_hook_that_fails_before_the_switch_leaves_the_old_release_and_is_told_to_the_hooks_of_a_failure(
    corner: Corner, sandbox_exec: Exec
) -> None:
    live = corner.live()
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"')
    tell = {"on_failure": [there(TELL, "there"), here("raise SystemExit('no network')"), here(TELL, "last")]}
    fails = "import os; print(os.environ['SECRET_KEY']); raise SystemExit('smoke in the kitchen')"
    set_hooks(corner, {"before_switch": [there(fails)], **tell})
    ended = corner.ship()
    assert (ended.code, corner.live()) == (1, live), ended.output
    assert "smoke in the kitchen" in ended.output and "exit code 1" in ended.output
    assert "marker-9f8e7d6c5b4a" not in ended.output
    assert "old release is still serving" in ended.output
    server = printed(ended.output, "told on_failure there")
    assert "`python -c" in server and "failed: exit code 1." in server and f"SHIPPER_PREVIOUS='{live}'" in server
    assert "fail on-failure.2" in ended.output
    assert "failed: exit code 1." in printed(ended.output, "told on_failure last")
    running = ["sh", "-c", "systemctl list-units --plain --no-legend --all 'corner@*' 'corner-*' | wc -l"]
    assert sandbox_exec(running)[1].strip() == "1"

    slow = there("import time; time.sleep(60)", timeout=1)
    for before, words in (
        ([here("import sys; sys.exit(3)")], "exit code 3"),
        ([here("import time; time.sleep(60)", timeout=1)], "ended after 1 s, its time limit"),
        ([slow], "stopped after 1 s"),
        ([here("pass"), {"command": ["no-such-program"]}], "could not be started"),
    ):
        set_hooks(corner, {"before_switch": before, **tell})
        ended = corner.ship()
        assert (ended.code, corner.live()) == (1, live), ended.output
        assert words in ended.output, ended.output
        assert "told on_failure last" in ended.output

    set_hooks(corner, {"after_build": [here("import sys; sys.exit('too large')")], **tell})
    ended = corner.ship()
    assert (ended.code, corner.live()) == (1, live), ended.output
    assert "too large" in ended.output and "told on_failure last" in ended.output
    assert "on_failure there" not in ended.output, "nothing was begun on the server"


def test_a_hook_that_fails_after_the_switch_undoes_nothing_and_is_told_loudly(corner: Corner) -> None:
    set_hooks(corner, {"after_switch": [there("raise SystemExit('warm')"), here("raise SystemExit('cold')")]})
    ended = corner.ship()
    assert ended.code == 6, ended.output
    words = "is live on sandbox, but a hook after the switch failed: after-switch.1, after-switch.2"
    assert f"{corner.live()} {words}" in ended.output
    assert "| warm" in ended.output and "| cold" in ended.output
    again = corner.ship()
    assert again.code == 0 and "Nothing to do" in again.output


@pytest.mark.live
def test_an_agent_killed_during_a_hook_is_undone_and_the_hooks_of_a_failure_run_then(
    corner: Corner, sandbox_exec: Exec
) -> None:
    live = corner.live()
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"')
    wait = there("import time; print('waiting', flush=True); time.sleep(3)")
    set_hooks(corner, {"before_switch": [wait], "on_failure": [there(TELL, "there")]})
    with subprocess.Popen(
        [*PROGRAM, "ship", "--yes"],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "| waiting" in line:
                holder = json.loads(sandbox_exec(["cat", "/srv/corner/lock"])[1])
                sandbox_exec(["kill", "-KILL", str(holder["process"])])
                break
        process.stdout.read()
    status = corner.shipper("status")
    assert "cut off during the step before-switch; it was undone" in status.output, status.output
    assert "told on_failure there" in status.output and "was cut off during" in status.output
    assert corner.live() == live
    assert "on_failure" not in corner.shipper("status").output


def test_in_containers_a_hook_runs_in_one_of_its_own_with_the_apps_environment(gig: Corner, sandbox_exec: Exec) -> None:
    tell = TELL.replace("SECRET_KEY", "DATABASE_PASSWORD")
    command = ["python3", "-c", tell, "there"]
    set_hooks(gig, {"before_switch": [{"command": command, "on": "server"}]})
    ended = gig.ship()
    assert ended.code == 0, ended.output
    told = printed(ended.output, "told before_switch there")
    assert f"SHIPPER_RELEASE='{gig.live()}'" in told and "DATABASE_PASSWORD='********'" in told

    live = gig.live()
    gig.write("site/more.txt", "more")
    sleep = ["python3", "-c", "import time; time.sleep(60)"]
    hooks = {"before_switch": [{"command": sleep, "on": "server", "timeout": 2}]}
    set_hooks(gig, {**hooks, "on_failure": [{"command": command, "on": "server"}]})
    ended = gig.ship()
    assert (ended.code, gig.live()) == (1, live), ended.output
    assert "stopped after 2 s" in printed(ended.output, "told on_failure there")
    names = sandbox_exec(["docker", "ps", "--all", "--format", "{{.Names}}"])[1]
    assert "switch" not in names and "failure" not in names, "what Compose had started is gone as well"
