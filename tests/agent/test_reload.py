"""nginx's files and the nginx that runs say the same, also after a reload that failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from server import make_layout, stand_in

from shipper.agent import nginx
from shipper.agent.errors import AgentError

OLD, NEW = {"http": "# old\n", "server": "# old\n"}, {"http": "# new\n", "server": "# new\n"}
# Takes the new files, and is too slow to say so.
RELOAD = """cat {file} > "$0.running"
grep -q old {file}"""


def test_after_a_reload_that_failed_the_old_files_are_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = make_layout(tmp_path)
    file = nginx.files(layout)["http"]
    stand_in(tmp_path, monkeypatch, "systemctl", RELOAD.format(file=file))
    stand_in(tmp_path, monkeypatch, "unshare", "exit 0")
    nginx.put(layout, OLD)
    with pytest.raises(AgentError, match="nginx could not be reloaded"):
        nginx.install(layout, NEW)
    assert nginx.installed(layout) == OLD
    assert (tmp_path / "bin" / "systemctl.running").read_text() == "# old\n"
