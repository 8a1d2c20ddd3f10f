"""Measures how a built site gets to a server: with shipper, and in the ways of others, side by side in one run.

`python -m benchmarks transfer` takes about a quarter of an hour, the first time some minutes more for the builds;
`--quick` tries everything once in two. The sites are real exports (benchmarks.exports). Each way brings the same
folders in the same order: the first ship, a change of a text, a change of a component that all pages share, and a
rebuild without a change; for each the files were just written. Once over a line of 40 ms and 50 Mbit/s
(benchmarks.link), once over loopback; over a connection that is open already and, on the slow line, over one that is
opened for it.

What is timed is from the built folder here to the same folder, whole, there. For shipper it includes reading and
hashing all files, checking everything that is on the server, `fsync`, and the switch; over an open connection, the
state of the server was asked for before, as a ship does while the build runs. For the others, what the server's disk
still needs after the end (`sync`) is in a column of its own. The best of the runs counts: other work
on the machine only ever adds. Bytes are what TCP carries without headers, round trips those that somebody waited for.
Memory and processor time are the server's, all of its processes together, the file cache aside.

Nothing that was brought is removed before the last measurement: ext4 does not give away the number of a file that was
deleted less than a minute or some ago, and looks at each of those that are near whenever it makes a new file
(`recently_deleted` in the kernel's fs/ext4/ialloc.c). After the removal of some ten thousand files, making one took
0.5 ms instead of 0.02 ms, and fell on whoever came next.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.exports import STATES, build_exports
from benchmarks.link import Link
from benchmarks.page import tell
from benchmarks.server import begin_peak, peak, run_on, watched_memory
from benchmarks.transfer_limits import SHIPPER, SSH, Measured, Passage, judge
from benchmarks.transfer_page import write
from benchmarks.transfer_stage import SANDBOX, Stage, bring_all, ship_all
from benchmarks.transfer_ways import Ships, Way, ways
from shipper.sandbox import server

RESULTS = Path(__file__).parent / "results"
RUNS = 2
# File by file over a slow line takes minutes for thousands: these ways get a part of the site, and shipper the same.
PART_FILES = 200
_LOOK_SECONDS = 0.02
_FLOOR_RUNS = 3
# How cost grows: files, and bytes of each.
GROWTH = ((100, 10_000), (1_500, 10_000), (15_000, 10_000), (50, 1_000_000), (50, 10_000_000))
QUICK_GROWTH = GROWTH[:2]


def measure_site(stage: Stage, name: str, runs: int) -> list[Passage]:
    """Measure a site in all quick ways, over both lines and both kinds of connection, by turns."""
    export = build_exports(name)
    folders = [*(export.folders[state] for state in STATES), export.folders["component"]]
    passages = []
    for _ in range(runs):
        for line, kept in (("slow", True), ("slow", False), ("loopback", True)):
            passages += ship_all(stage, name, line, kept, folders)
            for way in ways(stage.targets[line]):
                if not way.slow:
                    passages += bring_all(stage, name, way, line, kept, folders)
    return passages


def measure_slow_ways(stage: Stage, files: int) -> list[Passage]:
    """Measure the ways that copy file by file once, with a part of the largest site, and shipper with the same part."""
    export = build_exports("quality-1500").folders["base"]
    part = stage.folder / "part"
    chosen = random.Random(1).sample(sorted(path for path in export.rglob("*") if path.is_file()), files)
    for path in chosen:
        (part / path.relative_to(export)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part / path.relative_to(export))
    (part / "index.html").write_text("the page that a site has to have", encoding="utf-8")
    name = f"{files} files of quality-1500"
    passages = ship_all(stage, name, "slow", True, [part])
    for way in ways(stage.targets["slow"]):
        if way.slow:
            passages += bring_all(stage, name, way, "slow", True, [part])
    return passages


def measure_floor(stage: Stage) -> list[Passage]:
    """Measure what a way over the slow line takes that brings nothing: `ssh true`, and shipper's look at the server."""
    shell = stage.shells["slow"]
    ships = Ships(stage.targets["slow"], Path(tempfile.mkdtemp(dir=stage.folder)))
    passages = []
    for _ in range(_FLOOR_RUNS):
        for kept, words in ((True, shell.kept), (False, shell.fresh)):
            act = partial(subprocess.run, [*words, "true"], check=True)
            passages.append(stage.passage(Passage("nothing", SSH, "slow", kept, "same"), act))
        passages.append(stage.passage(Passage("nothing", SHIPPER, "slow", False, "same"), ships.look))
    return passages


