"""Whose the folder of an app is decides whether anything in it is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from server import Client, make_layout

from shipper.agent import commands, journal, lock


@pytest.mark.parametrize("question", ["state", "status", "releases"])
def test_a_journal_in_somebody_elses_folder_is_not_acted_on_by_who_only_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    layout = make_layout(tmp_path)
    monkeypatch.setattr(commands, "Layout", lambda app: layout)
    hook = {"step": "on-failure", "slot": "0123456789ab", "command": ["id"], "container": [], "variables": {}}
    release_id = "20261120T000001Z-abcdef1"
    journal.write(layout, kind="begin", action="ship", release=release_id, previous="", who="eve", on_failure=[hook])
    written = Path(layout.journal).read_bytes()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)  # the folder is not ours then
    commands.COMMANDS[question]({"app": "shop"}, Client().channel)
    assert Path(layout.journal).read_bytes() == written, "what was begun there is nothing to end"


def test_who_asks_in_the_middle_of_its_own_change_keeps_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, channel = make_layout(tmp_path), Client().channel
    monkeypatch.setattr(commands, "Layout", lambda app: layout)
    lock.take(layout, {"who": "kim"}, "shipping", channel)
    journal.write(layout, kind="begin", action="ship", release="20261120T000001Z-abcdef1", previous="", who="kim")
    commands.COMMANDS["state"]({"app": "shop"}, channel)
    assert (lock.holder(layout) or {})["who"] == "kim"
    lock.release(layout)
