"""The steps of the action that connect, run as GitHub's runner would against the practice server: no file has a key."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from actions_runner import ACTION, REPOSITORY, Runner, read_yaml
from corner import Corner

CONNECTING = ("Send the environment", "Ship", "Roll back")


@pytest.fixture
def hosted(corner: Corner) -> Corner:
    """The app as GitHub sees it: its target has neither a key nor a pin, and there is no env file."""
    corner.add_far_target(corner.sandbox.ssh_port)
    corner.edit("ship.toml", f"key = '{corner.sandbox.key_file}'\n", "key = '~/.ssh/not-here.pem'\n")
    corner.edit("ship.toml", f"host_key = '{corner.sandbox.host_key_fingerprint}'\n", "")
    corner.git("commit", "-q", "-a", "-m", "a target for GitHub")
    (corner.root / ".env.sandbox").unlink()
    return corner


def run(app: Corner, folder: Path, **inputs: str) -> tuple[Runner, dict[str, dict[str, str]]]:
    program = folder / "shipper"
    folder.mkdir()
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m shipper \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    runner = Runner(folder / "machine", app.root, {"install": {"shipper": str(program)}})
    runner.environment["PYTHONPATH"] = str(REPOSITORY)
    action = read_yaml(ACTION)
    given = {name: str(about.get("default", "")) for name, about in action["inputs"].items()}
    given |= {
        "target": "far",
        "ssh-key": app.sandbox.key_file.read_text(encoding="utf-8"),
        "host-key": app.sandbox.host_key_fingerprint,
        **inputs,
    }
    steps = [step for step in action["runs"]["steps"] if step["name"] in CONNECTING]
    outputs = runner.steps(steps, {"inputs": given})
    output = "".join(ran.output for ran in runner.ran)
    assert [ran.code for ran in runner.ran] == [0] * len(runner.ran), output
    assert not [line for line in given["ssh-key"].splitlines() if line in output + runner.summary.read_text("utf-8")]
    return runner, outputs


def test_ship_ship_and_roll_back_from_a_runner(hosted: Corner, tmp_path: Path) -> None:
    secret = "of-the-run-" + "1a2b3c"
    runner, outputs = run(hosted, tmp_path / "first", **{"env-file": f'SECRET_KEY="{secret}"\nDEBUG=0\n'})
    first = hosted.live()
    assert outputs["ship"] == {"release": first, "url": hosted.url}
    summary = runner.summary.read_text("utf-8").replace("\\", "")
    assert "### shipped to far" in summary
    assert first in summary
    assert "| switch | " in summary
    assert secret not in summary + "".join(ran.output for ran in runner.ran)
    hosted.write("site/new.html", "new")
    hosted.git("commit", "-q", "-m", "new")
    _, outputs = run(hosted, tmp_path / "second")
    second = hosted.live()
    assert outputs["ship"]["release"] == second != first
    runner, outputs = run(hosted, tmp_path / "back", action="rollback")
    assert outputs["rollback"] == {"release": first, "url": hosted.url}
    assert hosted.live() == first
    assert "### rolled back: far" in runner.summary.read_text("utf-8")
