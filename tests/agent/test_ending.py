"""How an activation ends when something goes wrong late: cut off behind the switch, or with a disk that is full."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server import Client, make_layout, stand_in

from shipper.agent import activation, environment, journal, recovery, release
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout
from shipper.agent.settle import settle

SLOT = "0123456789ab"
OLD, NEW = "20261120T000001Z-abcdef1", "20261120T000002Z-abcdef1"


def make(layout: Layout, release_id: str, state: str, slot: str = "") -> None:
    """Make a release without any files."""
    record = {"id": release_id, "slot": slot, "host": "localhost:9", "scheme": "http", "paths": [], "health": "/"}
    release.make(layout, {**record, "nginx": {"http": "", "server": ""}}, [], [])
    release.mark(layout, release_id, state)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A server on which the old release is live."""
    layout = make_layout(tmp_path)
    make(layout, OLD, "good")
    release.switch(layout, OLD)
    return layout


def test_a_ship_that_was_cut_off_is_undone_also_when_its_backend_cannot_even_be_started(layout: Layout) -> None:
    make(layout, NEW, "prepared", SLOT)  # somebody removed its slot, or systemd has seen it fail too often
    who = {"action": "ship", "release": NEW, "previous": OLD, "who": "kim", "slot": SLOT}
    journal.write(layout, kind="begin", **who)
    journal.write(layout, kind="step", step="switch", state="done")
    release.switch(layout, NEW)
    recovery.recover(layout, lambda text: None)
    assert release.live(layout) == OLD
    assert recovery.unfinished(layout) is None
    assert release.record(layout, NEW)["state"] == "bad"


def test_a_record_that_makes_no_sense_keeps_no_visitor_from_the_old_release(layout: Layout) -> None:
    make(layout, NEW, "prepared")
    release.switch(layout, NEW)
    file = Path(layout.release(OLD), "release.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "services": {"odd": "not what it should be"}}))
    said: list[tuple[str, str, str]] = []
    settle(layout, OLD, lambda *words: said.append(words))
    assert release.live(layout) == OLD
    assert [words for words in said if words[0] == "failed"] == [
        ("failed", "services", "could not be put back: KeyError 'text'")
    ]


@pytest.mark.parametrize("full", ["release.json.new", "journal.jsonl"])
def test_a_disk_that_is_full_behind_the_point_of_no_return_is_told_and_fails_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    make(layout, NEW, "prepared")
    Path(layout.journal).touch()

    def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
        def write(path: str, *arguments: Any) -> Any:
            if os.path.basename(path) == full and '"kind": "verified"' in Path(layout.journal).read_text():
                raise OSError(errno.ENOSPC, "No space left on device", path)
            return call(path, *arguments)

        return write

    record, holder = release.record(layout, NEW), {"who": "kim"}
    request = {"action": "ship", "release": record, "steps": [{"step": "switch"}], "holder": holder, "limit": 60}
    with monkeypatch.context() as patch:
        for name in ("replace", "open"):
            patch.setattr(os, name, refusing(getattr(os, name)))
        told = activation.activate(layout, request, Client().channel)
    assert told["live"] == release.live(layout) == NEW
    assert "The disk of the server is full" in " ".join(told["trouble"])
    recovery.recover(layout, lambda text: None)  # whoever comes next
    assert recovery.unfinished(layout) is None
    assert release.record(layout, NEW)["state"] == "good"


# Compose runs when it is asked for the first time.
BUSY = """[ "$1 $2" = "show shop-services.service" ] && [ ! -e "$0.asked" ] || exit 0
echo ActiveState=active
touch "$0.asked"
"""


def test_who_ends_a_ship_that_was_cut_off_waits_for_its_services_as_for_a_migration(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "systemctl", BUSY)
    journal.write(layout, kind="begin", action="ship", release=NEW, previous=OLD, who="kim", slot=SLOT)
    journal.write(layout, kind="step", step="services", state="begin")
    told: list[str] = []
    recovery.recover(layout, told.append)
    assert "shop-services.service still runs; waiting for its end." in told
    assert recovery.unfinished(layout) is None


def test_what_only_the_release_before_knows_is_hidden_when_its_hooks_tell_of_a_failure(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "systemctl", '[ "$1" = show ] && echo ActiveState=active\nexit 0')
    stand_in(tmp_path, monkeypatch, "systemd-run", "echo the token was rotated-since-then")
    make(layout, NEW, "good", SLOT)
    os.mkdir(layout.slot(SLOT))
    environment.write_private(f"{layout.slot(SLOT)}/env", b'API_TOKEN="rotated-since-then"\n')
    release.switch(layout, NEW)
    hook = {"step": "on-failure", "slot": SLOT, "container": [], "variables": {}, "shown": "tell"}
    request = {
        "action": "ship",
        "release": release.record(layout, OLD),
        "steps": [{"step": "none"}],
        "holder": {"who": "kim"},
        "limit": 60,
        "on_failure": [{**hook, "command": ["tell"], "properties": {}, "timeout": 9}],
    }
    client = Client()
    with pytest.raises(AgentError, match="knows no step"):
        activation.activate(layout, request, client.channel)
    assert "the token was ********" in json.dumps(client.said)
