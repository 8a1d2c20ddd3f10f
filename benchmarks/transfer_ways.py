"""The ways in which people bring a folder of files to a server over SSH, and shipper's, each as one function.

All get the same folder, whose files were just written, and a place on the server that is new. rsync is told the folder
of before (`--link-dest`); shipper knows it by itself.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import Shell
from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.deliver.manifest import read_tree
from shipper.events import discard
from shipper.hashes import FileHashes
from shipper.host.session import AgentSession
from shipper.pipeline.activate import activate
from shipper.pipeline.gather import Gathered, Reached
from shipper.pipeline.job import Job
from shipper.pipeline.parts import SiteBuild
from shipper.pipeline.plan import Plan
from shipper.pipeline.server import connect, read_state
from shipper.pipeline.ship import plan_ship
from shipper.pipeline.transfer import remember, transfer_each

APP = "bench"
SHIPPER = "shipper"
# The steps that make the folder on the server; what follows in a ship is seen by nobody who copies files.
_STEPS = ("lay", "switch")


@dataclass(frozen=True)
class Place:
    """Where a way brings its folder: the shell to the server, the names of the new folder and of the one before."""

    shell: Shell
    kept: bool
    new: str
    before: str

    @property
    def ssh(self) -> list[str]:
        """The command that logs in, over the open connection or over one of its own."""
        return self.shell.kept if self.kept else self.shell.fresh


Bring = Callable[[Path, Place], None]


@dataclass(frozen=True)
class Way:
    """A way of others: its name, the program it needs here and the package it needs there, and whether it copies file
    by file, which takes minutes over a slow line.
    """

    name: str
    bring: Bring
    program: str = ""
    package: str = ""
    slow: bool = False


def _options(place: Place) -> list[str]:
    """Return the ssh options of the place's command, as scp and sftp take them."""
    words = place.ssh[1:-1]
    options = []
    for name, value in zip(words[::2], words[1::2], strict=True):
        other = {"-p": ["-P", value], "-S": ["-o", f"ControlPath={value}"]}
        options += other.get(name, [name, value])
    return options


def _scp(folder: Path, place: Place) -> None:
    _run(["scp", "-r", "-q", *_options(place), str(folder), f"{place.ssh[-1]}:{place.new}"])


