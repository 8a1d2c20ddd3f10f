"""What a terminal, a pipe, a CI system and an old console get: lines that fit, letters they have, and no traceback."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from bakery import BUILD, Bakery
from prepared import PROGRAM

from shipper.masking import hide, hide_environment, masked, masked_data

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
DRAWING = re.compile(r"\x1b\[\??[0-9;]*[A-HJKhl]")


@pytest.fixture
def bakery(tmp_path: Path) -> Bakery:
    return Bakery(tmp_path / "bakery", f"print('first'); print('second')\n{BUILD}")


# --- a reader that leaves ---


@pytest.mark.parametrize("words", [["check"], ["check", "--json"], ["build"], ["build", "--json"], ["--list"]])
def test_a_reader_that_leaves_changes_neither_the_work_nor_its_exit_code(words: list[str], bakery: Bakery) -> None:
    process = bakery.begin(*words)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
    if words[0] == "build":
        assert list((bakery.root / ".shipper").rglob("index.html"))


def test_a_failure_keeps_its_exit_code_when_nobody_reads_anything(bakery: Bakery) -> None:
    process = bakery.begin("status")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 4


# --- letters ---


@pytest.mark.parametrize("encoding", ["cp949", "cp1252", "ascii"])
def test_letters_that_an_encoding_lacks_are_shown_by_their_number(encoding: str, tmp_path: Path) -> None:
    speaking = "import sys\nsys.stdout.reconfigure(encoding='utf-8')\nprint('빵 \\N{CROISSANT} ✓')\n"
    bakery = Bakery(tmp_path / "bakery", speaking + BUILD)
    code, output, beside = bakery.type("build", "--verbose", PYTHONIOENCODING=encoding)
    assert (code, beside) == (0, "")
    assert "\\U0001f950" in output
    code, output, _ = bakery.type("build", "--json", PYTHONIOENCODING=encoding)
    assert code == 0 and output.isascii()


# --- a terminal ---


def on_terminal(bakery: Bakery, *words: str, columns: int = 80, **environment: str) -> str:
    """Type a command at a terminal and return all that it wrote there."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "TERM", "COLUMNS")}
    clean |= {"TERM": "xterm-256color", **environment}
    process = subprocess.Popen(
        [*PROGRAM, *words], cwd=bakery.root, env=clean, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # Linux says EIO when the other side is closed
        pass
    os.close(ours)
    process.wait(timeout=60)
    return written.decode()


def rows(written: str) -> list[str]:
    """Return the lines that stay on the screen."""
    lines = [DRAWING.sub("", COLOURS.sub("", line)) for line in written.replace("\r\n", "\n").split("\n")]
    return [line.rpartition("\r")[2].rstrip() for line in lines]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_rows_fit_a_terminal_and_break_between_words(columns: int, bakery: Bakery) -> None:
    written = rows(on_terminal(bakery, "build", columns=columns))
    assert any(row.startswith("  ok   build.frontend") for row in written), written
    assert all(len(row) <= columns for row in written), written
    assert "1 file; built in" in " ".join(row.strip() for row in written)


def test_a_terminal_without_colours_gets_none(bakery: Bakery) -> None:
    assert COLOURS.search(on_terminal(bakery, "build"))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", on_terminal(bakery, "build", NO_COLOR="1"))
    dumb = on_terminal(bakery, "build", TERM="dumb")
    assert "\x1b" not in dumb
    assert "... build.frontend" in dumb


def test_a_ci_system_gets_plain_lines_even_when_it_pretends_to_be_a_terminal(bakery: Bakery) -> None:
    assert DRAWING.search(on_terminal(bakery, "build"))
    assert not DRAWING.search(on_terminal(bakery, "build", CI="true"))


def test_what_programs_say_is_shown_below_their_step_when_it_is_asked_for(bakery: Bakery) -> None:
    assert "first" not in bakery.type("build")[1]
    (bakery.root / "site/make.py").write_text(f"print('first')\n{BUILD}", encoding="utf-8")
    shown = bakery.type("build", "-v")[1].splitlines()
    assert shown.index("    | first") > next(number for number, row in enumerate(shown) if "... build.frontend" in row)


# --- secrets ---


def test_secrets_of_this_process_are_hidden_but_no_places_and_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = {"NPM_TOKEN": "npm_" + "q8" * 12, "PIP_PASSWORD": "cormorant"}
    for name, value in {
        **hidden,
        "SECRET_STORE": "harbour",
        "TOKEN_DIR": "/home/kim/x",
        "VITE_TOKEN": "pk-77712",
    }.items():
        monkeypatch.setenv(name, value)
    hide_environment()
    assert [masked(value) for value in hidden.values()] == ["********"] * 2
    assert masked("harbour /home/kim/x pk-77712") == "harbour /home/kim/x pk-77712"


def test_what_is_hidden_is_masked_in_texts_and_data_but_not_in_the_names_of_keys() -> None:
    secret = "quiet-" + "harbour-17"
    hide({"SESSION_SECRET": secret})
    assert masked(f"<{secret}>") == "<********>"
    assert masked_data({secret: [secret, 3, None, ("x", True)]}) == {secret: ["********", 3, None, ["x", True]]}
