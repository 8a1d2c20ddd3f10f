"""The fault matrix: whatever happens between two steps of a ship or a rollback, visitors have one whole release, no
data is lost, and a plain `ship` works afterwards without anybody cleaning up.

A cell is a boundary (a row) and a fault (a column). `pytest` runs a sample, `pytest --faults=all` all of them; the
results become a table with table.py (`make faults`).
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

import pytest
from boundaries import Boundary, hold_at, install, let_go, remove, wait_until_held
from conftest import Exec, wait_inside
from corner import RELEASE_PATH, Corner
from faults import FAULTS, Fault, Scene
from gig import containers
from network import Network
from prepared import PROGRAM
from rows import ELSEWHERE, Course, courses, rows
from versions import STOP_FIRST_TOML, prepare, set_version
from visitors import Visitors

from shipper.agent import steps

TMPFS = "cp -a /srv/corner /tmp/kept && mount -t tmpfs -o size=40m tmpfs /srv/corner && cp -a /tmp/kept/. /srv/corner"
# The longest that a ship waits for somebody who is not there any more.
PATIENCE_SECONDS = 90
LEFT = (
    "find /srv/{app} /etc/nginx /etc/systemd /tmp '(' -name '*.partial' -o -name 'incoming*' -o -name '.current*' "
    "-o -name '*.shipper-new' -o -name 'shipper-nginx-*' -o -name '*.new' ')'"
)
UNITS = "systemctl list-units --plain --no-legend --all '{app}@*' '{app}-*' | cut -d' ' -f1"
# With these a ship says that it waits for what was cut off, or that it comes later.
SAYS = ("Waiting for", "is being ended now", "is changing", "last heard of")
# What survives releases: a line for each note that was ever acknowledged.
NOTES = {"corner": "/srv/corner/shared/data/notes", "gig": "/var/lib/docker/volumes/gig_rows/_data/rows"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """What happens when: a fault at a boundary of a ship or a rollback."""

    course: Course
    boundary: Boundary
    fault: Fault

    def __str__(self) -> str:
        return f"{self.course.name}-{self.boundary.name}-{self.fault.name}"


def all_cells() -> list[Cell]:
    cells = []
    for course in courses():
        names = [step.name for step in course.steps if step.place == "server"]
        for boundary in course.boundaries:
            for fault in FAULTS:
                possible = names[: names.index(fault.after) + 1] if fault.after else []
                wanted = not course.faults or fault.name in course.faults
                if wanted and boundary.name.removeprefix("before-") not in possible:
                    cells.append(Cell(course, boundary, fault))
    return cells


def sample(cells: list[Cell]) -> list[Cell]:
    """Return one cell of each column, each of another row."""
    chosen = []
    for number, fault in enumerate(FAULTS):
        column = [cell for cell in cells if cell.fault is fault]
        chosen.append(column[(number * 7 + 5) % len(column)])
    return chosen


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cell" in metafunc.fixturenames:
        cells = all_cells()
        wanted = cells if metafunc.config.getoption("--faults") == "all" else sample(cells)
        metafunc.parametrize("cell", wanted, ids=str)


@pytest.fixture
def prepared(request: pytest.FixtureRequest, sandbox_exec: Exec) -> Iterator[Corner]:
    """The app that the test wants, on a server whose agents can be held."""
    cell = request.node.callspec.params.get("cell") if hasattr(request.node, "callspec") else None
    app: Corner = request.getfixturevalue(cell.course.app if cell else "corner")
    prepare(app)
    install(sandbox_exec)
    yield app
    let_go(sandbox_exec)
    remove(sandbox_exec)


def test_every_step_is_a_row_or_is_cut_off_elsewhere() -> None:
    found = courses()
    transfers = {step.name for course in found for step in course.steps if step.place == "transfer"}
    assert {*steps.STEPS, *transfers} == rows(found) | set(ELSEWHERE)
    assert not rows(found) & set(ELSEWHERE)
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (Path(__file__).parents[2] / file).read_text(encoding="utf-8")


def test_ctrl_c_twice_leaves_and_the_server_finishes(prepared: Corner, sandbox_exec: Exec) -> None:
    corner = prepared
    old = corner.shipped()
    set_version(corner, 1)
    printed = corner.root.parent / "printed"
    hold_at(sandbox_exec, next(b for b in courses()[0].boundaries if b.name == "before-health"))
    with printed.open("w") as file, begin(corner, "ship", "", file) as ship:
        assert wait_until_held(sandbox_exec, ship), printed.read_text()
        ship.send_signal(signal.SIGINT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "Ctrl-C once more" not in printed.read_text():
            assert ship.poll() is None and time.monotonic() < deadline, printed.read_text()
            time.sleep(0.05)
        ship.send_signal(signal.SIGINT)
        # The agent is held still, and not waited for.
        assert ship.wait(timeout=PATIENCE_SECONDS) == 130, printed.read_text()
        assert "Traceback" not in printed.read_text()
        let_go(sandbox_exec)
    assert wait_inside(sandbox_exec, "flock --nonblock /srv/corner/lock true"), "an agent still runs"
    # What was asked to stop before anybody saw it is undone.
    assert corner.live() == old
    ship_again(corner, time.monotonic())
    assert_in_order(corner, sandbox_exec)


def begin(app: Corner, action: str, to: str, output: int | IO[str]) -> subprocess.Popen[str]:
    dirty = ["--allow-dirty"] if action == "ship" else []
    return subprocess.Popen(
        [*PROGRAM, action, "--yes", *dirty, *(["--to", to] if to else [])],
        cwd=app.root,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_cell(prepared: Corner, sandbox_exec: Exec, cell: Cell, record_property: Callable[[str, object], None]) -> None:
    corner = prepared
    printed = corner.root.parent / "printed"
    if cell.fault.name == "disk-filled":
        assert sandbox_exec(["sh", "-c", TMPFS])[0] == 0
    usual = watched_ship(corner, time.monotonic()).begun
    set_version(corner, 1)
    if cell.course.command == "rollback":
        corner.shipped()
    with Network(corner.sandbox.ssh_port) as network, Visitors(corner.url) as visitors:
        corner.add_far_target(network.port, STOP_FIRST_TOML if cell.course.name == "stop-first" else "")
        hold_at(sandbox_exec, cell.boundary)
        with printed.open("w") as file, begin(corner, cell.course.command, "far", file) as ship:
            assert wait_until_held(sandbox_exec, ship), printed.read_text()
            last = sandbox_exec(["tail", "--lines", "1", f"/srv/{corner.app}/journal.jsonl"])[1]
            assert cell.boundary.after in last, "the row is not where its name says"
            scene = Scene(corner, sandbox_exec, ship, network)
            cell.fault.strike(scene)
            cell.fault.mend(scene)
            began = time.monotonic()
            again = ship_again(corner, began)
            ship.kill()
    figures = {"usual": usual, "said": again.said, "begun": again.begun, "seconds": again.done}
    for name, seconds in figures.items():
        record_property(name, "" if seconds is None else seconds)
    record_property("load", round(os.getloadavg()[0], 1))
    record_property("place", all_cells().index(cell))
    allowed = (*cell.course.allowed, *cell.fault.allowed)
    seen = visitors.tally.failures
    assert {words: seen[words] for words in seen if not any(fnmatchcase(words, one) for one in allowed)} == {}
    assert visitors.tally.answers["v2"], "visitors saw the last release"
    notes = sandbox_exec(["sh", "-c", f"wc -l < {NOTES[corner.app]}"])[1]
    assert int(notes) >= visitors.tally.notes > 0
    assert_in_order(corner, sandbox_exec)


@dataclasses.dataclass
class Again:
    """A plain `ship`: what it printed, and the seconds from a moment (of the fault) until it said that it waits for
    what was cut off (None: never), until it began to change the server, and until it was done.
    """

    output: str = ""
    said: float | None = None
    begun: float | None = None
    done: float = 0.0


def ship_again(app: Corner, began: float) -> Again:
    """Type a plain `ship` of something new, as somebody would who knows nothing."""
    set_version(app, 2)
    return watched_ship(app, began)


def watched_ship(app: Corner, began: float) -> Again:
    """Type a plain `ship`, again when somebody else is at it, and look at when it says what."""
    again = Again()
    while True:
        again.output = ""
        with begin(app, "ship", "sandbox", subprocess.PIPE) as ship:
            assert ship.stdout is not None
            for line in ship.stdout:
                again.output += line
                since = round(time.monotonic() - began, 1)
                if any(words in line for words in SAYS) and again.said is None:
                    again.said = since
                if "... upload" in line and again.begun is None:
                    again.begun = since
        # A network that is gone without a word is only known to be gone after a while.
        if ship.returncode != 5 or time.monotonic() > began + PATIENCE_SECONDS:
            break
    again.done = round(time.monotonic() - began, 1)
    assert ship.returncode == 0, again.output
    return again


def where_it_leads(link: str, run: Exec) -> str:
    code, output = run(["readlink", link])
    if code == 0 and not output:  # it always prints something then: on a busy machine, the engine has lost it
        code, output = run(["readlink", link])
    assert code == 0 and output, (link, code, output, run(["ls", "-l", link.rpartition("/")[0] + "/"]))
    return output.strip()


def assert_in_order(app: Corner, run: Exec) -> None:
    """Expect that what runs is what `current` says, and that nothing lies around."""
    root = f"/srv/{app.app}"
    current = where_it_leads(f"{root}/current", run).removeprefix("releases/")
    assert app.live() == current
    assert app.get(RELEASE_PATH)[1].strip() == current
    socket = where_it_leads(f"{root}/current/backend.sock", run)
    slot = socket.rpartition("/")[2].removesuffix(".sock")
    units = [f"{app.app}@{slot}.service"]
    if app.app == "gig":
        units = [f"gig-proxy@{slot}.service", f"gig-proxy@{slot}.socket", *units]
        assert sorted(containers(run)) == ["gig-api-1", "gig-database"]
    assert sorted(run(["sh", "-c", UNITS.format(app=app.app)])[1].split()) == units
    assert run(["ls", f"/run/{app.app}"])[1].split() == [f"{slot}.sock"]
    assert run(["sh", "-c", LEFT.format(app=app.app)])[1] == ""
    assert wait_inside(run, "! pgrep --full '[b]64decode'"), "an agent still runs"
    assert run(["sh", "-c", f"tr -d '\\0 \\n' < {root}/lock"])[1] == ""
