"""A private file in an editor: nobody else can read it, and it is gone however the edit ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from shipper.editor import edit, editor_command, private_file
from shipper.errors import ConfigError

CANARY = "canary-" + "31c8" * 3


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder in memory, which here is one that can be looked into."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("VISUAL", raising=False)
    return folder


def test_the_file_and_its_folder_are_for_their_owner_alone_and_gone_afterwards(runtime: Path) -> None:
    with private_file("shop.env", f'KEY="{CANARY}"\n') as file:
        assert file.is_relative_to(runtime)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        (file.parent / ".shop.env.swp").write_text(CANARY)
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_it_is_gone_after_an_error_too(runtime: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), private_file("shop.env", CANARY):
        raise error
    assert list(runtime.iterdir()) == []


HOLDING = """
import os, sys
from shipper.editor import edit, private_file
with private_file("shop.env", "canary") as file:
    edit(file)
print("ended")
"""


def held_open(editor: str, number: int) -> subprocess.CompletedProcess[str]:
    """Edit in a process of its own, with an editor that sends a signal to the one that started it."""
    program = f"import os, sys, time; os.kill(os.getppid(), {number}); {editor}"
    words = f'"{sys.executable}" -c "{program}"'
    environment = {**os.environ, "EDITOR": words, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, "-c", HOLDING], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_gone_when_the_process_is_asked_to_end(runtime: Path, number: int) -> None:
    done = held_open("time.sleep(60)", number)
    assert done.returncode == 128 + number
    assert list(runtime.iterdir()) == []


def test_control_c_in_the_editor_is_the_editors(runtime: Path) -> None:
    done = held_open("pass", signal.SIGINT)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
    assert list(runtime.iterdir()) == []


def test_what_a_killed_one_left_is_removed_by_the_next(runtime: Path) -> None:
    done = held_open("time.sleep(0)", signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    assert len(list(runtime.iterdir())) == 1
    with private_file("shop.env", ""):
        assert len(list(runtime.iterdir())) == 1
    assert list(runtime.iterdir()) == []


def test_the_folder_of_an_edit_that_goes_on_stays(runtime: Path) -> None:
    with private_file("one.env", "1") as one, private_file("two.env", "2"):
        assert one.read_text() == "1"


@pytest.mark.parametrize(
    ("environment", "platform", "command"),
    [
        ({"EDITOR": "nano"}, "linux", ["nano"]),
        ({"EDITOR": "nano", "VISUAL": "code --wait"}, "linux", ["code", "--wait"]),
        ({"EDITOR": "'/opt/my editor/bin/ed' -w"}, "linux", ["/opt/my editor/bin/ed", "-w"]),
        ({"EDITOR": r'"C:\Program Files\Vim\vim.exe" -n'}, "win32", [r"C:\Program Files\Vim\vim.exe", "-n"]),
        ({"EDITOR": r"C:\tools\ed.exe"}, "win32", [r"C:\tools\ed.exe"]),
        ({"EDITOR": "  ", "VISUAL": "vim"}, "linux", ["vim"]),
    ],
)
def test_the_editor_is_the_one_that_people_have_set(
    environment: dict[str, str], platform: str, command: Sequence[str]
) -> None:
    assert editor_command(environment, platform) == command


@pytest.mark.parametrize("editor", [f"'{sys.executable}' -c 'import sys; print(open(sys.argv[1]).read())'", ""])
def test_without_a_terminal_no_editor_shows_the_text_in_what_is_printed(editor: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    file.write_text("PASSWORD=" + "marker-1a2b3c\n", encoding="utf-8")
    program = "import sys; from pathlib import Path; from shipper.editor import edit; edit(Path(sys.argv[1]))"
    ended = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        env={**os.environ, "VISUAL": "", "EDITOR": editor, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "marker" not in ended.stdout + ended.stderr
    assert ended.returncode == (0 if editor else 1)
    assert editor or "There is no terminal for an editor." in ended.stderr


def test_an_editor_that_fails_or_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "text"
    for words, what in (
        (f'"{sys.executable}" -c "raise SystemExit(3)"', "ended with exit code 3"),
        (str(tmp_path / "no-such-editor"), "cannot be started"),
        ("'unclosed", "cannot be read as a command"),
    ):
        monkeypatch.setenv("EDITOR", words)
        with pytest.raises(ConfigError, match=what):
            edit(file)
