"""Where transfers are measured: the practice server behind two lines, and folders brought to it one after the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.link import Link
from benchmarks.peers import Shell, open_shell
from benchmarks.server import run_on
from benchmarks.transfer_limits import SHIPPER, Passage
from benchmarks.transfer_ways import APP, Place, Ships, Way
from shipper.config.target import Target
from shipper.events import discard
from shipper.sandbox import server

SANDBOX = "shipper-bench-transfer"
KINDS = ("first", "text", "component", "same")


@dataclass
class Stage:
    """The practice server with its two doors: over the slow line, and straight over loopback."""

    link: Link
    folder: Path
    targets: dict[str, Target] = field(default_factory=dict)
    shells: dict[str, Shell] = field(default_factory=dict)
    _places: int = 0
    _listings: dict[Path, str] = field(default_factory=dict)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Start the server and keep a connection to it open through each door for the length of the block."""
        access = server.up(SANDBOX, discard)
        doors = {"slow": self.link.door(access.ssh_port), "loopback": access.ssh_port}
        with (
            open_shell(access, doors["slow"], self.folder) as slow,
            open_shell(access, doors["loopback"], self.folder) as loopback,
        ):
            self.shells = {"slow": slow, "loopback": loopback}
            for name, port in doors.items():
                self.targets[name] = access.as_target().model_copy(update={"port": port})
            yield

    def clear(self) -> None:
        """Let the app have never been on the server, without removing a file, and write out what waits for it."""
        self._places += 1
        aside = f"/srv/aside/{self._places}"
        run_on(SANDBOX, "sh", "-c", f"mkdir -p /srv/aside; [ ! -e /srv/{APP} ] || mv /srv/{APP} {aside}; sync")

    def place(self, line: str, kept: bool, before: str) -> Place:
        """Return a new place for a folder; that of `before` is beside it."""
        self._places += 1
        return Place(self.shells[line], kept, f"brought/{self._places}", before)

    def age(self, folder: Path) -> None:
        """Let every file have been written a minute after those of the place before, as builds are: rsync without -c
        takes files of one size and one second for equal.
        """
        moment = time.time() - 86_400 + 60 * self._places
        for path in folder.rglob("*"):
            os.utime(path, (moment, moment))

    def copy(self, folder: Path) -> Path:
        """Return a copy of a folder whose files may be made older and younger; there is one of each."""
        copied = self.folder / "copies" / "-".join(folder.parts[-2:])
        if not copied.exists():
            shutil.copytree(folder, copied, copy_function=shutil.copyfile)
        return copied

    def same(self, folder: Path, there: str) -> None:
        """Make sure that a folder there has what it has here, where its files never change."""
        if folder not in self._listings:
            self._listings[folder] = _listing(["sh", "-c", f"cd '{folder}' && {_LIST}"])
        wanted = self._listings[folder]
        found = _printed(f"cd {there} && {_LIST}")
        assert found == wanted, f"{there} is not what was brought there: {found!r}, not {wanted!r}"

    def passage(self, about: Passage, act: Callable[[], object]) -> Passage:
        """Do something, and return what was seen of it."""
        # Both ends have one disk here: what was only just written at this one is not the other's to wait for.
        os.sync()
        before = (self.link.sent, self.link.received, self.link.turns, _processor())
        began = time.perf_counter()
        act()
        about.seconds = time.perf_counter() - began
        if about.line == "slow":
            about.sent, about.received = self.link.sent - before[0], self.link.received - before[1]
            about.turns = self.link.turns - before[2]
        about.processor = _processor() - before[3]
        print(about, flush=True)
        return about


_SYNC = "a=$(date +%s%N); sync; echo $(( $(date +%s%N) - a ))"
_LIST = "find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum"


def _listing(argv: list[str]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _processor() -> float:
    """Return the processor seconds of all processes of the server so far, as its control group counts them."""
    command = (
        "cat /sys/fs/cgroup/cpuacct$(sed -n 's/.*cpuacct[^:]*:\\(.*\\)/\\1/p' /proc/1/cgroup"
        " | sed 's,/init.scope$,,')/cpuacct.usage 2>/dev/null"
        " || sed -n 's/usage_usec \\(.*\\)/\\1000/p' /sys/fs/cgroup/cpu.stat"
    )
    return int(_printed(command).split()[0]) / 1e9


def _printed(command: str) -> str:
    """Return what a command prints on the server. An engine that is busy loses the words of one that ends at once."""
    for _ in range(5):
        if text := run_on(SANDBOX, "sh", "-c", command):
            return text
    raise AssertionError(f"{command} prints nothing")


def bring_all(stage: Stage, name: str, way: Way, line: str, kept: bool, folders: Sequence[Path]) -> list[Passage]:
    """Bring the folders of KINDS (or the first of them) in the way of others, one after the other."""
    passages, before = [], ""
    for kind, folder in zip(KINDS, folders, strict=False):
        fresh = stage.copy(folder)
        place = stage.place(line, kept, before)
        stage.age(fresh)
        run_on(SANDBOX, "sh", "-c", f"su {place.ssh[-1].partition('@')[0]} -c 'mkdir -p ~/brought'")
        about = Passage(name, way.name, line, kept, kind)
        passages.append(stage.passage(about, partial(way.bring, fresh, place)))
        about.sync = int(_printed(_SYNC)) / 1e9
        home = place.ssh[-1].partition("@")[0]
        stage.same(folder, f"/home/{home}/{place.new}")
        before = place.new
    stage.clear()
    return passages


def ship_all(stage: Stage, name: str, line: str, kept: bool, folders: Sequence[Path]) -> list[Passage]:
    """Ship the folders of KINDS (or the first of them), one after the other."""
    passages = []
    ships = Ships(stage.targets[line], Path(tempfile.mkdtemp(dir=stage.folder)))
    ships.look()  # the agent itself is sent once for all ships of all time
    for kind, folder in zip(KINDS, folders, strict=False):
        build = ships.build(folder)
        about = Passage(name, SHIPPER, line, kept, kind)
        if kept:
            with ships.kept() as ship:
                passages.append(stage.passage(about, partial(ship, build)))
        else:
            passages.append(stage.passage(about, partial(ships.fresh, build)))
        about.parts = dict(ships.parts)
        stage.same(folder, f"/srv/{APP}/current/site")
    stage.clear()
    return passages
