"""Measures how an image gets to a server over a slow line: with shipper, and in the ways of others, side by side.

`python -m benchmarks images` takes about twenty minutes. Every way goes through the same line (benchmarks.link) in the
same run: first a first ship each, to a server that has nothing; then, in turns, changes of one line of the code.

What is timed is the image's way alone, from the built image to the one that the server's engine has, over a connection
that is open already; what opening one takes is measured beside it. For shipper these are parts of a real
`shipper ship`, told by its own lines of output: handing the image over to its registry here, and the step `image`.
Bytes are what TCP carries of the connections, without headers, as the line counts them at the same moments. Memory is
what the server's processes hold at their peak in this time beyond what they held before the command, the file cache
aside. Disk is what the way leaves behind there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.heavy import LABEL
from benchmarks.image_page import Measured, Weights, judge, write
from benchmarks.link import Link
from benchmarks.page import tell
from benchmarks.peers import Peer, open_shell, peers
from benchmarks.stage import SANDBOX, Passage, Stage, weighed
from shipper.deliver.image import Pushed, push_here
from shipper.deliver.registry import open_registry
from shipper.engine import connect
from shipper.host.connection import open_host
from shipper.host.session import open_agent
from shipper.sandbox import server

RESULTS = Path(__file__).parent / "results"
IMAGE = "shipper-bench/weights"
SIZE, CHANGES = 350, 5
_CONNECTIONS = 5


def measure(size: int, changes: int) -> Measured:
    """Measure with an image of about `size` bytes, and so many changes of it."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch, Link() as link:
        stage = Stage(link, Path(scratch), size)
        try:
            left_out = {peer.name: reason for peer in peers() if (reason := lacking(stage, peer))}
            ways = (None, *(peer for peer in peers() if peer.name not in left_out))
            passages = [*first_ships(stage, ways), *change_ships(stage, ways, changes)]
            connections = measure_connections(stage)
            weights = weigh(stage)
        finally:
            server.down(SANDBOX)
            remove_images()
    return Measured(
        weights, tuple(passages), connections, left_out, (load, os.getloadavg()[0]), link.rate, link.round_trip
    )


def lacking(stage: Stage, peer: Peer) -> str:
    """Return why a way cannot be measured, "" when it can."""
    if not shutil.which(peer.program):
        return f"there is no {peer.program} on this machine"
    return "" if stage.install(peer) else f"{peer.package} cannot be installed on the practice server"


def first_ships(stage: Stage, ways: Sequence[Peer | None]) -> list[Passage]:
    """Bring the image to a server that has nothing, in every way, each with a server of its own; None is shipper's."""
    passages = []
    for peer in ways:
        with stage.fresh() as shell:
            stage.change()
            tag = build(stage)
            with stage.ready(shell, peer) as way:
                passages.append(say(weighed(way, "first", tag)))
    return passages


def change_ships(stage: Stage, ways: Sequence[Peer | None], changes: int) -> list[Passage]:
    """Change a line and bring the image to the server, in every way by turns, as often as is asked."""
    passages = []
    with stage.fresh() as shell, ExitStack() as stack:
        ready = []
        for peer in ways:
            way = stack.enter_context(stage.ready(shell, peer))
            # What a change finds: the image of before, with all that this way keeps of it here and there.
            stage.change()
            way("first", build(stage))
            ready.append(way)
        for _ in range(changes):
            for way in ready:
                stage.change()
                passages.append(say(weighed(way, "change", build(stage))))
    return passages


def build(stage: Stage) -> str:
    """Build the image of the app as it is now; return its tag."""
    tag = f"{IMAGE}:{time.time_ns()}"
    stage.app.build(tag)
    return tag


def weigh(stage: Stage) -> Weights:
    """Let the engine compress the image, and one with a changed line, as for any registry."""
    with open_registry(stage.folder / "weighed") as registry, connect() as client:

        def pushed() -> tuple[int, Pushed]:
            made = stage.app.build(f"{IMAGE}:weighed")
            return made.size, push_here(client, made.id, "weighed", registry)

        size, before = pushed()
        stage.change()
        _, after = pushed()
    known = {blob.digest for blob in before.blobs}
    return Weights(size, before.size, sum(blob.size for blob in after.blobs if blob.digest not in known))


def measure_connections(stage: Stage) -> dict[str, float]:
    """Return the seconds until something answers on the server, over a new connection and over an open one."""

    def agent() -> None:
        with open_host(stage.target, "far") as host, open_agent(host, lambda text: None):
            pass

    with open_shell(stage.access, stage.port, stage.folder) as shell:
        return {
            "ssh true, new connection": median_seconds(lambda: run([*shell.fresh, "true"])),
            "ssh true, open connection": median_seconds(lambda: run([*shell.kept, "true"])),
            "shipper, new connection with its agent": median_seconds(agent),
        }


def median_seconds(act: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_CONNECTIONS):
        began = time.monotonic()
        act()
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def run(argv: Sequence[str]) -> None:
    subprocess.run(argv, check=True)


def say(passage: Passage) -> Passage:
    print(f"{passage.kind:7}{passage.seconds:7.2f} s {passage.sent / 1e6:8.2f} MB  {passage.way}", flush=True)
    return passage


def remove_images() -> None:
    """Remove the images of this run, but for those that the next one would make again."""
    with connect() as client:
        for image in client.images.list(IMAGE):
            client.images.remove(image.id, force=True)
        client.images.prune({"dangling": True, "label": LABEL})


def main(words: Sequence[str] = ()) -> int:
    """Measure, write and judge; return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks images", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="of the image unpacked, in MB (default: %(default)s)")
    parser.add_argument("--changes", type=int, default=CHANGES, help="of each way (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder to write to (default: %(default)s)")
    chosen = parser.parse_args(words)
    if not shutil.which("ssh"):
        print("The other ways need the program ssh: scripts/peers installs it on Debian and Ubuntu.")
        return 2
    measured = measure(chosen.size * 1_000_000, chosen.changes)
    return tell(write(measured, chosen.results), judge(measured))
