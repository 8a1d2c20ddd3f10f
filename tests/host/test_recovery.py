"""An agent that was killed in the middle, a store that rotted, a server that is too small: what comes next copes."""

from __future__ import annotations

import json
import subprocess

import pytest
from conftest import Exec
from corner import Corner
from load import Visitors, Wish
from prepared import PROGRAM

START = 'VERSION = "one"'
CHANGED = 'VERSION = "two"'
LEFT = (
    "find /srv/corner /etc/nginx /etc/systemd /tmp -name '*.partial' -o -name 'incoming*' -o -name '.current*' "
    "-o -name '*.shipper-new' -o -name 'shipper-nginx-*'"
)
RUNNING = "systemctl list-units --plain --no-legend 'corner@*' 'corner-*'"


def kill_agent_at(corner: Corner, sandbox_exec: Exec, words: str) -> str:
    """Ship, kill the agent on the server as soon as the words are printed, and return all that was printed."""
    with subprocess.Popen(
        [*PROGRAM, "ship", "--yes"],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if words in line:
                holder = json.loads(sandbox_exec(["cat", "/srv/corner/lock"])[1])
                assert sandbox_exec(["kill", "-KILL", str(holder["process"])])[0] == 0
                break
        return printed + process.stdout.read()


@pytest.mark.live
def test_an_agent_killed_before_the_switch_is_undone_by_whoever_looks_next(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    corner.edit("backend/main.py", START, "import time\ntime.sleep(5)\n" + CHANGED)
    printed = kill_agent_at(corner, sandbox_exec, "... health")
    assert '"one"' in corner.get("/api/health")[1], printed
    status = corner.shipper("status")
    assert status.code == 0, status.output
    assert "was cut off during the step health; it was undone" in status.output
    assert f"{live} is live" in status.output
    assert corner.live() == live
    assert len(sandbox_exec(["sh", "-c", RUNNING])[1].splitlines()) == 1
    assert sandbox_exec(["sh", "-c", LEFT])[1] == ""
    again = corner.shipper("status")
    assert "undone later" in again.output, "the list of ships tells what became of it"
    assert "note" not in again.output
    corner.edit("backend/main.py", "time.sleep(5)", "")
    corner.shipped()
    assert '"two"' in corner.get("/api/health")[1]


@pytest.mark.live
def test_an_agent_killed_after_the_switch_is_finished_by_the_next_ship(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    corner.edit("backend/main.py", START, CHANGED)
    corner.edit("ship.toml", "[nginx]", "drain = 60\n\n[nginx]")
    kill_agent_at(corner, sandbox_exec, "... drain")
    two = corner.live()
    assert two != live
    assert len(sandbox_exec(["sh", "-c", RUNNING])[1].splitlines()) == 2
    corner.edit("site/index.html", "one", "three")
    corner.edit("ship.toml", "drain = 60", "drain = 2")
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert "was cut off during the step drain; it was finished" in ended.output
    assert len(sandbox_exec(["sh", "-c", RUNNING])[1].splitlines()) == 1
    back = corner.shipper("rollback", two, "--yes")
    assert back.code == 0, "what was finished later is a good release: " + back.output


def test_an_agent_killed_in_the_first_ship_leaves_a_server_to_start_from(corner: Corner, sandbox_exec: Exec) -> None:
    corner.edit("backend/main.py", START, "import time\ntime.sleep(5)\n" + START)
    kill_agent_at(corner, sandbox_exec, "... health")
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert "it was undone. Nothing is live" in ended.output
    assert '"one"' in corner.get("/api/health")[1]


@pytest.mark.parametrize("damage", ["printf x | dd of={} conv=notrunc status=none", "truncate --size 3 {}"])
def test_a_damaged_content_in_the_store_is_noticed_and_sent_again(
    corner: Corner, sandbox_exec: Exec, damage: str
) -> None:
    corner.write("site/app.js", "console.log('whole');\n")
    corner.shipped()
    assert sandbox_exec(["sh", "-c", damage.format("/srv/corner/current/site/app.js")])[0] == 0
    assert corner.get("/app.js")[1] != "console.log('whole');\n"
    corner.edit("site/index.html", "one", "two")
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert "2 files" in ended.output
    assert corner.get("/app.js")[1] == "console.log('whole');\n"


def add_target(corner: Corner, name: str, more: str) -> None:
    """Describe the practice server once more in ship.toml, as a target with other habits."""
    access = corner.sandbox
    text = (corner.root / "ship.toml").read_text(encoding="utf-8")
    corner.write(
        "ship.toml",
        f"""{text}
[targets.{name}]
host = "127.0.0.1"
user = "deploy"
port = {access.ssh_port}
key = "{access.key_file}"
host_key = "{access.host_key_fingerprint}"
url = "{access.url}"
env_file = ".env.sandbox"
{more}
""",
    )


@pytest.mark.live
def test_where_two_copies_do_not_fit_the_old_one_is_stopped_first_if_wanted(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    corner.edit("backend/main.py", START, CHANGED)
    add_target(corner, "small", 'strategy = "stop-first"')
    plan = corner.shipper("plan", "--to", "small")
    assert "stop the old backend first" in plan.output, plan.output
    ended = corner.shipper("ship", "--yes", "--to", "small")
    assert ended.code == 0, ended.output
    assert "the backend was away for" in ended.output
    assert '"two"' in corner.get("/api/health")[1]
    corner.edit("backend/main.py", CHANGED, 'raise SystemExit("broken")')
    failed = corner.shipper("ship", "--yes", "--to", "small")
    assert failed.code == 1, failed.output
    assert "undo start" in failed.output
    assert '"two"' in corner.get("/api/health")[1]
    assert corner.live() > live


@pytest.mark.live
def test_a_backend_that_ends_soon_after_it_was_healthy_is_taken_back(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    crash = (
        "import sys, threading\nthreading.Timer(1.0, os._exit, [3]).start()\nprint('about to end', file=sys.stderr)\n"
    )
    corner.edit("backend/main.py", START, crash + CHANGED)
    ended = corner.ship()
    assert ended.code == 1, ended.output
    assert "was healthy and then ended by itself" in ended.output
    assert "about to end" in ended.output
    assert corner.live() == live
    assert '"one"' in corner.get("/api/health")[1]
    assert len(sandbox_exec(["sh", "-c", RUNNING])[1].splitlines()) == 1


@pytest.mark.live
def test_server_errors_of_visitors_bring_the_old_release_back(corner: Corner) -> None:
    live = corner.live()
    add_target(corner, "watched", "auto_rollback = { seconds = 20, at_least = 10 }")
    visits = [Wish("GET", "/", True, ("<h1>",)), Wish("POST", "/api/echo", True, ('"bytes"', "Internal Server Error"))]
    with Visitors(corner.url, visits):
        corner.edit("backend/main.py", START, CHANGED)
        fine = corner.shipper("ship", "--yes", "--to", "watched")
        assert fine.code == 0, fine.output
        assert "0.0 % server errors in" in fine.output
        live = corner.live()
        corner.edit("backend/main.py", '"bytes": len(body)', '"bytes": len(None)')
        ended = corner.shipper("ship", "--yes", "--to", "watched")
    assert ended.code == 1, ended.output
    assert "after the switch were server errors (before:" in ended.output
    assert "500 /api/echo" in ended.output
    assert corner.live() == live
    assert corner.get("/api/health")[0] == 200


@pytest.mark.live
def test_a_folder_of_somebody_else_is_refused(corner: Corner, sandbox_exec: Exec) -> None:
    assert sandbox_exec(["chown", "deploy", "/srv/corner"])[0] == 0
    corner.edit("site/index.html", "one", "two")
    refused = corner.ship()
    assert refused.code == 2, refused.output
    assert "/srv/corner is there already" in refused.output
    assert "sudo chown root: /srv/corner" in refused.output
    assert sandbox_exec(["chown", "root:", "/srv/corner"])[0] == 0
    corner.shipped()
