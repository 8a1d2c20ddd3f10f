"""Measures how long one waits before anything happens: the lists, the help, a Tab, and what a ship imports.

`python -m benchmarks startup`, half a minute; no server is asked. Beside the seconds stands the processor's time, which
tells more on a machine with other work, and the number of modules. `-X importtime` says where the time goes: the page
names the dearest imports of our own and of the libraries.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure

REPOSITORY = Path(__file__).parents[1]
RUNS = 15
# What a person types, or a shell at a Tab; the first one is the floor that Python itself sets.
COMMANDS = {
    "Python alone": ["-c", "0"],
    "a Tab after --to": ["-m", "shipper", "--complete-values", "--", "ship", "--to", ""],
    "shipper --list": ["-m", "shipper", "--list"],
    "shipper --help": ["-m", "shipper", "--help"],
    "inv --list": ["-m", "invoke", "--list"],
    "importing what a ship of a site needs": ["-c", "import shipper.pipeline.ship, shipper.report.outcome"],
}
_DEAREST = 5
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)")


@dataclass(frozen=True)
class Took:
    """What one run took: seconds on the clock, and of the processor."""

    wall: float
    processor: float


def run(words: Sequence[str], folder: Path) -> Took:
    """Run Python with these words in a folder with a tasks.py."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr.decode()
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Took(time.perf_counter() - began, spent)


def imports(words: Sequence[str], folder: Path) -> dict[str, int]:
    """Return the microseconds of each import, all that it imported itself included."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    argv = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return {name: int(total) for _, total, _, name in _IMPORT.findall(done.stderr)}


def measure() -> list[Figure]:
    """Return the figures of all commands."""
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "tasks.py").write_text("from shipper.tasks import namespace\n", encoding="utf-8")
        (folder / "ship.toml").write_text('name = "shop"\n[frontend]\npreset = "static"\n', encoding="utf-8")
        for name, words in COMMANDS.items():
            run(words, folder)  # byte code and the disk's cache
            took = [run(words, folder) for _ in range(RUNS)]
            loaded = imports(words, folder)
            figures += [
                Figure(name, statistics.median(one.wall for one in took), "s", RUNS),
                Figure(name, min(one.wall for one in took), "s", RUNS, chosen="fastest"),
                Figure(f"{name}: processor", statistics.median(one.processor for one in took), "s", RUNS),
                Figure(f"{name}: modules imported", len(loaded), "", 1),
            ]
        listed = imports(COMMANDS["shipper --list"], folder)
    dearest = sorted(listed.items(), key=lambda entry: -entry[1])
    tops = [(name, cost) for name, cost in dearest if "." not in name and not name.startswith(("_", "shipper"))]
    ours = [(name, cost) for name, cost in dearest if name.startswith("shipper.tasks.")]
    for name, cost in (*tops[:_DEAREST], *ours[:_DEAREST]):
        figures.append(Figure(f"shipper --list: importing {name}", cost / 1_000_000, "s", 1))
    return figures