def measure_memory(stage: Stage, name: str) -> list[Passage]:
    """Bring a site once more in each way while the server's memory is watched, which takes processor time itself."""
    export = build_exports(name)
    folders = [export.folders["base"], export.folders["text"], export.folders["component"]]
    weighed = []
    quick = [way for way in ways(stage.targets["slow"]) if not way.slow]
    acts = [partial(ship_all, stage, name, "slow", True, folders)]
    acts += [partial(bring_all, stage, name, way, "slow", True, folders) for way in quick]
    for act in acts:
        with watched_memory(SANDBOX, _LOOK_SECONDS) as peaks:
            began = time.time()
            passages = act()
            ended = time.time()
        passages[0].memory = peaks.rise(began, ended)
        weighed.append(passages[0])
    return weighed


def measure_growth(stage: Stage, sizes: Sequence[tuple[int, int]]) -> list[Passage]:
    """Measure over loopback how cost grows with files and bytes, with this process's and the server's memory."""
    passages = []
    for files, size in sizes:
        folder, changed = stage.folder / f"grown-{files}-{size}", stage.folder / f"changed-{files}-{size}"
        _write_files(folder, files, size)
        shutil.copytree(folder, changed)
        for path in sorted(changed.rglob("*.bin"))[: max(1, files // 100)]:
            content = path.read_bytes()
            path.write_bytes(content[: size // 2] + b"changed" + content[size // 2 :])
        name = f"{files:,} files of {size // 1000:,} kB"
        own = begin_peak()
        with watched_memory(SANDBOX, _LOOK_SECONDS) as peaks:
            began = time.time()
            shipped = ship_all(stage, name, "loopback", True, [folder, changed])
            ended = time.time()
        for passage in shipped:
            passage.memory, passage.agent_memory = peaks.rise(began, ended), peaks.agent
            passage.client_memory = peak() - own
        passages += shipped
        for way in ways(stage.targets["loopback"])[:2]:
            passages += bring_all(stage, name, way, "loopback", True, [folder, changed])
    return passages


def _write_files(folder: Path, files: int, size: int) -> None:
    """Write files of letters, which compress by about a half, no two alike."""
    draw = random.Random(files * size)
    for number in range(files):
        path = folder / f"{number % 97}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw.randbytes(size // 2).hex().encode())
    (folder / "index.html").write_text("<h1>grown</h1>", encoding="utf-8")


def measure(sites: Sequence[str], runs: int, part: int, sizes: Sequence[tuple[int, int]]) -> Measured:
    """Measure all of it on a practice server of its own."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch, Link() as link:
        stage = Stage(link, Path(scratch))
        try:
            with stage.opened():
                left_out = {way.name: lack for way in ways(stage.targets["slow"]) if (lack := _lacking(way))}
                assert not left_out, left_out
                stage.clear()
                passages = [passage for name in sites for passage in measure_site(stage, name, runs)]
                weighed = measure_memory(stage, sites[-1])
                slow = measure_slow_ways(stage, part) if part else []
                growth = measure_growth(stage, sizes)
                floor = measure_floor(stage)
        finally:
            server.down(SANDBOX)
    return Measured(
        tuple(passages),
        tuple(weighed),
        tuple(slow),
        tuple(growth),
        tuple(floor),
        (load, os.getloadavg()[0]),
        link.rate,
        link.round_trip,
    )


def _lacking(way: Way) -> str:
    """Install what a way needs; return why it cannot be measured, "" when it can."""
    if way.program and not shutil.which(way.program):
        return f"there is no {way.program} on this machine"
    if way.package:
        install = f"command -v {way.program} || (apt-get update -qq && apt-get install -qq --no-install-recommends"
        try:
            command = f"export DEBIAN_FRONTEND=noninteractive; {install} {way.package})"
            run_on(SANDBOX, "sh", "-c", command)
        except AssertionError:
            return f"{way.package} cannot be installed on the practice server"
    return ""


def main(words: Sequence[str] = ()) -> int:
    """Measure, write and judge; return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks transfer", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one run of the small sites, for a trial")
    parser.add_argument("--sites", nargs="+", default=[], help="only these (music, quality, quality-1500)")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each way (default: %(default)s)")
    parser.add_argument("--part", type=int, default=PART_FILES, help="files for the ways that copy file by file")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder to write to (default: %(default)s)")
    chosen = parser.parse_args(words)
    sites = chosen.sites or (["music", "quality"] if chosen.quick else ["music", "quality", "quality-1500"])
    runs, part, sizes = (1, 20, QUICK_GROWTH) if chosen.quick else (chosen.runs, chosen.part, GROWTH)
    measured = measure(sites, runs, part, sizes)
    return tell(write(measured, chosen.results), judge(measured))
