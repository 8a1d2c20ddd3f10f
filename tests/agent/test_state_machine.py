"""Any order of ships, failures, rollbacks and kills: `current` is always a whole release, and nothing needed is pruned.

The agent's own modules run in this process on a real folder. A kill is a system call that never happens, and nothing
after it either; then comes whoever is next, and recovers.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from server import Client, KilledError, killed_at, make_layout

from shipper.agent import activation, leftovers, programs, recovery, release, steps, store, tree
from shipper.agent.errors import AgentError

PAGES = [f"<h1>page {number}</h1>".encode() for number in range(4)]
KEYS = [hashlib.sha256(page).hexdigest() for page in PAGES]
SITES = st.lists(st.sampled_from(range(len(PAGES))), min_size=1, max_size=3, unique=True)
KILLS = st.one_of(st.none(), st.none(), st.integers(min_value=1, max_value=60))


class Server(RuleBasedStateMachine):
    """One app on one server, and all that can happen to it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.folder.chmod(0o755)
        # Nothing here is about what systemd says, and nothing of it about other people's scratch files.
        self.world = pytest.MonkeyPatch()
        self.world.setitem(programs._ENVIRONMENT, "PATH", str(self.folder))
        self.world.setattr(tempfile, "tempdir", str(self.folder))
        self.layout = make_layout(self.folder)
        self.client = Client()
        self.number = 0
        self.was_good = False
        self.in_order = True

    @rule(site=SITES, keep=st.integers(2, 4), kill=KILLS)
    def ship(self, site: list[int], keep: int, kill: int | None) -> None:
        self._attempt(kill, lambda: self._ship([[f"p{page}.html", "file", KEYS[page]] for page in site], keep))

    @rule(site=SITES, kill=KILLS)
    def ship_what_fails(self, site: list[int], kill: int | None) -> None:
        entries = [[f"p{page}.html", "file", KEYS[page]] for page in site] + [["gone.html", "file", "0" * 64]]
        self._attempt(kill, lambda: self._ship(entries, 3))

    @rule(choice=st.integers(0, 9), kill=KILLS)
    def roll_back(self, choice: int, kill: int | None) -> None:
        good = [record for record in release.records(self.layout) if record["state"] == "good"]
        if good:
            record = good[choice % len(good)]
            self._attempt(kill, lambda: self._activate("rollback", record, [{"step": "switch"}]))

    @rule(keep=st.integers(1, 4), kill=KILLS)
    def prune(self, keep: int, kill: int | None) -> None:
        self._attempt(kill, lambda: steps.prune(self.layout, keep))

    @rule()
    def lose_power_in_the_journal(self) -> None:
        with open(self.layout.journal, "a", encoding="utf-8") as file:
            file.write('{"v": 1, "kind": "beg')

    def _attempt(self, kill: int | None, work: Callable[[], object]) -> None:
        if not self.in_order:
            recovery.recover(self.layout, lambda text: None)
            leftovers.sweep(self.layout)
            self.in_order = True
            self._assert_in_order()
        try:
            with killed_at(kill), suppress(AgentError):
                work()
        except KilledError:
            self.in_order = False

    def _ship(self, entries: list[list[str]], keep: int) -> None:
        steps.prune(self.layout, keep - 1, KEYS)
        missing = store.missing(self.layout, KEYS)
        contents = [PAGES[KEYS.index(key)] for key in missing]
        objects = [[key, len(content)] for key, content in zip(missing, contents, strict=True)]
        store.receive(self.layout, objects, [zlib.compress(b"".join(contents))], self.client.channel)
        self.number += 1
        record = {
            "id": f"20261120T{self.number:06}Z-abcdef1",
            "slot": "",
            "host": "localhost:9",
            "paths": [],
            "nginx": {"http": "", "server": ""},
        }
        tree.delivered[record["id"]] = entries
        lay = {"step": "lay", "site": record["id"], "immutable": [entry[0] for entry in entries]}
        self._activate("ship", record, [lay, {"step": "switch"}, {"step": "prune", "keep": keep}])

    def _activate(self, action: str, record: dict[str, Any], planned: list[dict[str, Any]]) -> None:
        request = {"action": action, "release": record, "steps": planned, "holder": {"who": "a test"}, "limit": 60}
        activation.activate(self.layout, request, self.client.channel)

    @invariant()
    def visitors_have_a_whole_release(self) -> None:
        live = release.live(self.layout)
        assert bool(live) == os.path.lexists(self.layout.current), "current never points nowhere"
        assert live or not self.was_good, "once a release was good, there is always one"
        if live:
            self._assert_whole(live)
            assert release.record(self.layout, live)["state"] != "bad"
            self.was_good |= release.record(self.layout, live)["state"] == "good"

    def _assert_in_order(self) -> None:
        live = release.live(self.layout)
        assert not live or release.record(self.layout, live)["state"] == "good"
        assert recovery.unfinished(self.layout) is None
        assert leftovers.sweep(self.layout) == []
        for record in release.records(self.layout):
            if record["state"] == "good":
                self._assert_whole(record["id"])

    def _assert_whole(self, release_id: str) -> None:
        folder = Path(self.layout.release(release_id))
        assert (folder / "release.txt").read_text() == release_id + "\n"
        manifest = json.loads((folder / "manifest.json").read_text())
        for path, _, key in manifest["site"]:
            assert hashlib.sha256((folder / "site" / path).read_bytes()).hexdigest() == key
            assert Path(store.path_of(self.layout, key)).exists(), "what a release uses stays in the store"
        for path in manifest["immutable"]:
            assert Path(self.layout.assets, path).exists(), "assets of kept releases can be reached"

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.world.undo()
            shutil.rmtree(self.folder)


TestServer = Server.TestCase
EXAMPLES = 60 if settings.get_current_profile_name() == "repeatable" else 1000
TestServer.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)
