"""A change ships as what changed in its files; whatever the server has lost of what they are made from comes whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from bakery import told_in
from conftest import Exec
from corner import Corner
from network import Network

from shipper.config.load import find_workspace
from shipper.errors import ReleaseError
from shipper.events import discard
from shipper.pipeline.job import Job
from shipper.pipeline.rollout import Member
from shipper.pipeline.ship import ship

LIVE = "/srv/corner/current/site"


def page(title: str) -> str:
    words = " ".join(str(number * number) for number in range(3000))
    return f"<!doctype html><title>{title}</title><p>{words}</p>\n"


def test_a_change_ships_as_what_changed_and_what_the_server_lost_comes_whole(
    corner: Corner, sandbox_exec: Exec
) -> None:
    corner.write("site/index.html", page("one"))
    corner.write("site/about.html", page("about one"))
    corner.shipped()
    corner.write("site/index.html", page("two"))
    *events, changed = told_in(corner.shipper("ship", "--yes", "--json").output)
    (upload,) = [event for event in events if (event["event"], event["step"]) == ("done", "upload")]
    assert "1 by what changed in them" in upload["text"]
    assert changed["bytes_sent"] < 1000
    # What the server has is asked for while the build runs; then one request with lock, lists and contents, one that
    # makes it live, and the answer to whether it is seen from here.
    assert changed["round_trips"] == 4
    assert corner.get("/")[1] == page("two")

    # One base is damaged, another is gone together with what the live release was told to be.
    assert sandbox_exec(["sh", "-c", f"printf x | dd of={LIVE}/index.html conv=notrunc status=none"])[0] == 0
    corner.write("site/index.html", page("three"))
    *events, damaged = told_in(corner.shipper("ship", "--yes", "--json").output)
    assert [event for event in events if "The server lacks 1 file more than was known" in event["text"]]
    assert damaged["round_trips"] == 5, "a wrong guess costs one more, and not a release"
    assert corner.get("/")[1] == page("three")

    assert sandbox_exec(["sh", "-c", "rm /srv/corner/releases/*/manifest.json"])[0] == 0
    corner.write("site/index.html", page("four"))
    forgotten = corner.ship()
    assert forgotten.code == 0, forgotten.output
    assert (corner.get("/")[1], corner.get("/about.html")[1]) == (page("four"), page("about one"))


START = 'VERSION = "one"'


def test_a_slot_that_only_the_oldest_release_has_is_there_for_the_next_one(corner: Corner) -> None:
    corner.add_far_target(corner.sandbox.ssh_port)
    corner.edit("ship.toml", "env_file = '.env.sandbox'\n", "env_file = '.env.sandbox'\nkeep = 2\n")
    for old, new in (("one", "one"), ("one", "two"), ("two", "one")):
        corner.edit("backend/main.py", f'VERSION = "{old}"', f'VERSION = "{new}"')
        ended = corner.shipper("ship", "--yes", "--to", "far")
        assert ended.code == 0, ended.output
    assert '"one"' in corner.get("/api/health")[1]


@pytest.mark.live
def test_what_somebody_else_shipped_is_not_undone_after_a_lost_connection(corner: Corner) -> None:
    with Network(corner.sandbox.ssh_port) as network:
        corner.add_far_target(network.port)
        workspace = find_workspace(corner.root)
        job = Job(workspace, "far", workspace.project.targets["far"], allow_dirty=True)
        theirs: list[str] = []

        def think(members: Sequence[Member]) -> bool:
            """Take so long that somebody else ships, and the network breaks as soon as this machine goes on."""
            corner.edit("backend/main.py", START, 'VERSION = "theirs"')
            theirs.append(corner.shipped())
            network.break_after(network.sent)
            return True

        with pytest.raises(ReleaseError, match="changed by somebody else"):
            corner.write("site/index.html", page("mine"))
            ship(job, discard, think)
    assert corner.live() == theirs[0]
    assert '"theirs"' in corner.get("/api/health")[1]
