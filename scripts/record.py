"""Records a command as it looks in a terminal and draws it as SVG: `python scripts/record.py docs/ship.svg inv ship`.

The picture in the README is made with it, in examples/quality after a change (see docs/development.md).
"""

from __future__ import annotations

import os
import pty
import re
import sys
from itertools import groupby
from pathlib import Path

import pyte
from pyte.screens import Char
from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 112, 200
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def record(command: list[str]) -> pyte.Screen:
    """Run a command in a terminal of its own and return what that shows when the command ended."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        stream.feed(data)
        return data

    os.environ.update(COLUMNS=str(COLUMNS), LINES=str(LINES), TERM="xterm-256color")
    code = os.waitstatus_to_exitcode(pty.spawn(command, read))
    if code:
        raise SystemExit(code)
    return screen


def line_of(screen: pyte.Screen, number: int) -> Text:
    """Return one line of the screen with its colours."""
    characters = [screen.buffer[number][column] for column in range(COLUMNS)]
    pieces = [("".join(char.data for char in run), style) for style, run in groupby(characters, key=style_of)]
    line = Text.assemble(*pieces)
    line.rstrip()
    return line


def style_of(char: Char) -> str:
    """Return the style of a character in rich's words."""
    colour = {"default": "", "brown": "yellow"}.get(char.fg, char.fg)
    return f"{'bold ' if char.bold else ''}{colour}".strip() or "none"


def draw(screen: pyte.Screen, title: str, file: Path) -> None:
    """Draw what a terminal shows as SVG."""
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"))  # noqa: SIM115 - ends with us
    console.print(Text(f"$ {title}", style="bold"))
    last = max(number for number, line in enumerate(screen.display) if line.strip())
    for number in range(last + 1):
        console.print(line_of(screen, number))
    # The picture fetches nothing: whoever looks at it has a monospaced font.
    file.write_text(FONTS.sub("", console.export_svg(title=title)), encoding="utf-8")


if __name__ == "__main__":
    draw(record(sys.argv[2:]), " ".join(Path(word).name for word in sys.argv[2:]), Path(sys.argv[1]))
