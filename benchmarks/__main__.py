"""`python -m benchmarks SUBJECT` measures one subject and writes its page to benchmarks/results; without a word, all.

Each subject is measured by a process of its own: one that fails, or misses a limit, is not the end of the others.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import measure_and_write

# In the order in which they run; with what they measure.
SUBJECTS = {
    "ships": "whole commands on a practice server near by: ships, rollback, memory",
    "ship": "a ship step by step beside the hand-written sequence, with visitors, over a slow line",
    "hygiene": "the check for secrets, beside others",
    "startup": "how long one waits before anything happens",
    "images": "an image over a slow line, beside others",
    "transfer": "a built site over a slow line, beside others",
}
# They have options of their own, and pages of their own kind.
_OWN_PAGES = ("ship", "images", "transfer")


def measure_all() -> int:
    """Measure every subject; return 1 when one failed or missed a limit."""
    failed = []
    for name in SUBJECTS:
        print(f"\n==> python -m benchmarks {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", "benchmarks", name], cwd=Path(__file__).parents[1], check=False)
        if done.returncode:
            failed.append(name)
    for name in failed:
        print(f"failed, or above a limit: python -m benchmarks {name}")
    return 1 if failed else 0


def main(words: Sequence[str]) -> int:
    if not words:
        return measure_all()
    name, *rest = words
    if name in _OWN_PAGES:
        return int(importlib.import_module(f"benchmarks.{name}").main(rest))
    if name in SUBJECTS and not rest:
        return measure_and_write(name, importlib.import_module(f"benchmarks.{name}").measure)
    print("python -m benchmarks [SUBJECT], without one all of them:", file=sys.stderr)
    for subject, what in SUBJECTS.items():
        options = " [--help]" if subject in _OWN_PAGES else ""
        print(f"  {subject + options:18} {what}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
