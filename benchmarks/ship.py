"""Measures a whole ship, step by step, beside the hand-written sequence that the first team used, with visitors.

`python -m benchmarks ship` takes about six minutes. The app is examples/quality; both ways get a fresh practice server
behind the same slow line (benchmarks/link.py), a copy of the repository without `node_modules` and without any build,
a filled cache of npm, and their env file on the server already. The first team's way (benchmarks/by_hand) has git, uv
and all packages on its server. First each ships for the first time; then a change of a text in the frontend and of an
answer of the backend, and a ship without a change, in turns.

Visitors come to the server directly, past the slow line, from the moment before a ship until a second after the new
site and the new backend are what is served. The hand-written script ends when it has told systemd and nginx, as it did.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from benchmarks.hand import HandMade, commit
from benchmarks.link import LOOPBACK, Link
from benchmarks.page import tell
from benchmarks.ship_page import BY_HAND, CHANGE, FIRST, RESULTS, SAME, SHIPPER, Measured, Run, Stage, judge, write
from benchmarks.visitors import visited
from shipper.config.envfile import EnvFile, render_env
from shipper.events import discard
from shipper.sandbox import server
from shipper.sandbox.server import Sandbox

SANDBOX = "shipper-bench-ship"
EXAMPLE = Path(__file__).parents[1] / "examples" / "quality"
RUNS = 3
_PATIENCE_SECONDS = 60.0
_ROOT = Path(__file__).parents[1]
_TARGET = "far"
_DATABASE = {BY_HAND: "/home/deploy/quality.sqlite3", SHIPPER: "/srv/quality/shared/data/quality.sqlite3"}

# Ships once; returns the seconds and the steps of it.
Way = Callable[[], tuple[float, list[Stage]]]


class Bench:
    """A line to a practice server, which is a fresh one for each way."""

    def __init__(self, link: Link, folder: Path) -> None:
        self._link = link
        self._folder = folder
        self.access: Sandbox = server.reset(SANDBOX, discard)
        self.port = link.door(self.access.ssh_port)
        self.url = f"http://{LOOPBACK}:{link.door(self.access.http_port)}"

    def fresh(self, name: str) -> Path:
        """Replace the server by a fresh one; return a copy of the example in a repository."""
        known = self.access
        self.access = server.reset(SANDBOX, discard)
        assert (self.access.ssh_port, self.access.http_port) == (known.ssh_port, known.http_port), "a port was taken"
        root = self._folder / name / "quality"
        skipped = shutil.ignore_patterns("node_modules", ".next", "out", ".shipper", ".env.*[!e]")
        shutil.copytree(EXAMPLE, root, ignore=skipped)
        subprocess.run(["git", "init", "-q", "--initial-branch=main"], cwd=root, check=True)
        commit(root, "the app")
        return root

    def values(self, way: str) -> dict[str, str]:
        """Return what the app's env file says."""
        return {
            "SECRET_KEY": "benchmarks-have-no-secret-worth-keeping-but-django-wants-fifty-characters",
            "ALLOWED_HOSTS": LOOPBACK,
            "CSRF_TRUSTED_ORIGINS": self.url,
            "DATABASE_PATH": _DATABASE[way],
        }

    def run(self, way: str, kind: str, go: Way, number: int) -> Run:
        """Ship change `number` once, with visitors where there is something to visit."""
        if kind == FIRST:
            run = self._ship(way, kind, go, number)
        else:
            with visited(f"http://{LOOPBACK}:{self.access.http_port}") as seen:
                run = self._ship(way, kind, go, number)
            run = replace(run, visits=seen[0])
        visits = run.visits
        failed = f"{visits.failed} of {visits.requests} requests failed {visits.failures or ''}" if visits else ""
        print(f"{kind:15}{run.seconds:7.2f} s  {way:12} {failed}", flush=True)
        return run

    def _ship(self, way: str, kind: str, go: Way, number: int) -> Run:
        sent, received, began = self._link.sent, self._link.received, time.time()
        seconds, stages = go()
        sent, received, ended = self._link.sent - sent, self._link.received - received, time.monotonic()
        deadline = ended + _PATIENCE_SECONDS
        while not self._is_live(number):
            assert time.monotonic() < deadline, f"{way}, {kind}: what was shipped is not served"
            time.sleep(0.02)
        late = time.monotonic() - ended
        return Run(way, kind, began, seconds, tuple(stages), None, sent, received, late)

    def _is_live(self, number: int) -> bool:
        """Say whether what is served is the state after change `number`, or that before any."""
        page, health = (self._read(path) for path in ("/help/", "/api/health"))
        is_new = (f"usual questions, {number}." if number else "usual questions.") in page
        return is_new and (f'"revision": {number},' if number else '"status": "ok", "release"') in health

    def _read(self, path: str) -> str:
        """Return what is served, past the slow line; "" for an error."""
        url = f"http://{LOOPBACK}:{self.access.http_port}{path}"
        with suppress(OSError, http.client.HTTPException), urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
        return ""


