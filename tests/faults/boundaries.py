"""Stopping the agent exactly between two steps of an activation, without a word about it in shipper itself.

The agent writes to its journal before and after every step. A hook in the practice server's own Python (sitecustomize,
which `python3 -I` reads too) sees each opening of that file (an audit event, PEP 578) and holds the agent at the one
that is wanted, until it is let go.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from conftest import Exec, wait_inside

from shipper.agent import steps

_HOOK = """
import os, sys, time
if os.path.exists("/run/fault/at"):
    seen = [0]
    def hold(event, arguments):
        if event != "open" or not str(arguments[0]).endswith("/journal.jsonl") or not arguments[2] & os.O_APPEND:
            return
        seen[0] += 1
        if not os.path.exists("/run/fault/at") or int(open("/run/fault/at").read()) != seen[0]:
            return
        open("/run/fault/reached", "w").close()
        while os.path.exists("/run/fault/at"):
            time.sleep(0.02)
    sys.addaudithook(hold)
"""
# A ship of containers on a machine that has much else to do takes its time.
_PATIENCE_SECONDS = 180
_PLACE = "/usr/lib/python3.11/sitecustomize.py"


@dataclass(frozen=True)
class Boundary:
    """A moment of an activation: the agent is about to write the journal's line with this number (from 1), and
    `after` is the word for what it wrote last.
    """

    name: str
    line: int
    after: str


def boundaries(planned: Sequence[str]) -> list[Boundary]:
    """Return a boundary before each of the steps that the agent was given, and one before the end."""
    found, line, after = [], 2, '"kind": "begin"'  # the first line
    verified = False
    for name in planned:
        if steps.named(name).tidies and not verified:
            verified, line, after = True, line + 1, '"kind": "verified"'
        found.append(Boundary(f"before-{name}", line, after))
        line, after = line + 2, f'"step": "{name}", "state": "done"'
    if verified:
        return [*found, Boundary("before-the-end", line, after)]
    return [*found, Boundary("before-the-end", line + 1, '"kind": "verified"')]


def install(run: Exec) -> None:
    """Put the hook into the server; it does nothing as long as no boundary is set."""
    assert run(["mkdir", "-p", "/run/fault"])[0] == 0
    change_python(run, _HOOK)


def remove(run: Exec) -> None:
    """Take the hook out again."""
    assert run(["rm", "-rf", "/run/fault"])[0] == 0
    restore_python(run)


def change_python(run: Exec, text: str) -> None:
    """Let the server's Python, and so its agent, run this text whenever it starts."""
    write = f"rm -f {_PLACE} && cat > {_PLACE} <<'HOOK'\n{text}\nHOOK"
    assert run(["sh", "-c", write])[0] == 0


def restore_python(run: Exec) -> None:
    """Let the server's Python start as it always did."""
    assert run(["sh", "-c", f"rm -f {_PLACE}; ln -s /etc/python3.11/sitecustomize.py {_PLACE}"])[0] == 0


def hold_at(run: Exec, boundary: Boundary) -> None:
    """Hold the next agent at this boundary."""
    put = 'mkdir -p /run/fault && rm -f /run/fault/reached && echo "$1" > /run/fault/at'
    assert run(["sh", "-c", put, "sh", str(boundary.line)])[0] == 0


def wait_until_held(run: Exec, ship: subprocess.Popen[str]) -> bool:
    """Wait until the agent of a ship stands at the boundary; False when the ship ended, or never came there."""
    return wait_inside(run, "[ -e /run/fault/reached ]", _PATIENCE_SECONDS, lambda: ship.poll() is not None)


def let_go(run: Exec) -> None:
    """Let the agent go on, if it is still there."""
    run(["rm", "-f", "/run/fault/at", "/run/fault/reached"])
