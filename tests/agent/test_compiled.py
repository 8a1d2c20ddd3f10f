"""The agent compiled: the next start takes it from there, and it is what was sent."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from shipper.agent import compiled
from shipper.host.bundle import pack_agent

_LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import shipper_agent.__main__ as agent, shipper_agent.commands as commands, traceback
print(agent.__cached__ == sys.argv[1] + "/shipper_agent/__main__.pyc", len(commands.COMMANDS) > 10)
try:
    commands.COMMANDS["missing"]({}, None)
except KeyError:
    print(traceback.format_exc())
"""


def _kept(folder: Path) -> tuple[Path, Path]:
    """Return the agent as it is sent, and as it is kept compiled."""
    bundle = pack_agent()
    archive = folder / f"{bundle.digest}.pyz"
    archive.write_bytes(bundle.content)
    compiled.keep(str(archive), str(folder / "compiled"))
    (kept,) = (folder / "compiled").iterdir()
    return archive, kept


def test_the_next_start_compiles_nothing_and_a_traceback_still_has_lines(tmp_path: Path) -> None:
    archive, kept = _kept(tmp_path)
    argv = [sys.executable, "-I", "-c", _LOADED, str(kept)]
    first, *traceback = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    assert first == "True True"
    assert f'  File "{archive}/shipper_agent/commands.py"' in "\n".join(traceback)
    assert '    return store.missing(Layout(request["app"]), request["keys"])' in traceback


def test_its_hash_stands_before_it_and_its_name_tells_the_agent_and_the_python(tmp_path: Path) -> None:
    _, kept = _kept(tmp_path)
    content = kept.read_bytes()
    assert hashlib.sha256(content[64:]).hexdigest().encode() == content[:64]
    assert kept.name == f"{pack_agent().digest}.{sys.implementation.cache_tag}.{sys.hexversion:x}.zip"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_folder_that_cannot_be_made_only_costs_time(tmp_path: Path) -> None:
    archive, kept = _kept(tmp_path)
    compiled.keep(str(archive), str(kept / "a file is no folder"))
    compiled.keep(str(tmp_path / "nothing.pyz"), str(tmp_path / "compiled"))
    assert list((tmp_path / "compiled").iterdir()) == [kept]
