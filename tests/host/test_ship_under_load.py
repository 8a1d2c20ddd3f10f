"""Ten ships and three rollbacks while visitors come and go: not one of their requests may fail."""

from __future__ import annotations

import re
from itertools import product

from corner import Corner
from load import Visitors, Wish

SHIPS, ROLLBACKS = 10, 3
SLOW = '    await asyncio.sleep(3 if scope["path"] == "/api/slow" else 0)\n'
HEALTH = 'if path == "/api/health":'
PAGES = tuple(f"<h1>page {number}</h1>" for number in range(SHIPS + 1))
VERSIONS = tuple(f'"version": "v{number}"' for number in range(SHIPS + 1))


def change(corner: Corner, number: int) -> None:
    """Change the site with every ship but one, the backend with every second, the environment with one."""
    if number != 5:
        corner.write("site/index.html", f"<!doctype html>{PAGES[number]}")
    if number == 7:
        corner.write(".env.sandbox", 'SECRET_KEY="another-marker-7777"\n')
        assert corner.shipper("env.push").code == 0
    if number % 2 == 0 or number == 5:
        main = corner.root / "backend/main.py"
        main.write_text(re.sub(r'VERSION = ".*"', f'VERSION = "v{number}"', main.read_text()), encoding="utf-8")


def wishes() -> list[Wish]:
    asked = [("GET", "/", PAGES), ("GET", "/api/health", VERSIONS), ("POST", "/api/echo", VERSIONS)]
    many = [Wish(method, path, keep, marks) for (method, path, marks), keep in product(asked, (True, False))] * 2
    # At every switch somebody waits for an answer that takes longer than the drain.
    return [*many, Wish("GET", "/api/slow", True, VERSIONS), Wish("GET", "/api/slow", False, VERSIONS)]


def test_no_request_fails_during_ten_ships_and_three_rollbacks(corner: Corner) -> None:
    corner.edit("backend/main.py", "    status, answer = respond(", SLOW + "    status, answer = respond(")
    corner.edit("backend/main.py", HEALTH, f'{HEALTH[:-1]} or path == "/api/slow":')
    corner.edit("backend/main.py", "import json", "import asyncio\nimport json")
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
    assert set(PAGES) - {PAGES[5]} <= set(tally.answers)
    assert {VERSIONS[number] for number in (0, 2, 4, 5, 6, 8, 10)} <= set(tally.answers)
    assert sum(tally.answers.values()) > 5000
