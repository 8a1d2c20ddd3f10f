"""The rows of the matrix: from the plans of a ship and a rollback, so that a new step is a new row by itself."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from boundaries import Boundary, boundaries
from versions import STOP_FIRST_TOML, complete

from shipper.build.image import ImageBuild
from shipper.config.load import load_project
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.deliver.manifest import Entry, Tree
from shipper.deliver.upload import Cargo
from shipper.pipeline.images import Parcel
from shipper.pipeline.parts import BackendParts, Containers, SiteBuild
from shipper.pipeline.plan import NO_HOOKS, HookSteps, Step, activation_steps, ship_steps
from shipper.pipeline.record import release_record
from shipper.pipeline.server import Record, ServerState

_FIXTURES = Path(__file__).parents[1] / "fixtures"
_HOOKS = HookSteps(
    before_switch=(Step("before-switch", "", "server"),), after_switch=(Step("after-switch", "", "server"),)
)
_TARGET = Target(host="203.0.113.7", domain="corner.example.com")
# Where somebody who was killed leaves most behind: the rows that only the other courses have are tried with these.
_KILLS = ("client-killed", "agent-killed", "power-lost")
# What visitors see of a backend that is stopped before the new one starts: so it is wanted there.
_STOPPED = ("POST /api/note: HTTP 502",)

# The steps that are no rows, each with the test that cuts it off. `pytest` sees to it that there is such a test.
ELSEWHERE = {
    # It runs when the activation has its end in the journal: nothing is open any more.
    "on-failure": "tests/host/test_user_hooks.py::"
    "test_an_agent_killed_during_a_hook_is_undone_and_the_hooks_of_a_failure_run_then",
    # Before an activation begins nothing of what serves is touched; contents that arrived stay.
    "upload": "tests/host/test_one_at_a_time.py::test_a_network_that_is_gone_without_a_word_holds_nobody_up",
    "image": "tests/host/test_image_delivery.py::"
    "test_an_upload_that_was_cut_goes_on_near_its_end_and_leaves_nothing_behind",
}


@dataclasses.dataclass(frozen=True)
class Course:
    """A way to a new release: a `command` that one of the tests' apps is given, and the steps of its plan.

    `rows` are the steps that it is stopped before, `faults` what happens to it there; empty: all of them. `allowed` are
    failures of visitors that are part of this way, as patterns of their words.
    """

    name: str
    command: str
    app: str
    steps: tuple[Step, ...]
    rows: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @property
    def boundaries(self) -> list[Boundary]:
        """The boundaries that are rows."""
        every = boundaries([step.name for step in self.steps if step.place == "server"])
        return [one for one in every if not self.rows or one.name.removeprefix("before-") in self.rows]


def _project(app: str) -> Project:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ship.toml"
        text = (_FIXTURES / app / "ship.toml").read_text(encoding="utf-8")
        file.write_text(complete(app, text), encoding="utf-8")
        return load_project(file)


def _containers() -> Containers:
    parcel = Parcel(ImageBuild("sha256:new", ("sha256:layer",), 1, (1,), "linux/amd64", 0.0), "gig:new", there=False)
    services = {"text": json.dumps({"services": {"database": {}}}), "volumes": ["gig_rows"], "networks": ["gig"]}
    return Containers(parcel, {"socket": "new socket", "proxy": "new proxy"}, services, ("docker",))


def _state(record: Record) -> ServerState:
    """Return a server on which everything differs that two versions of an app can differ in."""
    nothing = frozenset[str]()
    old = {"http": "old", "server": "old"}
    facts = {"memory": {"available": 1 << 30}}
    state = ServerState("", (), nothing, frozenset({"old"}), nothing, nothing, "", old, {}, nothing, 0, facts)
    if not record["image"]:
        return state
    # What says how Compose is called is the same for all versions.
    units = {name: record[name] for name in ("unit", "socket", "proxy", "boot")}
    return dataclasses.replace(state, units=units, services="old", lasting=frozenset({"database", "leaving"}))


def _steps(command: str, app: str, target: Target) -> tuple[Step, ...]:
    project = _project(app)
    site = SiteBuild(Tree((Entry("index.html", "file", "a" * 64, 1),)), (), "")
    code = Tree((Entry("main.py", "file", "b" * 64, 1),))
    parts = BackendParts(code, Tree(), "new unit", "/usr/bin/python3", "", _containers() if app == "gig" else None)
    origin = {"commit": "", "dirty": False, "who": "", "created": ""}
    new = {"http": "new", "server": "new"}
    record = release_record("20260101T000000Z-nogit", origin, project, target, site, "new", parts, new)
    hooks = NO_HOOKS if app == "gig" else _HOOKS
    if command == "rollback":
        return activation_steps(record, _state(record), target, dataclasses.replace(hooks, before_switch=()))
    return ship_steps(record, _state(record), project, target, site, parts, Cargo(()), hooks)


def courses() -> list[Course]:
    """Return all ways to a new release, from the plan itself."""
    first = Target.model_validate({**_TARGET.model_dump(exclude_unset=True), **tomllib.loads(STOP_FIRST_TOML)})
    return [
        Course("ship", "ship", "corner", _steps("ship", "corner", _TARGET)),
        Course("rollback", "rollback", "corner", _steps("rollback", "corner", _TARGET)),
        Course(
            "stop-first",
            "ship",
            "corner",
            _steps("ship", "corner", first),
            ("stop-first", "start", "health", "switch", "verify", "watch"),
            (*_KILLS, "backend-crashed"),
            _STOPPED,
        ),
        Course(
            "containers",
            "ship",
            "gig",
            _steps("ship", "gig", _TARGET),
            ("services", "start", "retire"),
            _KILLS,
        ),
    ]


def rows(found: Sequence[Course]) -> set[str]:
    """Return the kinds of steps that are rows."""
    names = {one.name.removeprefix("before-") for course in found for one in course.boundaries}
    return {name.partition(".")[0] for name in names - {"the-end"}}
