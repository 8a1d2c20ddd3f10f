"""Odd names and modes on a real server: fetched back through nginx byte by byte, looked at with find."""

from __future__ import annotations

import os
import urllib.request
from urllib.parse import quote

from conftest import Exec
from corner import Corner
from trees import ODD_NAMES


def test_files_of_every_name_come_back_as_they_are(corner: Corner) -> None:
    site = corner.root / "site" / "odd"
    site.mkdir()
    wanted = {}
    for number, name in enumerate(ODD_NAMES):
        if not name.startswith("."):  # nginx shows nothing that begins with a dot
            wanted[name] = b"content %d \0\xff" % number
            (site / name).write_bytes(wanted[name])
    (site / "empty").write_bytes(b"")
    corner.git("add", "--all")
    corner.shipped()
    for name, content in {**wanted, "empty": b""}.items():
        with urllib.request.urlopen(f"{corner.url}/odd/{quote(os.fsencode(name))}", timeout=10) as answer:
            assert answer.read() == content, name


def test_moved_files_do_not_travel_again(corner: Corner) -> None:
    corner.write("site/old/page.html", "a page that moves")
    corner.shipped()
    (corner.root / "site/old").rename(corner.root / "site/new name")
    ended = corner.ship()
    assert ended.code == 0, ended.output
    assert "only the list of files as" in ended.output, ended.output
    assert corner.get("/new%20name/page.html") == (200, "a page that moves")
    assert corner.get("/old/page.html")[0] == 404


def test_modes_and_owners_on_the_server_are_ours(corner: Corner, sandbox_exec: Exec) -> None:
    for path, mode in (("site/index.html", 0o600), ("site/404.html", 0o777)):
        (corner.root / path).chmod(mode)
    (corner.root / "site/assets").chmod(0o700)
    corner.shipped()
    site = "/srv/corner/current/site"
    wrong = ["(", "-type", "d", "-not", "-perm", "755", "-o", "-type", "f", "-not", "-perm", "644"]
    assert sandbox_exec(["find", site + "/", *wrong, "-o", "-not", "-user", "root", ")"]) == (0, "")
    code, modes = sandbox_exec(["stat", "--format", "%a %U", "/srv/corner/store", "/srv/corner/shared/env"])
    assert (code, modes.splitlines()) == (0, ["700 root", "600 root"])
    executable = ["find", "/srv/corner/slots", "/srv/corner/releases", "-type", "f", "-perm", "/111", "-name", "*.py"]
    assert sandbox_exec(executable) == (0, "")
