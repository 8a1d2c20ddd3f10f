"""The loop of `inv watch`: wait for saves, ship what they changed, one ship at a time; what is outdated is called off.

A change during a ship makes exactly one more ship, however many saves it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from shipper.errors import ConfigError, ShipperError
from shipper.events import Emit
from shipper.host.kept import KeptHosts
from shipper.pipeline.job import Job
from shipper.pipeline.rollout import Report
from shipper.watch.attempt import Attempt
from shipper.watch.files import Contents, changed_paths, read_contents
from shipper.watch.saves import QUIET_SECONDS, Saves

# A waiting that Ctrl-C ends on every system.
_LOOK_SECONDS = 0.5


class Face(Protocol):
    """What people are told."""

    def begins(self, paths: Sequence[str]) -> Emit:
        """Say that a ship begins, of these paths (none: of all that is here); return what shows its events."""

    def live(self, report: Report, seconds: float | None) -> None:
        """Say that a ship ended well, `seconds` after the save that it was for."""

    def failed(self, error: ShipperError) -> None:
        """Show an expected failure."""

    def says(self, text: str) -> None:
        """Say something else."""


class _Loop:
    def __init__(self, root: Path, find: Callable[[], Job], saves: Saves, wake: threading.Event, face: Face) -> None:
        self._root, self._find, self._saves, self._wake, self._face = root, find, saves, wake, face
        self._hosts = KeptHosts()
        self._attempt: Attempt | None = None
        self._contents: Contents = {}
        self._saved: float | None = None
        self._waiting: tuple[str, ...] | None = ()  # what the next ship is for; the first one is for all that is here

    @contextmanager
    def open(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._hosts.close()

    def run(self) -> None:
        """Go on until Ctrl-C."""
        while True:
            self._finish()
            if self._saves.settled:
                self._look()
            if self._attempt is None and self._waiting is not None:
                self._begin()
            self._sleep()

    def _sleep(self) -> None:
        if self._saves.pending:
            time.sleep(QUIET_SECONDS / 3)
            return
        self._wake.wait(_LOOK_SECONDS)
        self._wake.clear()

    def _look(self) -> None:
        """See whether what was written changed anything; if so, call off what runs for what was there before."""
        written = self._saves.take()
        try:
            contents = read_contents(self._find().workspace)
        except ConfigError as error:  # ship.toml itself is being edited
            self._face.failed(error)
            return
        paths = changed_paths(self._contents, contents)
        if not paths:
            return
        self._contents = contents
        self._saved = _moment(paths, written)
        self._waiting = tuple(paths)
        if self._attempt and self._attempt.call_off():
            self._face.says("Changed again: what was being built is called off.")

    def _begin(self) -> None:
        paths, self._waiting = self._waiting or (), None
        try:
            job = self._find()
            if not paths:
                self._contents = read_contents(job.workspace)
        except ConfigError as error:
            self._face.failed(error)
            return
        emit = self._face.begins(paths)
        self._attempt = Attempt(replace(job, hosts=self._hosts), emit, self._wake)

    def _finish(self) -> None:
        attempt = self._attempt
        if attempt is None or not attempt.ended:
            return
        self._attempt = None
        attempt.raise_unexpected()
        if attempt.called_off:
            return
        if isinstance(attempt.error, ShipperError):
            self._face.failed(attempt.error)
        elif attempt.report:
            # With another ship waiting, the save that is remembered is that one's.
            seconds = time.monotonic() - self._saved if self._saved and self._waiting is None else None
            self._face.live(attempt.report, seconds)

    def stop(self) -> None:
        """End in order: a build is called off, what is on its way live arrives."""
        attempt = self._attempt
        if attempt is None or attempt.ended:
            self._finish()
            return
        if not attempt.call_off():
            self._face.says("Stopping when what is on its way is live; Ctrl-C once more leaves it alone with that.")
        attempt.wait()
        self._finish()


def _moment(paths: Sequence[str], written: Mapping[str, float]) -> float:
    """Return when these paths were saved: at their own first event, or at that of a folder above them."""
    moments = [
        moment
        for path, moment in written.items()
        if any(changed == path or changed.startswith(f"{path}/") for changed in paths)
    ]
    return min(moments or written.values(), default=time.monotonic())


def watch(find: Callable[[], Job], face: Face, *, polling: bool = False) -> None:
    """Ship what is here, and again after every save that changes a file that counts, until Ctrl-C.

    `find` returns the job, each time anew: ship.toml may be what was saved. A ship that fails is shown and does not
    end the watching. The first Ctrl-C ends in order; the second one raises KeyboardInterrupt.
    """
    root = find().workspace.root
    wake = threading.Event()
    with Saves(root, polling=polling, wake=wake) as saves:
        loop = _Loop(root, find, saves, wake, face)
        with loop.open():
            try:
                loop.run()
            except KeyboardInterrupt:
                loop.stop()
