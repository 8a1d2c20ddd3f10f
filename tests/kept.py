"""The tests' small app as somebody shipped it a while ago: shipped once, kept, and put back for who begins with it."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corner import Corner, make_corner

from shipper.sandbox.server import Sandbox

if TYPE_CHECKING:
    from conftest import Exec

# All that a ship changes on a server (docs/architecture.md, "On the server"), and whose it is.
_KEEP = """
systemctl list-units --plain --no-legend 'corner@*' | cut -d' ' -f1 > "$1.units"
tar -C / -cf "$1.tar" srv/corner etc/systemd/system etc/nginx var/lib/shipper \
    etc/passwd etc/group etc/shadow etc/gshadow
"""
_PUT_BACK = """
tar -C / -xf "$1.tar"
systemctl daemon-reload
xargs systemctl start < "$1.units"
systemctl reload nginx
"""
_STARTS_SECONDS = 30


@dataclass(frozen=True)
class Kept:
    """Where the app is kept: its repository in a folder of this test run, the server's part in files named alike."""

    folder: Path

    def bring(self, sandbox: Sandbox, run: Exec, root: Path) -> Corner:
        """Put the app back on a clean server, with its repository at `root`; the first time, ship it."""
        place = f"/var/tmp/{self.folder.name}"
        if run(["test", "-e", f"{place}.tar"])[0] != 0:
            self._make(sandbox, run, place)
        else:
            code, output = run(["sh", "-ec", _PUT_BACK, "sh", place])
            assert code == 0, output
        shutil.copytree(self.folder / root.name, root, symlinks=True)
        corner = Corner(root, sandbox)
        _wait_until_it_serves(corner)
        return corner

    def _make(self, sandbox: Sandbox, run: Exec, place: str) -> None:
        shutil.rmtree(self.folder / "corner", ignore_errors=True)
        corner = make_corner(self.folder / "corner", sandbox)
        pushed = corner.shipper("env.push")
        assert pushed.code == 0, pushed.output
        corner.shipped()
        code, output = run(["sh", "-ec", _KEEP, "sh", place])
        assert code == 0, output


def _wait_until_it_serves(corner: Corner) -> None:
    deadline = time.monotonic() + _STARTS_SECONDS
    while corner.get("/api/health")[0] != 200:
        assert time.monotonic() < deadline, "what was kept does not serve"
        time.sleep(0.05)
