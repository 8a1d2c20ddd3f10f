"""Visitors: closed-loop clients that ask for pages and the API through nginx and look at every answer."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# Closing clients leave a port in TIME_WAIT behind for a minute with each request; without a breath the 28,000 of
# this machine would be used up, and the clients would fail, not the server. And they leave the machine to the ships.
BREATH_SECONDS = 0.05
BODY = json.dumps({"part": "A-17", "note": "x" * 3000})


@dataclass(frozen=True)
class Wish:
    """What one client asks for, again and again. `marks` are the words of which an answer must hold exactly one.

    A POST sends `body`; without one of its own, the server is expected to say how many bytes it got. `status` is the
    answer's. Of a POST with a body of its own the answers' texts are kept.
    """

    method: str
    path: str
    keep_alive: bool
    marks: tuple[str, ...]
    body: str = ""
    status: int = 200


@dataclass
class Tally:
    """What the clients saw: answers by their mark, failures in words, idle connections nginx closed, kept texts."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    idle_closes: int = 0
    kept: list[str] = field(default_factory=list)


class Visitors:
    """A context: the clients run while its block does. Look at `tally` afterwards."""

    def __init__(self, url: str, wishes: list[Wish]) -> None:
        self.tally = Tally()
        self._address = urlsplit(url).netloc
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._visit, args=[wish]) for wish in wishes]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, wish: Wish) -> None:
        connection = self._connect()
        while not self._stop.is_set():
            if not wish.keep_alive:
                connection.close()
                connection = self._connect()
            try:
                self._ask(connection, wish)
            except http.client.RemoteDisconnected:
                # Closed by nginx while idle, before a byte of the answer: a browser would simply ask again.
                connection = self._connect()
                with self._lock:
                    self.tally.idle_closes += 1
            except Exception as error:  # whatever it is, a visitor did not get what was asked for
                connection = self._connect()
                self._fail(wish, f"{type(error).__name__}: {error}")
            time.sleep(BREATH_SECONDS)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._address, timeout=10)

    def _ask(self, connection: http.client.HTTPConnection, wish: Wish) -> None:
        headers = {} if wish.keep_alive else {"Connection": "close"}
        body = (wish.body or BODY) if wish.method == "POST" else None
        if wish.body:
            headers["Content-Type"] = "application/json"
        connection.request(wish.method, wish.path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        found = [mark for mark in wish.marks if mark in text]
        whole = body is None or bool(wish.body) or f'"bytes": {len(BODY)}' in text
        if answer.status != wish.status or len(found) != 1 or not whole:
            self._fail(wish, f"HTTP {answer.status}: {text[:200]}")
            return
        with self._lock:
            self.tally.answers[found[0]] += 1
            if wish.body:
                self.tally.kept.append(text)

    def _fail(self, wish: Wish, why: str) -> None:
        with self._lock:
            self.tally.failures.append(f"{wish.method} {wish.path}: {why}")
