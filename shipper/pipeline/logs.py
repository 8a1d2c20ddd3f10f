"""`inv logs`: what an app's backend or nginx wrote, from all servers of the target at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Literal

from shipper.events import Emit
from shipper.pipeline.job import Job
from shipper.pipeline.server import connect_each

# Waiting without an end, Python on Windows does not hear Ctrl-C.
_LOOK_SECONDS = 0.5

# Takes an event of the agent: a line, or a word that keeps the connection alive.
Show = Callable[[Mapping[str, Any]], None]


def read_logs(
    job: Job, source: Literal["backend", "nginx"], lines: int, follow: bool, emit: Emit, show: Callable[[str], Show]
) -> None:
    """Hand the last `lines` lines of each server to what `show` makes of its name; `follow` goes on for ever.

    It ends before that when `show` raises BrokenPipeError, because its reader has left. Raises the error of the first
    server that has none to show, or whose connection is lost.
    """
    asked = {"app": job.app, "source": source, "lines": lines, "follow": follow}
    # In this order: that its connection is closed is what ends a call that would follow for ever.
    with ThreadPoolExecutor(len(job.each), thread_name_prefix="logs") as pool, connect_each(job, emit) as sessions:
        calls = {pool.submit(session.call, "logs", asked, on_event=show(one.server)) for one, session in sessions}
        while calls:
            done, calls = wait(calls, timeout=_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
            for call in done:
                with suppress(BrokenPipeError):
                    call.result()
