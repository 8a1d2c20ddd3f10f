"""The measurements themselves: each can be run, none ends the others, and their pages say what was done."""

from __future__ import annotations

import http.server
import importlib
import json
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks.figures import Figure, write
from benchmarks.ship_page import BY_HAND, CHANGE, FIRST, SAME, SHIPPER, Measured, Run, Stage, judge
from benchmarks.ship_page import write as write_ships
from benchmarks.transfer_limits import SHIPPER as OURS
from benchmarks.transfer_limits import SSH, TITLES, Passage
from benchmarks.transfer_limits import Measured as Transfers
from benchmarks.transfer_limits import judge as judge_transfers
from benchmarks.transfer_page import write as write_transfers
from benchmarks.visitors import Visits, visited

PAGE = '<script src="/_next/static/chunks/a.js"></script></html>'


@pytest.mark.parametrize("name", program.SUBJECTS)
def test_every_subject_can_be_measured(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert callable(getattr(module, "main", None) or module.measure)


def test_a_subject_that_fails_is_not_the_end_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Two that the program does not know: each is begun by a process of its own, and fails there.
    monkeypatch.setattr(program, "SUBJECTS", {"moon": "", "tide": ""})
    assert program.main([]) == 1
    told = capfd.readouterr().out
    assert [told.count(f"above a limit: python -m benchmarks {name}") for name in ("moon", "tide")] == [1, 1]


def test_a_page_says_which_command_made_it_and_which_of_the_runs_it_tells(tmp_path: Path) -> None:
    figures = [Figure("one", 1.0, "s", 1), Figure("five", 2.0, "s", 5, 3.0), Figure("six", 4.0, "s", 6, 3.0, "slowest")]
    page = write("startup", figures, 0.5, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert page.name.startswith("startup-20")
    assert "`python -m benchmarks startup`" in text
    assert [row.split("|")[-2].strip() for row in text.splitlines() if row.startswith("| ")][1:] == [
        "once",
        "median of 5",
        "slowest of 6",
    ]
    assert len(json.loads(page.with_suffix(".json").read_text())["figures"]) == 3


def ships(failed: int) -> Measured:
    """Ships of both ways, those of shipper twice as fast."""
    runs = []
    for way, factor in ((BY_HAND, 2.0), (SHIPPER, 1.0)):
        for kind in (FIRST, CHANGE, SAME):
            failures = {"API: HTTP 502": failed if way == SHIPPER else 40}
            seen = None if kind == FIRST else Visits(500, failures, (1000.5, 1000.6), 0.3, 2)
            stages = (Stage("build <1>", 0.0, factor), Stage("restart", factor, factor))
            runs.append(Run(way, kind, 1000.0, 2 * factor, stages, seen, 1_000_000, 10_000, 0.1))
    return Measured(tuple(runs), (0.1, 0.2), 50e6, 0.04)


def test_the_page_of_the_ships_has_steps_errors_and_a_chart(tmp_path: Path) -> None:
    page = write_ships(ships(0), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "40 of 500" in text and "0 of 500" in text
    assert "| build <1> | 0.00 s | 2.00 s | | build <1> | 0.00 s | 1.00 s |" in text
    drawn = ElementTree.parse(page.with_suffix(".svg")).getroot()
    kinds = [one.get("class") for one in drawn.iter() if one.tag.endswith("rect")]
    assert (kinds.count("bar"), kinds.count("own"), kinds.count("bad")) == (2, 2, 4)


@pytest.mark.parametrize(("failed", "held"), [(0, True), (1, False)])
def test_one_failed_request_of_a_visitor_is_one_too_many(failed: int, held: bool) -> None:
    assert all(check.held for check in judge(ships(failed))) == held


def transfers(first: float) -> Transfers:
    """A site in three ways; shipper's first ship takes `first` seconds, tar's one until it is on the disk as well."""
    seconds = {OURS: 0.1, "tar": 0.6, "rsync": 1.0}
    passages = [
        Passage("music", way, line, kept, kind, first if (way, kind) == (OURS, "first") else taken, 1000, sync=0.4)
        for way, taken in seconds.items()
        for line, kept in (("slow", True), ("slow", False), ("loopback", True))
        for kind in TITLES
    ]
    for passage in passages:
        if passage.way == OURS:
            passage.sent, passage.sync = 100, 0.0
    floor = (Passage("nothing", SSH, "slow", False, "same"), Passage("nothing", OURS, "slow", False, "same"))
    return Transfers(tuple(passages), (), (), (), floor, (0.1, 0.2), 50e6, 0.04)


def test_the_page_of_the_transfers_tells_when_all_is_on_the_disk_and_why_a_limit_is_missed(tmp_path: Path) -> None:
    assert all(check.held for check in judge_transfers(transfers(0.6)))
    text = write_transfers(transfers(0.9), tmp_path).read_text(encoding="utf-8")
    assert "| first ship | shipper | 0.90 s | 0.90 s |" in text
    assert "| first ship | tar | 0.60 s | 1.00 s |" in text
    missed = text.partition("## Missed, and why")[2]
    assert missed.count("first ship, time / best peer") == 2
    assert missed.count("Until it is on the disk, tar takes 1.00 s, shipper 0.90 s.") == 2


@contextmanager
def small_site(broken: threading.Event, refused: threading.Event) -> Iterator[str]:
    """Serve what visitors ask for; what they record is refused, and `refused` set, once `broken` is."""

    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(200, PAGE if self.path.endswith("/") else '{"status": "ok"}')

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if broken.is_set():
                self.answer(502, "")
                refused.set()
            else:
                self.answer(201, '{"id": 1}')

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_visitors_say_what_they_did_not_get_and_when() -> None:
    broken, refused = threading.Event(), threading.Event()
    with small_site(broken, refused) as url, visited(url, rest=0.0) as seen:
        began = time.time()
        broken.set()
        assert refused.wait(30)
    (visits,) = seen
    assert list(visits.failures) == ["recording: HTTP 502"]
    assert 0 < visits.failed < visits.requests
    assert visits.bad and min(visits.bad) >= began - 0.1
