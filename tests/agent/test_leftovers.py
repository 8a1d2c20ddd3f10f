"""What is swept away as the rest of a killed agent, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest
from server import make_layout, stand_in

from shipper.agent import leftovers

LIVE, STALE = "0123456789ab", "ba9876543210"
# The containers of the live release have failed; what is in front of them is systemd's own, and still open.
UNITS = f"""case "$*" in
*shop-proxy@*) echo "shop-proxy@{LIVE}.socket loaded active listening shop backend's socket";;
esac"""


def test_a_socket_that_systemd_holds_for_containers_stays_also_when_those_have_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "systemctl", UNITS)
    layout = make_layout(tmp_path)
    Path(layout.sockets).mkdir(parents=True)
    for slot in (LIVE, STALE):
        Path(layout.socket(slot)).touch()
    assert leftovers.sweep(layout) == [layout.socket(STALE)]
    assert Path(layout.socket(LIVE)).exists(), "systemd would not make it anew: the unit is active"


@pytest.mark.parametrize("name", ["freeze.7.0a1b2c3d", "services/compose.json.7.shipper-new"])
def test_half_a_file_of_one_that_was_killed_is_swept_away_wherever_it_was_written(tmp_path: Path, name: str) -> None:
    layout = make_layout(tmp_path)
    half = Path(layout.root, name)
    half.parent.mkdir(exist_ok=True)
    half.touch()
    assert leftovers.sweep(layout) == [str(half)]
