"""What `make` says where it cannot bring up a Docker engine: to somebody who is not root, on other systems.

The script runs in the practice server, so that it could not touch the engine of the machine that runs the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Exec

ENGINE = Path(__file__).parents[2] / "scripts" / "engine"
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
# Without apt-get and docker, as on a distribution of another family.
BARE = "rm -rf /tmp/bare && mkdir /tmp/bare && ln -s $(command -v id) $(command -v uname) /tmp/bare"
MACOS = "rm /tmp/bare/uname && echo 'echo Darwin' > /tmp/bare/uname && chmod 755 /tmp/bare/uname"
# A private view of the machine, in which no engine has ever been started.
UNSTARTED = "mount -t tmpfs tmpfs /run"
WHAT_IS_THERE = "dpkg-query -W; systemctl show docker.service docker.socket --property=MainPID,ActiveState,InvocationID"


@dataclass(frozen=True)
class Case:
    """Where the script runs: who types it, what is prepared, and what it must say."""

    name: str
    prepare: str
    typed_by: Sequence[str]
    path: str
    words: tuple[str, ...]


CASES = [
    Case(
        "the socket is not for everybody",
        "true",
        NOBODY,
        "/usr/sbin:/usr/bin",
        ("socket may not be used by nobody", "sudo usermod -aG docker nobody"),
    ),
    Case(
        "not root, and no engine runs",
        UNSTARTED,
        NOBODY,
        "/usr/sbin:/usr/bin",
        ("only root can install or start it", "sudo scripts/engine", "sudo systemctl start docker"),
    ),
    Case(
        "root on another distribution",
        f"{UNSTARTED} && {BARE}",
        (),
        "/tmp/bare",
        ("only on Debian and Ubuntu", "Install it from your distribution, then: systemctl start docker"),
    ),
    Case(
        "another system",
        f"{BARE} && {MACOS}",
        NOBODY,
        "/tmp/bare",
        ("The Docker engine is not running.", "Start Docker Desktop"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_where_no_engine_can_be_had_the_script_says_what_to_type_and_changes_nothing(
    sandbox_exec: Exec, case: Case
) -> None:
    before = sandbox_exec(["sh", "-c", WHAT_IS_THERE])
    run = f'{case.prepare} && exec "$@"'
    typed = [*case.typed_by, "env", f"PATH={case.path}", "/bin/sh", "-c", ENGINE.read_text(encoding="utf-8")]
    code, output = sandbox_exec(["unshare", "--mount", "sh", "-c", run, "sh", *typed])
    assert code == 1, output
    assert [words for words in case.words if words not in output] == [], output
    assert "Installing" not in output and "Starting" not in output
    assert sandbox_exec(["sh", "-c", WHAT_IS_THERE]) == before
