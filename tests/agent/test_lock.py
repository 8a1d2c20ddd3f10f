"""The lock between two processes: the second is told who holds it, and a killed holder holds nothing (U9)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from server import make_layout

from shipper.agent import lock
from shipper.agent.errors import AgentError

HOLD = """
import sys
from shipper.agent import lock
from shipper.agent.layout import Layout
lock.take(Layout("shop", base=sys.argv[1]), "kim@laptop", "shipping")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_lock_names_its_holder_and_is_free_once_that_was_killed(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    argv = [sys.executable, "-c", HOLD, os.path.dirname(layout.root)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AgentError, match=r"kim@laptop is changing shop right now \(shipping\)") as refused:
            lock.take(layout, "lee@desktop", "shipping")
        assert refused.value.kind == "lock"
        assert f"process {holder.pid}" in refused.value.why
        holder.kill()
    lock.take(layout, "lee@desktop", "shipping")
    lock.take(layout, "lee@desktop", "again is nothing")
