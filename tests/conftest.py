"""What tests share: the practice server of the tests, a look inside it, and its cleaning between tests."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from cleaning import clean
from corner import Corner, make_corner
from engines import KINDS, OWN, install
from filelock import FileLock
from gig import load_images, make_gig
from hypothesis import HealthCheck, settings
from inside import run_inside
from kept import Kept

from shipper.events import discard
from shipper.sandbox import server
from shipper.sandbox.server import Sandbox
from shipper.sandbox.state import NAME_VARIABLE

# Beside the practice server of people, who may be looking at theirs; cleaning wipes it. Who runs tests in several
# places at once gives each a server of its own, and so does pytest-xdist's worker.
SANDBOX_NAME = "-".join(
    filter(None, (os.environ.get("SHIPPER_TEST_SANDBOX", "shipper-test"), os.environ.get("PYTEST_XDIST_WORKER")))
)

# It puts a Windows together; on a real one, the other modules are that test.
collect_ignore = ["unit/test_windows.py"] if sys.platform == "win32" else []

# Where the tests run in GitHub's actions themselves, what they try out there is no news for the run's own summary.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"):
    os.environ.pop(_name, None)

# The same examples on every machine and in every run, so that nobody's change is stopped by a fault of somebody else;
# `--hypothesis-profile explore` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", max_examples=2000, suppress_health_check=list(HealthCheck))
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=5, help="how often two ship at once")
    parser.addoption("--faults", choices=("sample", "all"), default="sample", help="cells of the fault matrix to run")
    parser.addoption("--server-docker", choices=tuple(KINDS), default=OWN, help="which Docker and Compose servers have")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the quick tests to workers by the module: asking for each of thousands costs more than many of them do."""
    for item in items:
        if _computes(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    if hasattr(config, "workerinput"):
        items[:] = _mixed(items)


def _computes(item: pytest.Item) -> bool:
    """Whether a test keeps this machine busy; the others wait for servers most of the time."""
    return item.path.parent.name in ("agent", "unit")


def _mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in an order in which those that compute run beside those that wait, all the way.

    Groups that wait go first of their kind: each is run by one worker, and none shall be left with the last one.
    """
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        marker = item.get_closest_marker("xdist_group")
        groups.setdefault(marker.args[0] if marker else item.nodeid, []).append(item)
    computing = [group for group in groups.values() if _computes(group[0])]
    waiting = sorted((group for group in groups.values() if not _computes(group[0])), key=len, reverse=True)
    # Some modules compute for a minute or two: the last of them begins when a tenth is left.
    placed = [(0.9 * place / len(computing), group) for place, group in enumerate(computing)]
    placed += [(place / len(waiting), group) for place, group in enumerate(waiting)]
    return [item for _, group in sorted(placed, key=lambda one: one[0]) for item in group]


Exec = Callable[[Sequence[str]], tuple[int, str]]


@pytest.fixture(scope="session")
def sandbox(pytestconfig: pytest.Config) -> Iterator[Sandbox]:
    """The running practice server of the tests. It is left running, so that the next session starts at once."""
    kind = pytestconfig.getoption("--server-docker")
    name = SANDBOX_NAME if kind == OWN else f"{SANDBOX_NAME}-{kind}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(NAME_VARIABLE, name)
        with FileLock(Path(tempfile.gettempdir()) / "shipper-test-image.lock"):  # the image is built once
            access = server.up(name, discard)
        install(lambda argv: run_inside(name, argv), kind)
        yield access


@pytest.fixture
def sandbox_exec(sandbox: Sandbox) -> Exec:
    """A function that runs an argument list as root inside the server and returns its exit code and its output."""
    return lambda argv: run_inside(sandbox.name, argv)


@pytest.fixture
def clean_server(sandbox: Sandbox) -> Sandbox:
    """The practice server as if nothing had ever been shipped to it; takes a fraction of a second."""
    clean(sandbox.name)
    return sandbox


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Where the app is kept that was live once in this run of the tests."""
    return Kept(tmp_path_factory.mktemp(f"kept-{secrets.token_hex(4)}"))


@pytest.fixture
def corner(request: pytest.FixtureRequest, sandbox: Sandbox, kept: Kept, tmp_path: Path) -> Corner:
    """The tests' small app in a repository of its own, on a clean server that already has its environment.

    Of a test marked `live`, the app is live already.
    """
    live = request.node.get_closest_marker("live") is not None
    return kept.bring(make_corner, sandbox, tmp_path / "corner", live=live)


@pytest.fixture
def gig(sandbox: Sandbox, kept: Kept, tmp_path: Path) -> Corner:
    """The tests' app in containers in a repository of its own, on a clean server that already has its environment."""
    load_images(sandbox)
    return kept.bring(make_gig, sandbox, tmp_path / "gig", live=False)


@pytest.fixture(scope="module")
def serving(sandbox: Sandbox, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Corner:
    """The tests' app in containers, live: for the tests of a module that do not spoil it for each other.

    Such a module is a group of its own, so that no test of another one cleans the server in between.
    """
    load_images(sandbox)
    root = tmp_path_factory.mktemp("serving") / "gig"
    app = kept.bring(make_gig, sandbox, root, live=False)
    app.shipped()
    return app


def wait_inside(run: Exec, condition: str, seconds: float = 60, vain: Callable[[], bool] = lambda: False) -> bool:
    """Wait until a condition of the shell is true inside the server; say whether it is, False when waiting is `vain`.

    It looks by itself, over and over.
    """
    deadline = time.monotonic() + seconds
    look = ["timeout", "1", "sh", "-c", 'until eval "$1"; do sleep 0.1; done', "sh", condition]
    while run(look)[0] != 0:
        if vain() or time.monotonic() > deadline:
            return False
    return True
