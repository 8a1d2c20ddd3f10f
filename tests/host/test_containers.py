"""A backend in containers: built here, sent by layers, run by Compose on the server, live without a lost request."""

from __future__ import annotations

import json
import re
import time

import pytest
from conftest import Exec
from corner import Corner
from gig import containers
from load import Visitors, Wish

from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox import server

START = 'VERSION = "one"'


def test_it_is_shipped_as_it_is_a_change_sends_one_layer_and_it_goes_back(gig: Corner, sandbox_exec: Exec) -> None:
    compose = (gig.root / "docker-compose.yml").read_bytes()
    ended = gig.ship()
    assert ended.code == 0, ended.output
    status, text = gig.get("/api/health")
    assert (status, json.loads(text)["version"]) == (200, "one")
    assert json.loads(text)["token"] == 'marker-$x 1"2', "nobody parsed the env file a second time"
    assert "migrated with the token" in ended.output
    assert "marker" not in ended.output
    before = containers(sandbox_exec)
    assert sorted(before) == ["gig-api-1", "gig-database"]
    ports = sandbox_exec(["docker", "ps", "--format", "{{.Ports}}"])[1]
    assert "0.0.0.0" not in ports and ":::" not in ports, "only the server itself reaches them"

    gig.edit("api/main.py", START, 'VERSION = "two"')
    ended = gig.ship()
    assert ended.code == 0, ended.output
    assert re.search(r"ok   image +[0-9.]+ s  1 layers?, [0-9,]{3,6} bytes", ended.output), ended.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "two"
    after = containers(sandbox_exec)
    assert after["gig-database"] == before["gig-database"]
    assert after["gig-api-1"] != before["gig-api-1"]
    assert (gig.root / "docker-compose.yml").read_bytes() == compose

    unchanged = gig.ship()
    assert unchanged.code == 0, unchanged.output
    assert "Nothing to do" in unchanged.output or "live already" in unchanged.output, unchanged.output

    back = gig.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "one"
    assert containers(sandbox_exec)["gig-database"] == before["gig-database"]


ALONE = """
services:
  api:
    build:
      context: ./api
    volumes: ["notes:/notes"]
volumes:
  notes: {}
"""


def test_a_backend_beside_which_nothing_outlives_releases_has_its_network_and_its_volume(
    gig: Corner, sandbox_exec: Exec
) -> None:
    gig.write("docker-compose.yml", ALONE)
    ended = gig.ship()
    assert ended.code == 0, ended.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "one"
    gig.edit("api/main.py", START, 'VERSION = "two"')
    ended = gig.ship()
    assert ended.code == 0, ended.output
    assert "services" not in ended.output, "they are there already"
    mounts = "{{range .Mounts}}{{.Name}}:{{.Destination}}{{end}}"
    assert sandbox_exec(["docker", "inspect", "--format", mounts, *containers(sandbox_exec).values()]) == (
        0,
        "gig_notes:/notes\n",
    )


def test_what_was_live_is_live_after_a_reboot(gig: Corner, sandbox_exec: Exec) -> None:
    gig.shipped()
    gig.edit("api/main.py", START, 'VERSION = "two"')
    live = gig.shipped()
    with connect() as client:
        client.containers.get(gig.sandbox.name).kill()
    server.up(gig.sandbox.name, discard)
    assert gig.live() == live
    deadline = time.monotonic() + 60
    while (answer := gig.get("/api/health"))[0] != 200:
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    assert json.loads(answer[1])["version"] == "two"
    assert sorted(containers(sandbox_exec)) == ["gig-api-1", "gig-database"]


SMALL_DISK = "systemctl stop docker.socket docker && mount -t tmpfs -o size=16m tmpfs /var/lib/docker"
OWN_DISK = "systemctl stop docker.socket docker; umount /var/lib/docker"


