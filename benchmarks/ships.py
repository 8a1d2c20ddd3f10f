"""Measures whole commands, from the key press to the prompt, on a practice server of its own: ships, rollback, memory.

`python -m benchmarks ships` takes two minutes. The app is examples/quality: Next.js 16 and Django 5.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, median
from benchmarks.server import watched_memory
from shipper.build.frontend import build_frontend
from shipper.config.envfile import EnvFile, render_env
from shipper.config.load import find_workspace
from shipper.events import discard
from shipper.sandbox import server

SANDBOX = "shipper-bench"
EXAMPLE = Path(__file__).parents[1] / "examples" / "quality"
PROGRAM = Path(sys.executable).with_name("shipper")
RUNS = 5
FILES = 5000


class Shop:
    """A copy of the example in a repository of its own, on the practice server of the benchmarks."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = server.reset(SANDBOX, discard)
        self.root = folder / "quality"
        skipped = shutil.ignore_patterns("node_modules", ".next", "out", ".shipper", ".env.*[!e]")
        shutil.copytree(EXAMPLE, self.root, ignore=skipped)
        values = {
            "SECRET_KEY": "benchmarks-have-no-secret-worth-keeping-but-django-wants-fifty-characters",
            "ALLOWED_HOSTS": "127.0.0.1",
            "CSRF_TRUSTED_ORIGINS": self.sandbox.url,
            "DATABASE_PATH": "/srv/quality/shared/data/quality.sqlite3",
        }
        (self.root / ".env.sandbox").write_text(render_env(EnvFile("benchmark", values)), encoding="utf-8")
        who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "benchmark"]):
            subprocess.run(["git", *words], cwd=self.root, check=True)

    def type(self, *words: str) -> float:
        """Type a command of shipper; return the seconds until it has ended."""
        began = time.perf_counter()
        environment = {**os.environ, "SHIPPER_SANDBOX": SANDBOX}
        subprocess.run([PROGRAM, *words], cwd=self.root, env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    def read(self, *words: str) -> str:
        """Type a command of shipper; return what it prints."""
        environment = {**os.environ, "SHIPPER_SANDBOX": SANDBOX}
        done = subprocess.run(
            [PROGRAM, *words], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def append(self, path: str, text: str) -> None:
        with (self.root / path).open("a", encoding="utf-8") as file:
            file.write(text)


def measure_ships(shop: Shop) -> list[Figure]:
    shop.type("env.push")
    with watched_memory(SANDBOX) as peaks:
        first = shop.type("ship", "--yes")
    assert peaks.agent, "no agent was ever seen"
    megabyte = 1_000_000

    def change_text(number: int) -> float:
        page = shop.root / "frontend/app/help/page.tsx"
        page.write_text(page.read_text().replace("</h2>", f" {number}</h2>", 1).replace("Help", f"Help {number}", 1))
        return shop.type("ship", "--yes")

    def change_backend(number: int) -> float:
        shop.append("backend/config/urls.py", f"# change {number}\n")
        return shop.type("ship", "--yes")

    return [
        Figure("first ship, npm ci and builds included", first, "s", 1),
        Figure("the agent's peak memory during it", peaks.agent / megabyte, "MB", 1, 64.0),
        Figure("the server's peak memory, file cache aside (1 GB, no swap)", peaks.server / megabyte, "MB", 1, 1000.0),
        Figure("processes killed for memory", peaks.killed, "", 1, 0),
        Figure("ship without a change", median(RUNS, lambda _: shop.type("ship", "--yes")), "s", RUNS, 1.0),
        Figure("ship of a text change (next build included)", median(3, change_text), "s", 3),
        Figure("ship of a backend change (drain of 2 s included)", median(3, change_backend), "s", 3),
        Figure("rollback to another backend", slowest_rollback(shop), "s", 6, 3.0, "slowest"),
    ]


def slowest_rollback(shop: Shop) -> float:
    """Go back and forth between two releases with another backend each; return the slowest."""
    releases = [row.split()[0] for row in shop.read("status").splitlines() if " good " in row or " live " in row]
    newest, before = [name for name in releases if name.startswith("20")][1:3]
    return max(shop.type("rollback", "--release", name, "--yes") for name in [newest, before] * (RUNS // 2 + 1))


def measure_cached_build(folder: Path) -> Figure:
    site = folder / "many" / "frontend"
    for number in range(FILES):
        file = site / f"pages/{number % 100}/{number}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<h1>page {number}</h1>", encoding="utf-8")
    (site / "index.html").write_text("<h1>many</h1>", encoding="utf-8")
    (folder / "many/ship.toml").write_text('name = "many"\n[frontend]\npreset = "static"\n', encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder / "many", check=True)
    workspace = find_workspace(folder / "many")
    build_frontend(workspace, "http://127.0.0.1", discard)
    # A file that was written less than two seconds ago is read again, as git does.
    while time.time() - (site / "index.html").stat().st_mtime < 2.5:
        time.sleep(0.1)
    build_frontend(workspace, "http://127.0.0.1", discard)

    def again(_: int) -> float:
        began = time.perf_counter()
        assert build_frontend(workspace, "http://127.0.0.1", discard).cached
        return time.perf_counter() - began

    return Figure(f"build without a change, {FILES:,} files", median(RUNS, again), "s", RUNS, 0.3)


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as scratch:
        shop = Shop(Path(scratch))
        try:
            listing = Figure("shipper --list", median(RUNS, lambda _: shop.type("--list")), "s", RUNS)
            return [*measure_ships(shop), measure_cached_build(Path(scratch)), listing]
        finally:
            server.down(SANDBOX)
