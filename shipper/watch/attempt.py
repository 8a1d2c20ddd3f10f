"""One ship in a thread of its own. It can be called off until the moment it begins to change the server."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from shipper.build.program import end_all_programs
from shipper.errors import ShipperError
from shipper.events import Emit
from shipper.pipeline.job import Job
from shipper.pipeline.rollout import Member, Report
from shipper.pipeline.ship import ship


class Attempt:
    """A ship that was begun. When `ended`, one of `report` and `error` is there, unless it was called off."""

    def __init__(self, job: Job, emit: Emit, wake: threading.Event) -> None:
        self.report: Report | None = None
        self.error: BaseException | None = None
        self.called_off = False
        self._committed = False
        self._lock = threading.Lock()
        self._wake = wake
        self._done = threading.Event()
        # Ctrl-C reaches the main thread alone. Who leaves for good leaves this one behind: the server ends in order.
        self._thread = threading.Thread(target=self._run, args=(job, emit), name="ship", daemon=True)
        self._thread.start()

    def _run(self, job: Job, emit: Emit) -> None:
        try:
            self.report = ship(job, emit, self._commit, is_wanted=lambda: not self.called_off)
        except (Exception, KeyboardInterrupt) as error:
            self.error = error
        finally:
            self._done.set()
            self._wake.set()

    def _commit(self, members: Sequence[Member]) -> bool:
        with self._lock:
            self._committed = not self.called_off
            return self._committed

    def call_off(self) -> bool:
        """End it as long as the server is as it was; return whether that was so. Builds that run are ended."""
        with self._lock:
            if self._committed or self.ended:
                return False
            self.called_off = True
        end_all_programs()
        return True

    @property
    def ended(self) -> bool:
        """Whether it is over, one way or the other."""
        return self._done.is_set()

    def wait(self) -> None:
        """Wait until it is over; Ctrl-C is heard."""
        while not self.ended:
            self._done.wait(0.2)

    def raise_unexpected(self) -> None:
        """Raise what is no expected failure."""
        if self.error is not None and not isinstance(self.error, ShipperError) and not self.called_off:
            raise self.error
