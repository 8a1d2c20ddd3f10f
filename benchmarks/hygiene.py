"""Measures the check for secrets on a tree, a commit and a history, beside detect-secrets and git-secrets.

`python -m benchmarks hygiene`, about three minutes. The files are made here: lines of code as people write them, the
same on every machine. The peers are installed by their ordinary ways: pip, and Debian's package of git-secrets.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, median

FILES, TREE_BYTES, COMMITS = 5_000, 36_000_000, 1_000
RUNS = 5
_SHIPPER = [sys.executable, "-m", "shipper"]
# Every third line or so has a word in it at which the rules look closer: more than in most projects.
_NAMES = """
    account address amount answer article basket button cache chart client colour column comment config counter country
    customer date device document event filter folder form frame group handler height image index invoice item label
    language layout length level limit link list margin member menu message method module month name network node number
    option order owner page panel parent password path phone place point position price product profile project query
    range reader record region request response result review row rule schema score screen section select session
    setting shape shop signal size source start state status store street style summary table target task team text
    theme time title token total track type unit update user value version video view visit week width window word
""".split()
_KINDS = {
    ".py": "def {a}_{b}({c}: str) -> int:\n    {a} = self.{b}.get({c!r}, {n})\n    return {a} or os.environ[{d!r}]\n",
    ".ts": "export const {a}{b} = async ({c}: string) => {{\n  const {d} = await fetch(`/api/{a}/${{{c}}}`);\n}};\n",
    ".json": '  "{a}": {{ "{b}": "{c} {d}", "count": {n} }},\n',
    ".md": "- the {a} of the {b} is kept in the {c}, see [{d}](https://example.com/{a}/{n})\n",
    ".yml": "{a}:\n  {b}: ${{{{ secrets.{c} }}}}\n  {d}: true\n",
    ".css": ".{a}-{b} {{ color: #{n:06x}; margin: {n}px }}\n",
}


def make_tree(folder: Path) -> None:
    """Write the files; equal on every machine."""
    dice = random.Random(20261121)
    for number in range(FILES):
        suffix, line = list(_KINDS.items())[number % len(_KINDS)]
        text, wanted = "", TREE_BYTES // FILES
        while len(text) < wanted:
            a, b, c, d = (dice.choice(_NAMES) for _ in range(4))
            text += line.format(a=a, b=b, c=c, d=d, n=dice.randrange(100_000))
        path = folder / f"part{number % 50}" / f"file{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def make_history(folder: Path) -> None:
    """Make a thousand commits, each of three small changes."""
    git(folder, "init", "-q")
    for number in range(COMMITS):
        for part in range(3):
            file = folder / f"module{(number * 3 + part) % 200}.py"
            with file.open("a", encoding="utf-8") as opened:
                opened.write(f"def change_{number}_{part}(token: str) -> str:\n    return token + {number}\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"change {number}")


def seconds(argv: list[str], folder: Path, codes: tuple[int, ...] = (0,)) -> float:
    """Run a command and return how long it took."""
    began = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert done.returncode in codes, done.stderr.decode("utf-8", "replace")
    return time.perf_counter() - began


def measure() -> list[Figure]:
    """Measure everything, one after the other."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, history = Path(scratch, "tree"), Path(scratch, "history")
        make_tree(tree)
        git(tree, "init", "-q")
        git(tree, "add", "-A")
        git(tree, "commit", "-qm", "all")
        history.mkdir()
        make_history(history)
        (history / "module1.py").open("a", encoding="utf-8").write("PAGE = 20\n")
        git(history, "add", "-A")
        size = f"{FILES:,} files, {TREE_BYTES / 1e6:.0f} MB"

        def run(*words: str, folder: Path) -> Callable[[int], float]:
            return lambda _: seconds([*_SHIPPER, *words], folder)

        figures = [
            Figure("check of a commit", median(RUNS, run("check", "--staged", folder=history)), "s", RUNS, 0.3),
            Figure(f"check of a tree, {size}", median(3, run("check", "--tree", folder=tree)), "s", 3, 3.0),
            Figure(
                f"check of {COMMITS:,} commits",
                median(3, run("check", "--range", "HEAD~999..HEAD", folder=history)),
                "s",
                3,
                10.0,
            ),
        ]
        return [*figures, *_peers(tree, Path(scratch), size)]


def _peers(tree: Path, scratch: Path, size: str) -> list[Figure]:
    subprocess.run([sys.executable, "-m", "venv", str(scratch / "peer")], check=True)
    python = scratch / "peer" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "detect-secrets"], check=True)
    taken = seconds([str(python.with_name("detect-secrets")), "scan"], tree)
    figures = [Figure(f"detect-secrets scan, {size}", taken, "s", 1)]
    if shutil.which("git-secrets"):
        git(tree, "secrets", "--register-aws")
        figures.append(
            Figure(f"git secrets --scan, {size}", seconds(["git", "secrets", "--scan"], tree, (0, 1)), "s", 1)
        )
    return figures
