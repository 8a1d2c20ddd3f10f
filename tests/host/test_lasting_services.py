"""What outlives releases (databases): brought up once, watched at its start, changed only when its definition does."""

from __future__ import annotations

import json
import urllib.request

from conftest import Exec
from corner import Corner
from gig import containers

COMPOSE = "docker-compose.yml"
IMAGE = "    image: gig-database:1\n"
DATABASE = """  database:
    image: gig-database:1
    container_name: gig-database
    restart: always
    ports: ["7000:7000"]
    environment:
      DATABASE_PASSWORD: ${DATABASE_PASSWORD}
    volumes: ["rows:/data"]
"""


def add_row(gig: Corner) -> int:
    """Let the app write a row; return how many there are."""
    with urllib.request.urlopen(urllib.request.Request(gig.url + "/api/x", method="POST"), timeout=10) as answer:
        return int(json.loads(answer.read())["rows"])


def test_one_that_fails_right_after_its_start_is_a_failure_until_it_is_mended(gig: Corner, sandbox_exec: Exec) -> None:
    fails = 'import os; raise SystemExit("KeyError: GIG " + os.environ["DATABASE_PASSWORD"])'
    broken = f"{IMAGE}    command: {json.dumps(['python3', '-c', fails])}\n"
    gig.edit(COMPOSE, IMAGE, broken)
    for _ in range(2):  # nobody takes it for running only because it was brought up once
        ended = gig.ship()
        assert ended.code == 1, ended.output
        assert "A lasting service did not come up: database." in ended.output
        assert "KeyError: GIG" in ended.output
        assert "marker" not in ended.output
    gig.edit(COMPOSE, broken, IMAGE)
    gig.edit(COMPOSE, '["7000:7000"]', '["80:7000"]')
    ended = gig.ship()
    assert ended.code == 1, ended.output
    told = " ".join(ended.output.split())
    assert "A port that the backend wants is taken. Port 80: nginx (nginx.service)." in told
    gig.edit(COMPOSE, '["80:7000"]', '["7000:7000"]')
    gig.shipped()
    assert add_row(gig) == 1


def test_what_lasts_is_brought_up_again_changed_with_its_definition_and_removed_but_for_its_volume(
    gig: Corner, sandbox_exec: Exec
) -> None:
    first = gig.shipped()
    assert add_row(gig) == 1
    before = containers(sandbox_exec)["gig-database"]
    sandbox_exec(["docker", "stop", "--time", "1", "gig-database"])
    plan = gig.shipper("plan")
    assert "not all of it runs" in plan.output, plan.output
    gig.shipped()
    assert containers(sandbox_exec)["gig-database"] == before
    assert add_row(gig) == 2
    assert "Nothing to do" in gig.ship().output

    gig.edit(COMPOSE, "      DATABASE_PASSWORD:", "      MOOD: good\n      DATABASE_PASSWORD:")
    plan = gig.shipper("plan")
    assert '"MOOD": "good"' in plan.output, plan.output
    assert "volumes stay" in plan.output
    assert containers(sandbox_exec)["gig-database"] == before
    changed = gig.shipped()
    assert containers(sandbox_exec)["gig-database"] != before
    assert add_row(gig) == 3

    gig.edit(COMPOSE, DATABASE.replace("      DATABASE_P", "      MOOD: good\n      DATABASE_P"), "")
    gig.edit(COMPOSE, "    depends_on: [database]\n", "")
    sandbox_exec(["docker", "stop", "--time", "1", "gig-database"])
    gig.shipped()
    assert sorted(containers(sandbox_exec)) == ["gig-api-1"]
    assert "gig-database" not in sandbox_exec(["docker", "ps", "--all", "--format", "{{.Names}}"])[1]
    assert "gig_rows" in sandbox_exec(["docker", "volume", "ls", "--quiet"])[1]
    assert "Nothing to do" in gig.ship().output

    assert changed != first
    back = gig.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert gig.live() == changed
    assert add_row(gig) == 4
