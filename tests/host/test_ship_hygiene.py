"""A ship looks at what it ships: the project's files, the built site, and whether all of it is in a commit."""

from __future__ import annotations

import json

from conftest import Exec
from corner import Corner

# Put together here: what looks like a secret would be found in this file as well.
TOKEN = "ghp" + "_" + "16C7e42F292c6912E7710c838347Ae178B4a"

MAKE = """
import pathlib, shutil
shutil.copytree("assets", "made/assets")
pathlib.Path("made/index.html").write_text("<h1>corner</h1>")
token = "_".join(["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"])
pathlib.Path("made/app.js").write_text(f"fetch('/api', {{headers: {{Authorization: 'token {token}'}}}})")
"""


def test_a_secret_in_the_files_or_in_the_built_site_is_not_shipped(corner: Corner) -> None:
    corner.write("backend/notes.md", f"deploy token: {TOKEN}\n")
    ended = corner.ship()
    assert ended.code == 3, ended.output
    assert "backend/notes.md" in ended.output
    assert TOKEN not in ended.output
    corner.git("rm", "--quiet", "--cached", "-f", "backend/notes.md")
    (corner.root / "backend/notes.md").unlink()

    # A build brings together what no file holds.
    corner.write("site/make.py", MAKE)
    corner.edit(
        "ship.toml", 'preset = "static"', 'preset = "static"\ncommand = ["python3", "make.py"]\noutput = "made"'
    )
    ended = corner.ship()
    assert ended.code == 3, ended.output
    assert "In the built site" in ended.output
    assert "app.js" in ended.output
    assert TOKEN not in ended.output
    ship_toml = corner.root / "ship.toml"
    allowed = '\n[[check.allow]]\npath = "**/app.js"\nreason = "a token of the tests, good for nothing"\n'
    ship_toml.write_text(ship_toml.read_text() + allowed, encoding="utf-8")
    assert corner.ship().code == 0


def test_changes_that_are_in_no_commit_are_shipped_only_on_request_and_the_release_says_so(
    corner: Corner, sandbox_exec: Exec
) -> None:
    corner.add_far_target(corner.sandbox.ssh_port)
    ended = corner.type("ship", "--yes", "--to", "far")
    assert ended.code == 3, ended.output
    assert "There are changes that are in no commit" in ended.output
    assert "inv ship --allow-dirty" in ended.output
    ended = corner.shipper("ship", "--yes", "--to", "far", "--allow-dirty")
    assert ended.code == 0, ended.output
    record = json.loads(sandbox_exec(["sh", "-c", "cat /srv/*/current/release.json"])[1])
    assert (record["dirty"], record["pushed"]) == (True, False)
    assert "with local changes, not pushed then" in corner.shipper("status", "--to", "far").output

    corner.git("commit", "--quiet", "--all", "--message", "far away")
    corner.git("init", "--quiet", "--bare", str(corner.root.parent / "remote.git"))
    corner.git("remote", "add", "origin", str(corner.root.parent / "remote.git"))
    corner.git("push", "--quiet", "origin", "HEAD:main")
    corner.edit("site/index.html", "</h1>", "!</h1>")
    corner.git("commit", "--quiet", "--all", "--message", "louder")
    corner.git("push", "--quiet", "origin", "HEAD:main")
    ended = corner.type("ship", "--yes", "--to", "far")
    assert ended.code == 0, ended.output
    record = json.loads(sandbox_exec(["sh", "-c", "cat /srv/*/current/release.json"])[1])
    assert (record["dirty"], record["pushed"]) == (False, True)
