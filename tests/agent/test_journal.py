"""The journal: what was written stays readable, also after the server lost power in the middle of a line."""

from __future__ import annotations

import stat
from pathlib import Path

from server import make_layout

from shipper.agent import journal


def test_half_a_line_takes_no_other_entry_with_it(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    journal.write(layout, kind="ship", release="one")
    with open(layout.journal, "a", encoding="utf-8") as file:
        file.write('{"time": "2026-11-20T00:0')
    journal.write(layout, kind="ship", release="two")
    journal.write(layout, kind="env", who="kim")
    journal.write(layout, kind="rollback", release="three")
    found = journal.last(layout, ("ship", "rollback"), 10)
    assert [entry["release"] for entry in found] == ["one", "two", "three"]
    assert [entry["release"] for entry in journal.last(layout, ("ship", "rollback"), 2)] == ["two", "three"]


def test_the_journal_is_closed_to_everybody_but_root(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    journal.write(layout, kind="ship")
    assert stat.S_IMODE(Path(layout.journal).stat().st_mode) == 0o600
