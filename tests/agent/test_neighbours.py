"""Two apps on one server, each at its own work at the same time."""

from __future__ import annotations

from pathlib import Path

from server import make_layout

from shipper.agent import slot
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
