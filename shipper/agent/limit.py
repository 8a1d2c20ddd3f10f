"""A time limit for all of a step, whatever it waits for: a program, the disk, or its own work."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Optional

from .errors import AgentError

# What a step may take by arguments of its own: a migration's limit, how long to watch, to drain, to wait for an answer.
_OWN_SECONDS = ("timeout", "seconds", "patience")


def seconds_of(arguments: Mapping[str, Any], general: float) -> float:
    """Return what a step may take in all, in seconds: the `general` limit, after those that it has itself."""
    return general + sum(float(arguments.get(name, 0)) for name in _OWN_SECONDS)


@contextmanager
def within(seconds: float, step: str) -> Iterator[None]:
    """End what is done in the block, wherever it is, with an AgentError when it takes longer than so many seconds.

    For the main thread, which is where Python hears signals (setitimer(2)). What waits for a disk that does not answer
    at all cannot be ended by anybody; the client, which hears nothing either, leaves then.
    """

    def expire(_number: int, _frame: Optional[FrameType]) -> None:
        raise AgentError(
            "release",
            f"The step {step} had not ended after {seconds:g} seconds; it was broken off.",
            "A disk or a program of the server is very slow, or does not answer.",
            "On the server: `sudo dmesg --level=err` and `top`. More time: `step_timeout`, in the target of ship.toml.",
        )

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
