"""A program that was started here ends, with all that it started, when its time is over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shipper.build.program import run_program
from shipper.events import discard

# It ends at once and leaves somebody behind who has its output open, as a server does that a test began.
LEAVES_A_CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import pathlib, time; time.sleep(20); pathlib.Path('late').touch()"])
"""


def test_what_a_program_left_behind_ends_at_the_deadline(tmp_path: Path) -> None:
    ended = run_program([sys.executable, "-c", LEAVES_A_CHILD], tmp_path, dict(os.environ), "test", discard, 1.0)
    assert ended.timed_out
    assert not (tmp_path / "late").exists()
