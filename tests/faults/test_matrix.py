"""The fault matrix: whatever happens between two steps of a ship or a rollback, visitors have one whole release, no
data is lost, and a plain `ship` works afterwards without anybody cleaning up.

A cell is a boundary (a row) and a fault (a column). `pytest` runs a sample, `pytest --faults=all` all of them; the
results become a table with table.py (`make faults`).
"""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boundaries import Boundary, boundaries, hold_at, install, let_go, remove, wait_until_held
from conftest import Exec
from corner import PROGRAM, RELEASE_PATH, Corner
from faults import FAULTS, Fault, Scene
from network import Network
from versions import prepare, set_version
from visitors import Visitors

from shipper.config.load import load_project
from shipper.config.target import Target
from shipper.deliver.manifest import Entry, Tree
from shipper.deliver.upload import Cargo
from shipper.pipeline.parts import BackendParts, SiteBuild
from shipper.pipeline.plan import HookSteps, Step, activation_steps, ship_steps
from shipper.pipeline.record import release_record
from shipper.pipeline.server import ServerState

FIXTURE = Path(__file__).parents[1] / "fixtures" / "corner"
TMPFS = "cp -a /srv/corner /tmp/kept && mount -t tmpfs -o size=40m tmpfs /srv/corner && cp -a /tmp/kept/. /srv/corner"
# The longest that a ship waits for somebody who is not there any more.
PATIENCE_SECONDS = 90
LEFT = (
    "find /srv/corner /etc/nginx /etc/systemd /tmp '(' -name '*.partial' -o -name 'incoming*' -o -name '.current*' "
    "-o -name '*.shipper-new' -o -name 'shipper-nginx-*' -o -name '*.new' ')'"
)
HOOKS = HookSteps(
    before_switch=(Step("before-switch", "", "server"),), after_switch=(Step("after-switch", "", "server"),)
)
HOOKS_TOML = "".join(
    f'\n[[hooks.{when}]]\ncommand = ["python", "-c", "pass"]\non = "server"\n'
    for when in ("before_switch", "after_switch")
)
UNITS = "systemctl list-units --plain --no-legend --all 'corner@*' 'corner-*' | cut -d' ' -f1"


@dataclasses.dataclass(frozen=True)
class Cell:
    """What happens when: a fault at a boundary of a ship or a rollback."""

    action: str
    boundary: Boundary
    fault: Fault

    def __str__(self) -> str:
        return f"{self.action}-{self.boundary.name}-{self.fault.name}"


def planned(action: str) -> list[str]:
    """Return the steps that the agent gets, from the plan itself: everything that a release is made of has changed."""
    project = load_project(FIXTURE / "ship.toml")
    target = Target(host="203.0.113.7", domain="corner.example.com")
    site = SiteBuild(Tree((Entry("index.html", "file", "a" * 64, 1),)), (), "")
    parts = BackendParts(Tree((Entry("main.py", "file", "b" * 64, 1),)), Tree(), "new unit", "/usr/bin/python3", "")
    nothing = frozenset[str]()
    old = {"http": "old", "server": "old"}
    facts = {"memory": {"available": 1 << 30}}
    state = ServerState("", (), nothing, frozenset({"old"}), nothing, nothing, "", old, {}, nothing, 0, facts)
    origin = {"commit": "", "dirty": False, "who": "", "created": ""}
    new = {"http": "new", "server": "new"}
    record = release_record("20260101T000000Z-nogit", origin, project, target, site, "new", parts, new)
    if action == "rollback":
        return [
            step.name for step in activation_steps(record, state, target, dataclasses.replace(HOOKS, before_switch=()))
        ]
    steps = ship_steps(record, state, project, target, site, parts, Cargo(()), HOOKS)
    return [step.name for step in steps if step.place == "server"]


def all_cells() -> list[Cell]:
    cells = []
    for action in ("ship", "rollback"):
        steps = planned(action)
        for boundary in boundaries(steps):
            for fault in FAULTS:
                possible = steps[: steps.index(fault.after) + 1] if fault.after else []
                if boundary.name.removeprefix("before-") not in possible:
                    cells.append(Cell(action, boundary, fault))
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
def server_with_hook(corner: Corner, sandbox_exec: Exec) -> Iterator[Corner]:
    prepare(corner)
    corner.write("ship.toml", (corner.root / "ship.toml").read_text(encoding="utf-8") + HOOKS_TOML)
    install(sandbox_exec)
    yield corner
    let_go(sandbox_exec)
    remove(sandbox_exec)