def test_an_image_that_does_not_fit_is_not_sent(gig: Corner, sandbox_exec: Exec) -> None:
    assert sandbox_exec(["sh", "-c", f"{SMALL_DISK} && systemctl start docker.socket"])[0] == 0
    try:
        ended = gig.ship()
    finally:
        assert sandbox_exec(["sh", "-c", f"{OWN_DISK} && systemctl start docker.socket"])[0] == 0
    assert ended.code == 1, ended.output
    assert "does not fit on the disk" in ended.output
    assert "/var/lib/docker" in ended.output
    assert "ok   image" not in ended.output


def test_a_variable_that_is_nowhere_and_one_that_is_hidden_are_named(gig: Corner) -> None:
    compose = "docker-compose.yml"
    gig.edit(
        compose, "      - DATABASE=", "      - TOKEN=old\n      - KEY=${API_KEY}\n      - PLAIN=$$x\n      - DATABASE="
    )
    gig.edit(compose, "mem_limit: 96m", "mem_limit: ${MEMORY:-96m}")
    ended = gig.ship()
    assert ended.code == 3, ended.output
    assert "the server's environment has no API_KEY" in ended.output
    assert "MEMORY" not in ended.output
    assert "has no x" not in ended.output
    gig.edit(compose, "      - KEY=${API_KEY}\n", "")
    ended = gig.shipper("plan")
    assert ended.code == 0, ended.output
    assert "TOKEN under `environment` hides the one of the env file" in ended.output
    assert "Not run on the server: frontend" in ended.output


@pytest.mark.parametrize(
    ("path", "old", "new", "wanted"),
    [
        ("docker-compose.yml", "services:", "services: [", "Compose does not accept docker-compose.yml"),
        ("ship.toml", 'service = "api"', 'service = "apo"', "There is no service 'apo'"),
        ("ship.toml", "port = 8000", "", "'service' and 'port'"),
        ("ship.toml", 'runtime = "compose"', 'runtime = "compose"\napp = "main:app"', "'app' means nothing"),
    ],
)
def test_what_is_wrong_in_the_files_is_named(gig: Corner, path: str, old: str, new: str, wanted: str) -> None:
    gig.edit(path, old, new)
    ended = gig.shipper("plan")
    assert ended.code == 2, ended.output
    assert wanted in ended.output


def ship_far(gig: Corner) -> None:
    ended = gig.shipper("ship", "--yes", "--to", "far")
    assert ended.code == 0, ended.output


def test_no_request_fails_during_ships_and_a_rollback_and_old_images_go(gig: Corner, sandbox_exec: Exec) -> None:
    # One more than is kept; test_music.py has ten ships and three rollbacks.
    ships = 3
    gig.add_far_target(gig.sandbox.ssh_port, "keep = 2")
    versions = tuple(f'"version": "v{number}"' for number in range(ships + 1))
    gig.edit("api/main.py", START, 'VERSION = "v0"')
    ship_far(gig)
    database = containers(sandbox_exec)["gig-database"]
    wishes = [
        Wish(method, path, keep, marks)
        for method, path, marks in (("GET", "/", ("<h1>",)), ("GET", "/api/x", versions), ("POST", "/api/x", versions))
        for keep in (True, False)
    ]
    with Visitors(gig.url, wishes) as visitors:
        for number in range(1, ships + 1):
            gig.edit("api/main.py", f'VERSION = "v{number - 1}"', f'VERSION = "v{number}"')
            ship_far(gig)
        ended = gig.shipper("rollback", "--yes", "--to", "far")
        assert ended.code == 0, ended.output
    assert visitors.tally.failures == []
    assert visitors.tally.idle_closes == 0
    assert set(versions) <= set(visitors.tally.answers)
    assert containers(sandbox_exec)["gig-database"] == database
    rows = sandbox_exec(["docker", "exec", "gig-database", "cat", "/data/rows"])[1].split()
    assert len(rows) > 500
    assert set(rows) == {f"v{number}" for number in range(ships + 1)}
    images = sandbox_exec(["docker", "images", "gig", "--quiet"])[1].split()
    assert len(set(images)) <= ships, "images of releases that are gone are gone as well"
