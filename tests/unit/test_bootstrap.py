"""The lines that start the agent: what they do when several clients bring it to a server at once."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from shipper.host.bootstrap import COMMAND

AGENT = "def main(archive, keep):\n    print('the agent runs')\n"


def _packed() -> bytes:
    """Return an agent that only says that it runs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("shipper_agent/__init__.py", "")
        archive.writestr("shipper_agent/__main__.py", AGENT)
    return buffer.getvalue()


def test_what_another_start_removes_at_the_same_time_does_not_keep_the_agent_from_starting(tmp_path: Path) -> None:
    encoded = re.search(r"b64decode\(.*?([A-Za-z0-9+/=]{100,})", COMMAND)
    assert encoded
    code = base64.b64decode(encoded[1]).decode().replace("/var/lib/shipper", str(tmp_path))
    content = _packed()
    wanted = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    (tmp_path / "agent").mkdir()
    # It is listed, and gone when it is looked at: another agent that arrives has its own name then.
    (tmp_path / "agent" / "other.pyz.7").symlink_to(tmp_path / "gone")
    said = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input=json.dumps(wanted).encode() + b"\n" + content,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.decode().splitlines() == ['{"agent": "send"}', '{"agent": "ready"}', "the agent runs"]
