"""Records a command as it looks in a terminal and draws it as SVG: `python scripts/record.py docs/ship.svg inv ship`.

The picture in the README is made with it, in examples/quality after a change (see docs/development.md).
"""

from __future__ import annotations

import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 112
# A line that is drawn over and over (a spinner, a bar) ends with its last state; what was erased never shows.
ERASED = re.compile(r"[^\n]*\x1b\[2K")
SPINNER = re.compile(r"[\u2800-\u28ff]")
CONTROLS = re.compile(r"\x1b\[\?25[lh]|\x1b\[[0-9]*A|\r(?!\n)")


def record(command: list[str]) -> str:
    """Run a command in a terminal of its own and return everything that it wrote."""
    written: list[bytes] = []

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        written.append(data)
        return data

    os.environ.update(COLUMNS=str(COLUMNS), LINES="60", TERM="xterm-256color")
    code = os.waitstatus_to_exitcode(pty.spawn(command, read))
    if code:
        raise SystemExit(code)
    return b"".join(written).decode("utf-8", "replace").replace("\r\n", "\n")


def draw(text: str, title: str, file: Path) -> None:
    """Draw the text of a terminal as SVG."""
    shown = (CONTROLS.sub("", ERASED.sub("", line)) for line in text.split("\n"))
    lines = [line for line in shown if not SPINNER.search(line)]
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"))  # noqa: SIM115 - ends with us
    console.print(Text(f"$ {title}", style="bold"))
    console.print(Text.from_ansi("\n".join(lines).rstrip()))
    console.save_svg(str(file), title=title)


if __name__ == "__main__":
    draw(record(sys.argv[2:]), " ".join(Path(word).name for word in sys.argv[2:]), Path(sys.argv[1]))
