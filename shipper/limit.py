"""A time limit for all of a step, however lively it is meanwhile, and however silent."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from shipper.errors import HostError

Item = TypeVar("Item")
# A waiting that can be interrupted on every system.
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Limit:
    """Until when a step must have ended: `seconds` after it began, which was when this was made by `begin`."""

    step: str
    seconds: float
    ends: float

    @classmethod
    def begin(cls, step: str, seconds: float, waiting: float = 0.0) -> Limit:
        """Let the time begin; what the step may spend on `waiting` for somebody else (seconds) comes on top."""
        return cls(step, seconds, time.monotonic() + seconds + waiting)

    def refuse_late(self) -> None:
        """Raise HostError when the time is over."""
        if time.monotonic() > self.ends:
            raise HostError(
                f"The step {self.step} had not ended after {self.seconds:g} seconds; it was broken off.",
                why="The old release is still serving; what arrived stays there.",
                fix="Ship again: it goes on from there. For a slow line: `step_timeout`, in the target of ship.toml.",
            )

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items as they come. Raises HostError when the time is over, also while the next is waited for."""
        come: queue.Queue[tuple[Item, ...] | BaseException] = queue.Queue()

        def take() -> None:
            try:
                for item in items:
                    come.put((item,))
                come.put(())
            except BaseException as error:
                come.put(error)

        threading.Thread(target=take, name=self.step, daemon=True).start()
        while True:
            self.refuse_late()
            with suppress(queue.Empty):
                told = come.get(timeout=_LOOK_SECONDS)
                if isinstance(told, BaseException):
                    raise told
                if not told:
                    return
                yield from told
