"""Ten ships and three rollbacks while visitors come and go: not one of their requests may fail."""

from __future__ import annotations

import re
from itertools import product

from corner import Corner
from load import Visitors, Wish

SHIPS, ROLLBACKS = 10, 3
PAGES = tuple(f"<h1>page {number}</h1>" for number in range(SHIPS + 1))
VERSIONS = tuple(f'"version": "v{number}"' for number in range(SHIPS + 1))


def change(corner: Corner, number: int) -> None:
    """Change the site, and with every second ship the backend, too."""
    corner.write("site/index.html", f"<!doctype html>{PAGES[number]}")
    if number % 2 == 0:
        main = corner.root / "backend/main.py"
        main.write_text(re.sub(r'VERSION = ".*"', f'VERSION = "v{number}"', main.read_text()), encoding="utf-8")


def wishes() -> list[Wish]:
    asked = [("GET", "/", PAGES), ("GET", "/api/health", VERSIONS), ("POST", "/api/echo", VERSIONS)]
    return [Wish(method, path, keep, marks) for (method, path, marks), keep in product(asked, (True, False))] * 2


def test_no_request_fails_during_ten_ships_and_three_rollbacks(corner: Corner) -> None:
    change(corner, 0)
    corner.shipped()
    with Visitors(corner.url, wishes()) as visitors:
        for number in range(1, SHIPS + 1):
            change(corner, number)
            corner.shipped()
        for _ in range(ROLLBACKS):
            ended = corner.shipper("rollback", "--yes")
            assert ended.code == 0, ended.output
    tally = visitors.tally
    assert tally.failures == []
    # nginx's files do not change in these ships, so it is never reloaded and has no reason to close anything.
    assert tally.idle_closes == 0
    assert set(PAGES) <= set(tally.answers)
    assert {f'"version": "v{number}"' for number in range(0, SHIPS + 1, 2)} <= set(tally.answers)
    assert sum(tally.answers.values()) > 5000
