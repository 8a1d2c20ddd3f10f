"""A container's own health check counts, and how a container ended is told with its cause, in one screen."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from conftest import Exec
from corner import Corner
from gig import containers, edited

pytestmark = pytest.mark.xdist_group("container health")

START = 'VERSION = "one"'
COMMAND = 'CMD ["python3", "-u", "main.py"]'
BUILT = "      context: ./api\n"


def screen(output: str) -> str:
    """Return what stands from the failure on, as one line: where it is folded depends on the width."""
    told = output[output.rindex("  fail ") :]
    assert len(told.splitlines()) < 50, told
    return " ".join(told.split())


def check_in_image(*options: str, says: str = "the queue is away", code: int = 3) -> tuple[str, str]:
    command = f"echo asked >> /tmp/asked; echo {says}; exit {code}"
    return COMMAND, f"HEALTHCHECK {' '.join(options)} CMD {command}\n{COMMAND}"


def check_in_compose(**keys: object) -> tuple[str, str]:
    return BUILT, f"{BUILT}    healthcheck: {json.dumps(keys)}\n"


def test_a_health_check_counts_besides_http_and_is_run_at_once(serving: Corner, sandbox_exec: Exec) -> None:
    live, before = serving.live(), containers(sandbox_exec)
    # The engine would look for the first time after the ship has given up.
    with edited(serving, "api/Dockerfile", *check_in_image("--interval=1h")):
        ended = serving.ship()
        assert ended.code == 1, ended.output
        assert "answers, but its own health check fails: the queue is away" in screen(ended.output)
        assert "HEALTHCHECK in the Dockerfile" in screen(ended.output)
        assert (serving.live(), containers(sandbox_exec)) == (live, before)
        with edited(serving, "docker-compose.yml", *check_in_compose(disable=True)):
            live = serving.shipped()
    with edited(serving, "docker-compose.yml", *check_in_compose(test=["CMD", "python3", "-c", "1/0"], interval="1s")):
        ended = serving.ship()
        assert ended.code == 1, ended.output
        assert "ZeroDivisionError" in screen(ended.output)
        assert serving.live() == live
    with edited(serving, "api/Dockerfile", *check_in_image("--interval=1h", code=0)):
        assert serving.shipped() != live
        container = containers(sandbox_exec)["gig-api-1"]
        assert sandbox_exec(["docker", "exec", container, "cat", "/tmp/asked"])[1] == "asked\n"


FATES = {
    "its migration fails": (
        [("api/migrate.py", "import os", "import sys; sys.exit('no such table')")],
        ["fail migrate", "A table is missing in the database"],
    ),
    "it exits at once": (
        [("api/main.py", "import http.server", "raise SystemExit('no key')")],
        ["exits right after its start", "no key"],
    ),
    "the engine calls it unhealthy": (
        [
            ("api/Dockerfile", *check_in_image("--interval=1s", "--retries=1")),
            ("api/main.py", "self.send_response(200)", "self.send_response(500)"),
        ],
        ["has not become healthy in 8 s", "/api/health: HTTP 500", "health check: unhealthy", "the queue is away"],
    ),
    "a variable is missing": (
        [("api/main.py", START, 'VERSION = os.environ["API_KEY"]')],
        ["exits right after its start", "A variable that the backend needs is not set", "'API_KEY'", "inv env.push"],
    ),
    "its command cannot be executed": (
        [("api/Dockerfile", COMMAND, 'RUN echo : > /run.sh && chmod 755 /run.sh\nCMD ["/run.sh"]')],
        ["exits right after its start", "exec format error", "for another kind of processor", "#!/bin/sh"],
    ),
    "killed with 137": (
        [("api/main.py", START, "os._exit(137)")],
        ["was killed (137)", "most probably out of memory", "inv host.check", "exit code 137"],
    ),
    "out of memory": (
        [("api/main.py", START, "hog = bytearray(300_000_000)")],
        ["was killed: out of memory", "its limit is 96 MiB", "memory limit in the compose file"],
    ),
}


@pytest.mark.parametrize("case", FATES)
def test_a_release_that_fails_is_told_with_its_cause_and_leaves_the_old_one_serving(
    serving: Corner, sandbox_exec: Exec, case: str
) -> None:
    changes, wanted = FATES[case]
    live, before = serving.live(), containers(sandbox_exec)
    with ExitStack() as stack:
        for path, old, new in changes:
            stack.enter_context(edited(serving, path, old, new))
        ended = serving.ship()
    assert ended.code == 1, ended.output
    told = screen(ended.output)
    for words in wanted:
        assert words in told, ended.output
    assert (serving.live(), containers(sandbox_exec)) == (live, before)
    assert json.loads(serving.get("/api/health")[1])["version"] == "one"
    left = sandbox_exec(["docker", "ps", "--all", "--format", "{{.Names}}"])[1].split()
    assert len(left) == len(before), left