def test_a_boundary_is_where_its_name_says(server_with_hook: Corner, sandbox_exec: Exec) -> None:
    corner = server_with_hook
    corner.shipped()
    set_version(corner, 1)
    live = corner.live()
    names = boundaries(planned("ship"))
    for boundary in (names[0], next(b for b in names if b.name == "before-switch"), names[-1]):
        hold_at(sandbox_exec, boundary)
        with begin(corner, "ship", 0) as ship:
            assert wait_until_held(sandbox_exec), (corner.root.parent / "printed").read_text()
            last = sandbox_exec(["tail", "--lines", "1", "/srv/corner/journal.jsonl"])[1]
            let_go(sandbox_exec)
            ship.wait(timeout=60)
        before = names.index(boundary)
        wanted = f'"step": "{names[before - 1].name.removeprefix("before-")}", "state": "done"' if before else '"begin"'
        assert wanted in last, (boundary, last)
        assert corner.live() != live
        set_version(corner, before + 2)


def test_ctrl_c_twice_leaves_and_the_server_finishes(server_with_hook: Corner, sandbox_exec: Exec) -> None:
    corner = server_with_hook
    old = corner.shipped()
    set_version(corner, 1)
    printed = corner.root.parent / "printed"
    hold_at(sandbox_exec, next(b for b in boundaries(planned("ship")) if b.name == "before-health"))
    with begin(corner, "ship", 0) as ship:
        assert wait_until_held(sandbox_exec), printed.read_text()
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
    while sandbox_exec(["flock", "--nonblock", "/srv/corner/lock", "true"])[0] != 0:
        assert time.monotonic() < deadline, "an agent still runs"
        time.sleep(0.2)
    # What was asked to stop before anybody saw it is undone.
    assert corner.live() == old
    ship_again(corner, time.monotonic())
    assert_in_order(corner, sandbox_exec)


def begin(corner: Corner, action: str, port: int) -> subprocess.Popen[bytes]:
    to = ["--to", "far"] if port else []
    dirty = ["--allow-dirty"] if action == "ship" else []
    return subprocess.Popen(
        [*PROGRAM, action, "--yes", *dirty, *to],
        cwd=corner.root,
        stdin=subprocess.DEVNULL,
        stdout=(corner.root.parent / "printed").open("wb"),
        stderr=subprocess.STDOUT,
    )


def test_cell(
    server_with_hook: Corner, sandbox_exec: Exec, cell: Cell, record_property: Callable[[str, object], None]
) -> None:
    corner = server_with_hook
    if cell.fault.name == "disk-filled":
        assert sandbox_exec(["sh", "-c", TMPFS])[0] == 0
    corner.shipped()
    set_version(corner, 1)
    if cell.action == "rollback":
        corner.shipped()
    with Network(corner.sandbox.ssh_port) as network, Visitors(corner.url) as visitors:
        corner.add_far_target(network.port)
        hold_at(sandbox_exec, cell.boundary)
        with begin(corner, cell.action, network.port) as ship:
            assert wait_until_held(sandbox_exec), (corner.root.parent / "printed").read_text()
            scene = Scene(corner, sandbox_exec, ship, network)
            cell.fault.strike(scene)
            cell.fault.mend(scene)
            began = time.monotonic()
            after = ship_again(corner, began)
            record_property("seconds", round(time.monotonic() - began, 1))
            ship.kill()
    record_property("waited", "Waiting for" in after)
    seen = visitors.tally.failures
    assert {words: seen[words] for words in seen if not words.startswith(cell.fault.allowed)} == {}
    assert visitors.tally.answers["v2"], "visitors saw the last release"
    notes = sandbox_exec(["sh", "-c", "wc -l < /srv/corner/shared/data/notes"])[1]
    assert int(notes) >= visitors.tally.notes > 0
    assert_in_order(corner, sandbox_exec)


def ship_again(corner: Corner, began: float) -> str:
    """Type a plain `ship` of something new, as somebody would who knows nothing; return what it printed."""
    set_version(corner, 2)
    while True:
        ended = corner.shipper("ship", "--yes", "--to", "sandbox")
        # A network that is gone without a word is only known to be gone after a while.
        if ended.code != 5 or time.monotonic() > began + PATIENCE_SECONDS:
            break
    assert ended.code == 0, ended.output
    return ended.output


def assert_in_order(corner: Corner, run: Exec) -> None:
    """Expect that what runs is what `current` says, and that nothing lies around."""
    current = run(["readlink", "/srv/corner/current"])[1].strip().removeprefix("releases/")
    assert corner.live() == current
    assert corner.get(RELEASE_PATH)[1].strip() == current
    socket = run(["readlink", "/srv/corner/current/backend.sock"])[1].strip()
    slot = socket.rpartition("/")[2].removesuffix(".sock")
    assert run(["sh", "-c", UNITS])[1].split() == [f"corner@{slot}.service"]
    assert run(["ls", "/run/corner"])[1].split() == [f"{slot}.sock"]
    assert run(["sh", "-c", LEFT])[1] == ""
    deadline = time.monotonic() + 60
    while run(["pgrep", "--full", "b64decode"])[0] == 0:
        assert time.monotonic() < deadline, "an agent still runs"
        time.sleep(0.2)
    assert run(["sh", "-c", "tr -d '\\0 \\n' < /srv/corner/lock"])[1] == ""