def change(root: Path, number: int) -> None:
    """Change a text of the frontend and an answer of the backend, and commit it."""
    page, views = root / "frontend/app/help/page.tsx", root / "backend/inspections/views.py"
    replace_in(page, "usual questions", number, ", {}.", ".")
    replace_in(views, '"status": "ok"', number, ', "revision": {}, ', ", ")
    commit(root, f"change {number}")


def replace_in(file: Path, after: str, number: int, form: str, plain: str) -> None:
    """Write a number behind some words of a file, in the place of the number before it."""
    text = file.read_text(encoding="utf-8")
    old = after + (form.format(number - 1) if number > 1 else plain)
    assert old in text, f"{file.name} does not say {old!r}"
    file.write_text(text.replace(old, after + form.format(number)), encoding="utf-8")


def by_hand(bench: Bench, root: Path) -> Way:
    """Prepare the first team's server; return its way of shipping."""
    made = HandMade(root, bench.access, bench.port, bench.values(BY_HAND))

    def go() -> tuple[float, list[Stage]]:
        began = time.monotonic()
        marks = [(name, time.monotonic() - began) for name in made.ship(bench.url)]
        ended = time.monotonic() - began
        until = [moment for _, moment in marks[1:]] + [ended]
        return ended, [Stage(name, at, end - at) for (name, at), end in zip(marks, until, strict=True)]

    return go


def with_shipper(bench: Bench, root: Path) -> Way:
    """Describe the server as a target and put the env file there; return shipper's way of shipping."""
    access = bench.access
    with (root / "ship.toml").open("a", encoding="utf-8") as file:
        file.write(
            f"\n[targets.{_TARGET}]\nhost = '{LOOPBACK}'\nport = {bench.port}\nuser = '{access.user}'\n"
            f"key = '{access.key_file}'\nhost_key = '{access.host_key_fingerprint}'\nurl = '{bench.url}'\n"
            f"domain = '{LOOPBACK}'\nenv_file = '.env.{_TARGET}'\n"
        )
    (root / f".env.{_TARGET}").write_text(render_env(EnvFile("benchmark", bench.values(SHIPPER))), encoding="utf-8")
    commit(root, "a target")
    for _ in type_command(root, "env.push", "--to", _TARGET):
        pass

    def go() -> tuple[float, list[Stage]]:
        began, start = time.monotonic(), time.time()
        events = [json.loads(line) for line in type_command(root, "ship", "--yes", "--json", "--to", _TARGET)]
        return time.monotonic() - began, stages_of(events, start)

    return go


def type_command(root: Path, *words: str) -> Iterator[str]:
    """Run a command of shipper; yield its lines."""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "NEXT_TELEMETRY_DISABLED": "1"}
    argv = [sys.executable, "-m", "shipper", *words]
    with subprocess.Popen(
        argv, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            yield line
    assert process.returncode == 0, "".join(lines)


def stages_of(events: Sequence[dict[str, object]], start: float) -> list[Stage]:
    """Return the steps that ran, from the lines of `--json` (docs/json.md); `start` is the command's own beginning."""
    stages = []
    for event in events:
        if event.get("event") == "done":
            seconds = float(str(event["seconds"]))
            ended = datetime.fromisoformat(str(event["time"])).timestamp() - start
            stages.append(Stage(str(event["step"]), max(0.0, ended - seconds), seconds))
    return sorted(stages, key=lambda stage: stage.began)


def measure(runs: int) -> Measured:
    """Ship everything in both ways, each `runs` times but the first ship."""
    load = os.getloadavg()[0]
    done: list[Run] = []
    with tempfile.TemporaryDirectory() as scratch, Link() as link:
        fill_cache(Path(scratch))
        bench = Bench(link, Path(scratch))
        try:
            for way, prepare in ((BY_HAND, by_hand), (SHIPPER, with_shipper)):
                root = bench.fresh("hand" if way == BY_HAND else "shipper")
                go = prepare(bench, root)
                done.append(bench.run(way, FIRST, go, 0))
                for number in range(1, runs + 1):
                    change(root, number)
                    for kind in (CHANGE, SAME):
                        done.append(bench.run(way, kind, go, number))
        finally:
            server.down(SANDBOX)
        return Measured(tuple(done), (load, os.getloadavg()[0]), link.rate, link.round_trip)


def fill_cache(scratch: Path) -> None:
    """Fill the cache of npm: who comes second must not find more than who comes first."""
    folder = scratch / "cache"
    folder.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(EXAMPLE / "frontend" / name, folder)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    shutil.rmtree(folder)


def main(words: Sequence[str] = ()) -> int:
    """Measure, write and judge; return 1 when something that is wanted was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks ship", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each change in each way (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder to write to (default: %(default)s)")
    chosen = parser.parse_args(words)
    if missing := [name for name in ("ssh", "scp", "git", "npm") if not shutil.which(name)]:
        print(f"The hand-written way needs {', '.join(missing)}: scripts/peers installs ssh on Debian and Ubuntu.")
        return 2
    measured = measure(chosen.runs)
    return tell(write(measured, chosen.results), judge(measured))
