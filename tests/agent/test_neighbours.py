"""Two apps on one server, each at its own work at the same time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from server import make_layout

from shipper.agent import nginx, slot
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout

SLOT = "0123456789ab"


def _make_port(layout: Layout, port: int) -> None:
    folder = Path(layout.slot(SLOT))
    folder.mkdir()
    (folder / "port").write_text(f"SHIPPER_PORT={port}\n")


def test_a_port_of_another_apps_slot_is_left_to_it_also_while_that_does_not_run(tmp_path: Path) -> None:
    shop, blog = make_layout(tmp_path), make_layout(tmp_path, "blog")
    first = slot.choose_port(shop, SLOT)
    _make_port(blog, first)  # a release that its app may be taken back to
    second = slot.choose_port(shop, SLOT)
    assert second != first
    _make_port(shop, second)
    assert slot.choose_port(shop, SLOT) not in (first, second)


def test_a_file_that_another_app_is_putting_in_place_is_no_part_of_a_candidate(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    folder = Path(layout.nginx, "conf.d")
    folder.mkdir(parents=True)
    os.mkfifo(folder / "shipper-blog.conf.7.shipper-new")  # as little to be copied as one that has its own name by now
    with pytest.raises(AgentError, match="nginx does not accept its configuration"):  # it has none here
        nginx.test_candidate(layout, {"http": "", "server": ""})
