"""Steps that go on and on: a line on which something arrives all the time, and a disk that does not answer."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Exec
from corner import Corner
from test_ship_failures import wait_until_idle

from benchmarks.link import Link
from shipper.archive import tar_of
from shipper.deliver.registry import open_registry
from shipper.deliver.repository import Repository
from shipper.engine import connect
from shipper.errors import HostError
from shipper.limit import Limit

NGINX = "/etc/nginx/nginx.conf"
COMPOSE = "/usr/libexec/docker/cli-plugins/docker-compose"
SLOW_COMPOSE = f"""#!/bin/sh
case " $* " in *" up "*) exec sleep 271828;; esac
exec {COMPOSE}.kept "$@"
"""


@pytest.mark.live
def test_an_upload_that_takes_too_long_is_broken_off_and_goes_on_later(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    contents = [os.urandom(200_000) for _ in range(20)]
    for number, content in enumerate(contents):
        (corner.root / f"site/{number:02}.bin").write_bytes(content)
    with Link(round_trip=0.02, rate=2e6) as link:  # a quarter of a megabyte a second, of four
        corner.add_far_target(link.door(corner.sandbox.ssh_port), "step_timeout = 3\n")
        refused = corner.shipper("ship", "--yes", "--to", "far")
    assert refused.code == 4, refused.output
    assert "The step upload had not ended after 3 seconds" in refused.output
    assert "`step_timeout`" in refused.output
    assert corner.live() == live
    wait_until_idle(corner, sandbox_exec)
    keys = {hashlib.sha256(content).hexdigest() for content in contents}
    there = keys & set(sandbox_exec(["sh", "-c", "ls /srv/corner/store/??"])[1].split())
    assert there, "what arrived stays"
    done = corner.shipper("ship", "--yes", "--to", "sandbox")
    assert done.code == 0, done.output
    # The contents that were lacking, and what says which files the release has.
    assert f"{len(keys - there)} file" in done.output, (len(there), done.output)


def test_a_push_to_a_registry_that_takes_too_long_is_broken_off(tmp_path: Path) -> None:
    layer = tar_of({"noise": os.urandom(2 << 20)}).getvalue()
    with connect() as client, open_registry(tmp_path) as registry, Link(round_trip=0.02, rate=2e6) as link:
        image = json.loads(client.api.import_image_from_data(layer))["status"]
        login = {"username": registry.user, "password": registry.password}
        port = link.door(int(registry.address.rpartition(":")[2]))
        repository = Repository(f"127.0.0.1:{port}/slow", lambda: login, fix="")
        with pytest.raises(HostError, match=r"The step image\.push had not ended after 2 seconds"):
            repository.push(client, image, "one", print, Limit.begin("image.push", 2))


@pytest.fixture
def slow_compose(sandbox_exec: Exec) -> Iterator[None]:
    """Compose begins to bring something up, and never comes to an end."""
    write = f"mv {COMPOSE} {COMPOSE}.kept && printf '%s' \"$1\" > {COMPOSE} && chmod +x {COMPOSE}"
    assert sandbox_exec(["sh", "-c", write, "sh", SLOW_COMPOSE]) == (0, "")
    yield
    assert sandbox_exec(["mv", f"{COMPOSE}.kept", COMPOSE]) == (0, "")


def test_a_program_that_a_step_waits_for_ends_with_it(gig: Corner, sandbox_exec: Exec, slow_compose: None) -> None:
    gig.add_far_target(gig.sandbox.ssh_port, "step_timeout = 10\n")
    for _ in range(2):  # nothing that is left of it is in the way of the next one
        refused = gig.shipper("ship", "--yes", "--to", "far")
        assert refused.code == 1, refused.output
        assert "The step services had not ended after 10 seconds" in refused.output
        assert sandbox_exec(["pgrep", "-f", "sleep 271828"]) == (1, "")


@pytest.fixture
def hanging_disk(sandbox_exec: Exec) -> Iterator[None]:
    """Whoever opens nginx's configuration, as `lay` does to learn its user, waits for ever."""
    stop = f"mv {NGINX} {NGINX}.kept && mkfifo {NGINX}"
    assert sandbox_exec(["sh", "-c", stop]) == (0, "")
    yield
    assert sandbox_exec(["mv", f"{NGINX}.kept", NGINX]) == (0, "")


@pytest.mark.live
def test_a_step_on_the_server_that_takes_too_long_is_undone(
    corner: Corner, sandbox_exec: Exec, hanging_disk: None
) -> None:
    live = corner.live()
    corner.add_far_target(corner.sandbox.ssh_port, "step_timeout = 2\n")
    corner.edit("site/index.html", "one", "two")
    refused = corner.shipper("ship", "--yes", "--to", "far")
    assert refused.code == 1, refused.output
    assert "The step lay had not ended after 2 seconds" in refused.output
    assert corner.live() == live
    assert "two" not in corner.get("/")[1]
    assert "bad" in corner.shipper("releases", "--to", "far").output
