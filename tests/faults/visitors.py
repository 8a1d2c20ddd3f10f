"""Visitors during a fault: every page has to come with its own assets, every note that was acknowledged has to stay."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_BREATH_SECONDS = 0.02
# Takes a connection and headers; returns the failure in words, "" for none.
Visit = Callable[[http.client.HTTPConnection, dict[str, str]], str]
_PAGE = re.compile(r'<script src="(/assets/app-\w+\.js)"></script><h1>(\w+)</h1>')


@dataclass
class Tally:
    """What the visitors saw: failures by their words, answers of each kind, and how many notes were acknowledged."""

    failures: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    notes: int = 0


class Visitors:
    """A context: visitors come and go while its block runs. Look at `tally` afterwards."""

    def __init__(self, url: str) -> None:
        self.tally = Tally()
        self._address = urlsplit(url).netloc
        self._stop = threading.Event()
        self._lock = threading.Lock()
        visits = (("GET /", self._read_a_page), ("POST /api/note", self._write_a_note))
        kinds = [(name, visit, keep) for name, visit in visits for keep in (True, False)]
        self._threads = [threading.Thread(target=self._come, args=kind) for kind in kinds]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _come(self, name: str, visit: Visit, keep: bool) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        while not self._stop.is_set():
            if not keep:
                connection.close()
            try:
                failure = visit(connection, {} if keep else {"Connection": "close"})
            except http.client.RemoteDisconnected:
                # Closed while idle (a reload does that to a keep-alive connection): a browser would simply ask again.
                failure = "" if keep else f"{name}: closed without an answer"
                connection.close()
            except (OSError, http.client.HTTPException) as error:
                failure = f"{name}: {type(error).__name__}"
                connection.close()
            if failure:
                with self._lock:
                    self.tally.failures[failure] += 1
            time.sleep(_BREATH_SECONDS)
        connection.close()

    def _read_a_page(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> str:
        status, text = _ask(connection, "GET", "/", headers)
        page = _PAGE.search(text)
        if status != 200 or page is None:
            return f"GET /: HTTP {status}"
        if headers:
            connection.close()
        status, script = _ask(connection, "GET", page[1], headers)
        if status != 200 or f'"{page[2]}"' not in script:
            return f"the script of page {page[2]}: HTTP {status} {script[:40]!r}"
        with self._lock:
            self.tally.answers[page[2]] += 1
        return ""

    def _write_a_note(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> str:
        status, text = _ask(connection, "POST", "/api/note", headers)
        if status != 200 or '"noted"' not in text:
            return f"POST /api/note: HTTP {status}"
        with self._lock:
            self.tally.notes += 1
        return ""


def _ask(connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection.request(method, path, body=b"x" if method == "POST" else None, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
