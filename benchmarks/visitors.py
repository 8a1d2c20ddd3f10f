"""Visitors of examples/quality during a ship: a process of its own, so that they and what is measured do not share one.

Each asks, waits for the answer, takes a breath, and asks again: some read a page with all scripts and styles that it
names, some ask the API, some record an inspection. Half of them keep their connection, half open one for each request.
`python -m benchmarks.visitors URL` begins, says so in a line, and tells as JSON what was seen when its input ends.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

# Of each kind of visitor there are two. They all come from one address, of which shipper's nginx takes 30 requests a
# second for the backend ([nginx] rate): together they ask it for 16 at most, whoever ships.
_BREATH_SECONDS = 0.25
_TIMEOUT_SECONDS = 10
_PAGES = ("/", "/help/", "/inspections/", "/reports/", "/login/")
_ASSET = re.compile(r'(?:src|href)="(/_next/static/[^"]+\.(?:js|css))"')
_INSPECTION = json.dumps({"part": "A-17", "line": "Line 1", "result": "pass", "note": "benchmark"})
_SLOT = 0.1


@dataclass(frozen=True)
class Visits:
    """What visitors saw: how many requests they made, and the failed ones by their words.

    `bad` are the tenths of a second in which a request failed, by time.time(); `slowest` is the longest wait for an
    answer in seconds. `idle_closes` are connections that were closed while nobody had asked: a browser asks again.
    """

    requests: int
    failures: dict[str, int]
    bad: tuple[float, ...]
    slowest: float
    idle_closes: int

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def bad_seconds(self) -> float:
        return len(self.bad) * _SLOT


@dataclass
class _Tally:
    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    bad: set[int] = field(default_factory=set)
    slowest: float = 0.0
    idle_closes: int = 0


class _Visitor(threading.Thread):
    """One visitor. `done` is set as soon as it had an answer that was right."""

    def __init__(self, address: str, visit: Callable[[_Visitor], None], keep: bool, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.tally = _Tally()
        self.done = threading.Event()
        self._visit = visit
        self._keep = keep
        self._over = stop
        self._connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_SECONDS)

    def run(self) -> None:
        while not self._over.is_set():
            self._visit(self)
            time.sleep(_BREATH_SECONDS)
        self._connection.close()

    def ask(self, method: str, path: str, status: int, is_whole: Callable[[str], bool], what: str) -> str | None:
        """Ask for something; return its text, None when it is not what a visitor should get."""
        failure, text, began = "", "", time.time()
        try:
            code, text = self._request(method, path)
            if code != status:
                failure = f"{what}: HTTP {code}"
            elif not is_whole(text):
                failure = f"{what}: cut short or empty"
        except http.client.RemoteDisconnected:
            self._connection.close()
            if self._keep:
                self.tally.idle_closes += 1
                return None
            failure = f"{what}: no answer"
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            failure = f"{what}: {type(error).__name__}"
        self._note(failure, began)
        return None if failure else text

    def _request(self, method: str, path: str) -> tuple[int, str]:
        if not self._keep:
            self._connection.close()
        headers = {} if self._keep else {"Connection": "close"}
        body = _INSPECTION if method == "POST" else None
        if body:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")

    def _note(self, failure: str, began: float) -> None:
        now = time.time()
        self.tally.requests += 1
        self.tally.slowest = max(self.tally.slowest, now - began)
        if failure:
            self.tally.failures[failure] += 1
            self.tally.bad.add(int(now / _SLOT))
        else:
            self.done.set()


def _read_pages() -> Callable[[_Visitor], None]:
    pages = cycle(_PAGES)

    def visit(visitor: _Visitor) -> None:
        page = visitor.ask("GET", next(pages), 200, lambda text: text.rstrip().endswith("</html>"), "page")
        for asset in dict.fromkeys(_ASSET.findall(page or "")):
            visitor.ask("GET", asset, 200, bool, "script or style")

    return visit


def _read_data() -> Callable[[_Visitor], None]:
    paths = cycle(("/api/health", "/api/summary"))

    def visit(visitor: _Visitor) -> None:
        visitor.ask("GET", next(paths), 200, lambda text: text.endswith("}"), "API")

    return visit


def _record(visitor: _Visitor) -> None:
    visitor.ask("POST", "/api/inspections", 201, lambda text: '"id"' in text, "recording")


def visit(url: str) -> Visits:
    """Let visitors come until standard input ends; a line is printed when each of them was well served once."""
    stop, address = threading.Event(), urlsplit(url).netloc
    kinds = (_read_pages(), _read_pages(), _read_data(), _read_data(), _record, _record)
    visitors = [_Visitor(address, kind, number % 2 == 0, stop) for number, kind in enumerate(kinds)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        assert visitor.done.wait(_TIMEOUT_SECONDS), f"there is nothing to visit: {visitor.tally.failures}"
    print("begun", flush=True)
    sys.stdin.read()
    stop.set()
    for visitor in visitors:
        visitor.join()
    tallies = [visitor.tally for visitor in visitors]
    failures: Counter[str] = sum((tally.failures for tally in tallies), Counter())
    return Visits(
        requests=sum(tally.requests for tally in tallies),
        failures=dict(failures.most_common()),
        bad=tuple(slot * _SLOT for slot in sorted(set().union(*(tally.bad for tally in tallies)))),
        slowest=max(tally.slowest for tally in tallies),
        idle_closes=sum(tally.idle_closes for tally in tallies),
    )


@contextmanager
def visited(url: str, rest: float = 1.0) -> Iterator[list[Visits]]:
    """Let visitors come for the length of the block and `rest` seconds more; what they saw is in the list then."""
    seen: list[Visits] = []
    argv = [sys.executable, "-m", "benchmarks.visitors", url]
    root = Path(__file__).parents[1]
    with subprocess.Popen(argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "begun\n", "the visitors did not begin"
        try:
            yield seen
            time.sleep(rest)
        finally:
            process.stdin.close()
            told = process.stdout.read()
    found = json.loads(told)
    seen.append(Visits(**{**found, "bad": tuple(found["bad"])}))


if __name__ == "__main__":
    from dataclasses import asdict

    print(json.dumps(asdict(visit(sys.argv[1]))))
