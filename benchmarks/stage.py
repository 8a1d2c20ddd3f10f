"""The practice server behind a slow line, an app that is brought to it, and what is seen of one image's way there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.heavy import HeavyApp
from benchmarks.link import LOOPBACK, Link
from benchmarks.peers import Deliver, Peer, Shell, open_shell
from benchmarks.server import disk_used, run_on, watched_memory
from shipper.config.target import Target
from shipper.events import discard
from shipper.sandbox import server
from shipper.sandbox.server import Sandbox

SANDBOX = "shipper-bench-images"
SHIPPER = "shipper ship"
TARGET = "far"
# Looking at the server's memory more often would take its processors from what is measured.
_LOOK_SECONDS = 0.05
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Passage:
    """One image's way to the server: seconds, bytes up and down, the server's memory and disk in bytes.

    `kind` is "first" or "change"; `begun` and `ended` are times by time.time() between which the server had to do with
    it; `parts` are the seconds of its parts, and of what is told beside it. `agent` is the peak memory of shipper's
    agent, a part of `memory`.
    """

    way: str
    kind: str
    begun: float
    ended: float
    seconds: float
    sent: int
    received: int
    parts: Mapping[str, float] = field(default_factory=dict)
    memory: int = 0
    agent: int = 0
    disk: int = 0


# Brings an image to the server: takes "first" or "change", and its tag here.
Way = Callable[[str, str], Passage]


@dataclass(frozen=True)
class Moment:
    """A line that shipper printed: when (time.monotonic()), and what the line to the server had carried by then."""

    text: str
    time: float
    sent: int
    received: int
    busy_until: float


class Stage:
    """The practice server behind the line, and the app that is brought to it."""

    def __init__(self, link: Link, folder: Path, size: int) -> None:
        self.link = link
        self.folder = folder
        self.access: Sandbox = server.up(SANDBOX, discard)
        self.port = link.door(self.access.ssh_port)
        self.app = HeavyApp(folder / "weights", size)
        url = f"http://{LOOPBACK}:{link.door(self.access.http_port)}"
        self.app.add_target(
            TARGET, self.port, self.access.user, self.access.key_file, self.access.host_key_fingerprint, url
        )
        self._changes = 0

    @contextmanager
    def fresh(self) -> Iterator[Shell]:
        """Replace the server by one that has nothing but an engine that runs; give an open connection to it."""
        known = self.access
        self.access = server.reset(SANDBOX, discard)
        assert (self.access.ssh_port, self.access.http_port) == (known.ssh_port, known.http_port), "a port was taken"
        run_on(SANDBOX, "docker", "version")
        with open_shell(self.access, self.port, self.folder) as shell:
            yield shell

    @property
    def target(self) -> Target:
        """The server as shipper reaches it over the line."""
        return self.access.as_target().model_copy(update={"port": self.port})

    @contextmanager
    def ready(self, shell: Shell, peer: Peer | None) -> Iterator[Way]:
        """Set up a way to the server for the length of the block, shipper's where there is no peer."""
        if peer is None:
            self.ship("env.push")
            yield self._go
            return
        assert self.install(peer), f"{peer.package} could be installed a while ago"
        with peer.open(shell, SANDBOX, self.folder) as deliver:
            yield self._way_of(peer, deliver)

    def install(self, peer: Peer) -> bool:
        """Install what a way needs on the server; return whether it is there then."""
        if not peer.package:
            return True
        install = f"apt-get update -qq && apt-get install -qq --no-install-recommends {peer.package}"
        try:
            run_on(SANDBOX, "sh", "-c", f"export DEBIAN_FRONTEND=noninteractive; {install}")
        except AssertionError:
            return False
        return True

    def change(self) -> None:
        """Change one line of the code; no two changes are alike."""
        self._changes += 1
        self.app.change(f"change {self._changes} of {time.time_ns()}")

    def ship(self, *words: str) -> list[Moment]:
        """Type a command of shipper; return its lines, each with the moment at which it appeared."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(_ROOT)}
        argv = [sys.executable, "-m", "shipper", *words, "--to", TARGET]
        moments = [self._moment("")]
        with subprocess.Popen(
            argv, cwd=self.app.root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            moments += [self._moment(line) for line in process.stdout]
        moments.append(self._moment(""))
        assert process.returncode == 0, "".join(moment.text for moment in moments)
        return moments

    def _moment(self, text: str) -> Moment:
        link = self.link
        return Moment(text, time.monotonic(), link.sent, link.received, link.busy_until)

    def _go(self, kind: str, tag: str) -> Passage:
        """Ship with the real command, which builds the image itself, from the same files as `tag`."""
        moments = self.ship("ship", "--yes", "--allow-dirty")
        built, handed = _find(moments, "ok build.image"), _find(moments, "note Compressed:")
        begun, ended = _find(moments, "... image:"), _find(moments, "ok image")
        # A first ship sends while it compresses: then all that happens until the image's turn counts as its own time.
        before, sent = min(handed.time, begun.time) - built.time, ended.time - begun.time
        on_line = max(begun.time, ended.busy_until) - begun.time
        parts = {
            "compressing and handing over, here": handed.time - built.time,
            "on the line": on_line,
            "fetching and unpacking, there": sent - on_line,
            "whole command": moments[-1].time - moments[0].time,
        }
        return _passage(SHIPPER, kind, begun, ended, before, parts)

    def _way_of(self, peer: Peer, deliver: Deliver) -> Way:
        def go(kind: str, tag: str) -> Passage:
            before = self._moment("")
            parts = deliver(tag)
            return _passage(peer.name, kind, before, self._moment(""), 0.0, parts)

        return go


def weighed(way: Way, kind: str, tag: str) -> Passage:
    """Bring an image to the server; return its passage with what it took there of memory and disk."""
    disk = disk_used(SANDBOX)
    with watched_memory(SANDBOX, _LOOK_SECONDS) as peaks:
        passage = way(kind, tag)
    assert not peaks.killed, f"{passage.way}: the server killed a process for its memory"
    memory = peaks.rise(passage.begun, passage.ended)
    return replace(passage, memory=memory, agent=peaks.agent, disk=disk_used(SANDBOX) - disk)


def _passage(way: str, kind: str, begun: Moment, ended: Moment, before: float, parts: Mapping[str, float]) -> Passage:
    """Return what happened between two moments; `before` are seconds of work that had been done here until then."""
    # The clock of the wall is the server's as well.
    wall = time.time() - time.monotonic()
    return Passage(
        way=way,
        kind=kind,
        begun=wall + begun.time,
        ended=wall + ended.time,
        seconds=before + ended.time - begun.time,
        sent=ended.sent - begun.sent,
        received=ended.received - begun.received,
        parts=parts,
    )


def _find(moments: Sequence[Moment], beginning: str) -> Moment:
    return next(moment for moment in moments if " ".join(moment.text.split()).startswith(beginning))
