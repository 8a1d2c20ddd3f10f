"""A secret of the environment is nowhere but where it belongs: not in output, argv, the journal, or a readable file."""

from __future__ import annotations

import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from conftest import Exec
from corner import Corner

# Of this run alone: another worker's search for the same words would be a command line with a secret in it.
RUN = uuid.uuid4().hex[:8]
MARKERS = (f"mk-plain-{RUN}", f"mk pass#w$ord'x{RUN}", f"mk-url-{RUN}", f"mk-changed-{RUN}")
ENVIRONMENT = f"""
SECRET_KEY="{MARKERS[0]}"
ODD="{MARKERS[1]}"
DATABASE_URL="postgres://shop:{MARKERS[2]}@db.internal:5432/shop"
"""
# Everything that somebody who is not root could read, or that shipper writes.
SEARCHED = ["/srv", "/etc", "/run", "/var/log/nginx", "/var/lib", "/tmp", "/var/tmp"]
FIND_READABLE = ["find", *SEARCHED, "-xdev", "-type", "f", "-perm", "-o=r", "-exec", "grep", "-lF"]


@contextmanager
def watched_processes(sandbox_exec: Exec) -> Iterator[set[str]]:
    """Collect every command line that is seen, here and on the server, while the block runs."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.update(sandbox_exec(["ps", "-eo", "args"])[1].splitlines())
            local = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
            seen.update(local.stdout.splitlines())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def make_talkative(corner: Corner) -> None:
    """Let the migration and the backend print everything they know, as careless ones do."""
    corner.write("backend/migrate.py", "import os\nfor name, value in os.environ.items():\n    print(name, value)\n")
    corner.edit("backend/main.py", 'VERSION = "one"', 'VERSION = "two"\nprint("starting with", dict(os.environ))')


def test_no_secret_is_in_any_output_or_command_line(corner: Corner, sandbox_exec: Exec) -> None:
    corner.write(".env.sandbox", ENVIRONMENT)
    make_talkative(corner)
    said = []
    with watched_processes(sandbox_exec) as seen:
        for words in (
            ["env.check"],
            ["env.push"],
            ["env.check"],
            ["plan"],
            ["ship", "--yes"],
            ["status"],
            ["logs", "--lines", "400"],
            ["logs", "--nginx"],
        ):
            ended = corner.shipper(*words)
            assert ended.code == 0, ended.output
            said.append(ended.output)
        corner.write(".env.sandbox", ENVIRONMENT.replace(MARKERS[0], MARKERS[3]))
        said.append(corner.shipper("env.check").output)
        said.append(corner.shipper("env.push").output)
        corner.edit("backend/main.py", 'VERSION = "two"', "raise SystemExit(str(os.environ))")
        failed = corner.ship()
        assert failed.code == 1, failed.output
        said.append(failed.output)
    everything = "\n".join(said)
    assert "starting with" in everything, "the log was not shown at all"
    for marker in MARKERS:
        assert marker not in everything
        assert not [line for line in seen if marker in line]
    assert any("systemctl" in line for line in seen), "the server's processes were not seen"


def test_no_secret_is_in_a_file_that_others_can_read_or_in_the_journal(corner: Corner, sandbox_exec: Exec) -> None:
    corner.write(".env.sandbox", ENVIRONMENT)
    _, before = sandbox_exec(["journalctl", "--lines", "0", "--show-cursor"])
    cursor = before.partition("cursor: ")[2].strip()
    assert corner.shipper("env.push").code == 0
    corner.shipped()
    # With every field, the command lines of what wrote among them.
    _, journal = sandbox_exec(["journalctl", "--no-pager", "--all", "--output", "json", "--after-cursor", cursor])
    assert "corner@" in journal
    assert not [marker for marker in MARKERS if marker in journal]
    # From here on the application itself says what it knows.
    make_talkative(corner)
    corner.shipped()
    corner.edit("backend/main.py", 'VERSION = "two"', "raise SystemExit(str(os.environ))")
    assert corner.ship().code == 1
    for marker in MARKERS:
        _, readable = sandbox_exec([*FIND_READABLE, marker, "{}", ";"])
        assert readable == ""
        _, written = sandbox_exec(["grep", "-rlF", marker, "/srv/corner", "/var/lib/shipper"])
        assert all(path.endswith("/env") for path in written.split()), written
    _, modes = sandbox_exec(["find", "/srv/corner", "-name", "env", "-printf", "%m %u %p\\n"])
    assert modes.splitlines()
    assert all(line.startswith("600 root") for line in modes.splitlines()), modes


def test_no_secret_is_left_in_the_project_folder(corner: Corner) -> None:
    corner.write(".env.sandbox", ENVIRONMENT)
    assert corner.shipper("env.push").code == 0
    corner.shipped()
    for marker in MARKERS:
        found = subprocess.run(["grep", "-rlF", marker, "."], cwd=corner.root, capture_output=True, text=True)
        assert found.stdout.split() in ([], ["./.env.sandbox"])
