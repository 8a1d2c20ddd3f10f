"""Watching a release that has just gone live, while the old one still runs and a way back costs nothing."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from . import diagnosis, systemd
from .errors import AgentError
from .layout import Layout

_LOOK_SECONDS = 0.25
_BASE_BYTES = 1 << 16  # some hundreds of requests before the switch, to compare with
# The combined format of nginx, ngx_http_log_module: ... "GET /path HTTP/1.1" 200 ...
_LINE = re.compile(r'"(?:[A-Z]+) (?P<path>[^ "?]*)[^"]*" (?P<status>[1-5][0-9][0-9]) ')
_OURS = '"shipper"'  # the user agent of health.py and of the client, which stands last


class AccessLog:
    """The requests of visitors that nginx logs for an app from now on.

    Made right before the switch: what a busy site logs until somebody looks belongs to the new release already.
    """

    def __init__(self, layout: Layout) -> None:
        self._path = layout.access_log
        self._position = self._size()
        self.before = _shares(self._lines(max(0, self._position - _BASE_BYTES), self._position))
        self.statuses: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def read(self) -> None:
        """Take in what was logged since the last time."""
        size = self._size()
        if size < self._position:  # rotated meanwhile
            self._position = 0
        for path, status in _requests(self._lines(self._position, size)):
            self.statuses[status[0]] += 1
            if status[0] == "5":
                self.failed[f"{status} {path}"] += 1
        self._position = size

    def _size(self) -> int:
        try:
            return os.path.getsize(self._path)
        except FileNotFoundError:
            return 0

    def _lines(self, start: int, end: int) -> list[str]:
        try:
            with open(self._path, "rb") as file:
                file.seek(start)
                return file.read(end - start).decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []


def _requests(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _LINE.search(line)
        if match and not line.endswith(_OURS):
            yield match["path"], match["status"]


def _shares(lines: Iterable[str]) -> float:
    """Return the share of requests that ended in a server error, 0 to 100."""
    return _percent(Counter(status[0] for _, status in _requests(lines)))


def _percent(statuses: Counter[str]) -> float:
    total = sum(statuses.values())
    return 100 * statuses["5"] / total if total else 0.0


def errors(log: AccessLog, since: float, seconds: float, limit: float, at_least: int) -> str:
    """Watch the share of server errors until `seconds` after `since` (time.monotonic) and return it in words.

    Raises AgentError as soon as it is more than `limit` points above what it was before, of `at_least` requests.
    """
    while True:
        log.read()
        total, share = sum(log.statuses.values()), _percent(log.statuses)
        if total >= at_least and share > log.before + limit:
            raise AgentError(
                "release",
                f"{share:.0f} % of {total} requests after the switch were server errors (before: {log.before:.0f} %).",
                "\n".join(f"{count} x {request}" for request, count in log.failed.most_common(5)),
                "The old release is live again. `inv logs` shows what the backend said.",
            )
        if time.monotonic() >= since + seconds:
            return f"{share:.1f} % server errors in {total} requests"
        time.sleep(_LOOK_SECONDS)


def refuse_crash(layout: Layout, slot: str, restarts: int, mask: Callable[[str], str]) -> None:
    """Raise AgentError when the copy that runs from `slot` ended, or was started more than `restarts` times again."""
    state = systemd.state_of(layout.unit(slot)) if slot else None
    if state and (not state.running or state.restarts > restarts):
        lines = systemd.last_lines(layout.unit(slot), 20)
        raise diagnosis.crashed(layout.unit(slot), state, [mask(line) for line in lines])
