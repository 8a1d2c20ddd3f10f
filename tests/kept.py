"""The tests' small apps as somebody left them a while ago: made once, kept, and put back for who begins with them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cleaning import REMOVE, TAKE_NOTE, clean
from corner import Corner
from inside import run_inside

from shipper.sandbox.server import Sandbox

# All that a ship changes on a server (docs/architecture.md, "On the server"), and whose it is.
_KEEP = """
systemctl list-units --plain --no-legend "$1@*" | cut -d' ' -f1 > "$2.units"
tar -C / -cf "$2.tar" "srv/$1" etc/systemd/system etc/nginx var/lib/shipper \
    etc/passwd etc/group etc/shadow etc/gshadow
"""
_NOT_KEPT = 44
_PUT_BACK = f"""
test -e "$2.tar" || exit {_NOT_KEPT}
python3 -c "$3"
tar -C / -xf "$2.tar"
{TAKE_NOTE}
test ! -s "$2.units" || xargs systemctl start < "$2.units"
"""
_STARTS_SECONDS = 30


@dataclass(frozen=True)
class Kept:
    """Where apps are kept: their repositories in a folder of this test run, the server's part in files named alike."""

    folder: Path

    def bring(self, make: Callable[[Path, Sandbox], Corner], sandbox: Sandbox, root: Path, *, live: bool) -> Corner:
        """Clean the server and put the app that `make` makes back, with its environment, and live when that is wanted.

        Its repository is at `root`, whose name is the app's. The first time, it is made and shipped.
        """
        stage = "live" if live else "begun"
        repository = self.folder / stage / root.name
        place = f"/var/tmp/{self.folder.name}-{stage}-{root.name}"
        code, output = run_inside(sandbox.name, ["sh", "-ec", _PUT_BACK, "sh", root.name, place, REMOVE])
        if code == _NOT_KEPT:
            clean(sandbox.name)
            shutil.rmtree(repository, ignore_errors=True)
            _begin(make(repository, sandbox), live)
            code, output = run_inside(sandbox.name, ["sh", "-ec", _KEEP, "sh", root.name, place])
        assert code == 0, output
        shutil.copytree(repository, root, symlinks=True)
        app = Corner(root, sandbox)
        if live:
            _wait_until_it_serves(app)
        return app


def _begin(app: Corner, live: bool) -> None:
    pushed = app.shipper("env.push")
    assert pushed.code == 0, pushed.output
    if live:
        app.shipped()


def _wait_until_it_serves(app: Corner) -> None:
    deadline = time.monotonic() + _STARTS_SECONDS
    while app.get("/api/health")[0] != 200:
        assert time.monotonic() < deadline, "what was kept does not serve"
        time.sleep(0.05)