def _sftp(folder: Path, place: Place) -> None:
    batch = f'mkdir "{place.new}"\nput -r "{folder}/." "{place.new}"\n'
    subprocess.run(
        ["sftp", "-q", "-b", "-", *_options(place), place.ssh[-1]],
        input=batch.encode(),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _tar(folder: Path, place: Place) -> None:
    there = f"mkdir -p {place.new} && zstd -q -d | tar -C {place.new} -xf -"
    pack = subprocess.Popen(["tar", "-C", str(folder), "-cf", "-", "."], stdout=subprocess.PIPE)
    squeeze = subprocess.Popen(["zstd", "-q", "-3", "-T0"], stdin=pack.stdout, stdout=subprocess.PIPE)
    _run([*place.ssh, there], stdin=squeeze.stdout)
    assert (pack.wait(), squeeze.wait()) == (0, 0)


def _rsync(*options: str) -> Bring:
    def bring(folder: Path, place: Place) -> None:
        *words, who = place.ssh
        # Not "../": since the fixes of January 2025, Debian's rsync does not find the base of a delta that way, and
        # ends with "failed verification".
        like = [f"--link-dest=/home/{who.partition('@')[0]}/{place.before}"] if place.before else []
        # rsync splits the command at spaces, and knows quotes.
        _run(["rsync", *options, *like, "-e", shlex.join(words), f"{folder}/", f"{who}:{place.new}/"])

    return bring


def _run(argv: list[str], stdin: Any = subprocess.DEVNULL) -> None:
    subprocess.run(argv, check=True, stdin=stdin, stdout=subprocess.DEVNULL)


def fabric_put(target: Target) -> Bring:
    """Return the way of the many recipes that put file by file with Fabric, over one connection."""

    def bring(folder: Path, place: Place) -> None:
        import fabric

        with fabric.Connection(
            target.host, user=target.user, port=target.port, connect_kwargs={"key_filename": str(target.key)}
        ) as connection:
            for path in sorted(folder.rglob("*")):
                there = f"{place.new}/{path.relative_to(folder).as_posix()}"
                if path.is_dir():
                    connection.run(f"mkdir -p {shlex.quote(there)}", hide=True)
            connection.run(f"mkdir -p {place.new}", hide=True)
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    connection.put(str(path), f"{place.new}/{path.relative_to(folder).as_posix()}")

    return bring


def ways(target: Target) -> list[Way]:
    """Return the ways of others, the quick ones first."""
    return [
        Way("tar | zstd | ssh", _tar, "zstd", "zstd"),
        Way("rsync -rlpz -c --link-dest", _rsync("-rlpz", "-c"), "rsync", "rsync"),
        Way("rsync -rlptz --link-dest", _rsync("-rlptz"), "rsync", "rsync"),
        Way("scp -r", _scp, "scp", slow=True),
        Way("sftp put -r", _sftp, "sftp", slow=True),
        Way("Fabric put per file", fabric_put(target), slow=True),
    ]


@dataclass
class Ships:
    """Shipper's own transfer: its real modules, from the folder that was just built to the release that is laid out
    on the server, whole and on its disk, and named `current`.
    """

    target: Target
    folder: Path
    parts: dict[str, float] = field(default_factory=dict)
    _number: int = 0

    @property
    def job(self) -> Job:
        """The work: a project that is a site and nothing else."""
        project = parse_project(f'name = "{APP}"\n[frontend]\npreset = "static"\n', "ship.toml")
        return Job(Workspace(self.folder, project), "far", self.target)

    def build(self, site: Path) -> Path:
        """Return a build of the site as shipper keeps it: a folder in the cache, with all files just written."""
        self._number += 1
        copy = self.job.workspace.cache / "frontend" / str(self._number) / "site"
        shutil.copytree(site, copy, copy_function=shutil.copyfile)
        return copy

    @contextmanager
    def kept(self) -> Iterator[Callable[[Path], None]]:
        """Connect and look at the server, as a ship does while the build runs; then give what ships a folder."""
        with connect(self.job, discard) as session:
            reached = Reached(self.job, session, read_state(session, self.job), None, {})
            yield lambda folder: self._ship(folder, reached)

    def look(self) -> None:
        """Connect and look at the server, and do nothing."""
        with self.kept():
            pass

    def fresh(self, folder: Path) -> None:
        """Do all of it, connecting included."""
        with self.kept() as ship:
            ship(folder)

    def _ship(self, folder: Path, server: Reached) -> None:
        began = time.monotonic()
        server = Reached(self.job, server.session, server.state, None, server.state.nginx)
        with FileHashes.remember(self.job.workspace.cache / "hashes" / "site.json") as hashes:
            tree = read_tree(folder, hashes, executable=())
        read = time.monotonic()
        origin = {"created": "", "who": "benchmark", "commit": "", "dirty": False, "author": "", "pushed": False}
        gathered = Gathered((server,), SiteBuild(tree, (), ""), origin)
        (member,) = plan_ship(gathered)
        self.parts = {"reading and hashing, here": read - began}
        if member.plan.nothing_to_do:
            return
        with ExitStack() as stack:
            sent = transfer_each(gathered, (member,), stack, discard)
            arrived = time.monotonic()
            plan = Plan(member.plan.action, member.plan.record, _steps(member.plan))
            self._activate(sent.members[0].session, plan)
        self.parts |= {"delivery": arrived - read, "laying out": time.monotonic() - arrived}
        remember(gathered, self.job.workspace.cache)

    def _activate(self, session: AgentSession, plan: Plan) -> None:
        activate(self.job, session, plan, discard)


def _steps(plan: Plan) -> tuple[Any, ...]:
    return tuple(step for step in plan.steps if step.name in _STEPS)
