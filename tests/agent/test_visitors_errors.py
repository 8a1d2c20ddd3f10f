"""Counting how visitors' requests end around a switch, from what nginx logs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from server import make_layout

from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout
from shipper.agent.watch import AccessLog, errors


class Logged(Layout):
    """A layout whose log can be written by a test."""

    @property
    def access_log(self) -> str:
        return f"{self.root}/access.log"


@pytest.fixture
def layout(tmp_path: Path) -> Logged:
    make_layout(tmp_path)
    return Logged("shop", base=str(tmp_path / "srv"))


def log(layout: Layout, status: int, count: int, agent: str = "Mozilla/5.0") -> None:
    """Let nginx log as many requests of somebody."""
    line = f'192.0.2.7 - - [20/Nov/2026:00:00:01 +0000] "GET /api HTTP/1.1" {status} 12 "-" "{agent}"\n'
    with open(layout.access_log, "a", encoding="utf-8") as file:
        file.write(line * count)


def test_errors_right_after_the_switch_are_not_taken_for_those_before_it(layout: Logged) -> None:
    log(layout, 200, 500)
    seen = AccessLog(layout)  # this is the moment of the switch
    log(layout, 502, 2000)  # a busy site, while the release is still being looked at
    with pytest.raises(AgentError, match=r"100 % of 2000 requests after the switch were server errors \(before: 0 %\)"):
        errors(seen, time.monotonic(), 0, 5, 20)


def test_what_shipper_itself_asks_for_is_no_request_of_a_visitor(layout: Logged) -> None:
    seen = AccessLog(layout)
    log(layout, 200, 2000, agent="shipper")
    log(layout, 502, 20)
    with pytest.raises(AgentError, match="100 % of 20 requests"):
        errors(seen, time.monotonic(), 0, 5, 20)
    assert AccessLog(layout).before == 100.0


def test_errors_that_were_there_before_are_no_reason_to_go_back(layout: Logged) -> None:
    log(layout, 502, 100)
    seen = AccessLog(layout)
    log(layout, 502, 100)
    assert errors(seen, time.monotonic(), 0, 5, 20) == "100.0 % server errors in 100 requests"
