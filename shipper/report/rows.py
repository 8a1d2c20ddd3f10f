"""Lines that fit: on a terminal, text is broken between words and goes on below its beginning; else a line is one."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

# Columns that text gets at the least; where less is left beside what stands before it, it begins below, indented.
_NARROWEST = 24
_INDENT = 7


def print_row(head: Text, text: Text, to: Console, gap: str = "  ") -> None:
    """Print `head`, and `text` beside it, or below it where that has too little room."""
    if text.plain:
        head = head + Text(gap)
    lines = list(text.split("\n", allow_blank=True))
    if not to.is_terminal:
        _print_lines(head, lines, _INDENT, to)
    elif to.width - head.cell_len >= _NARROWEST:
        _print_lines(head, _broken(lines, to.width - head.cell_len, to), head.cell_len, to)
    else:
        indent = min(head.cell_len, _INDENT)
        _print_lines(head, [Text(), *_broken(lines, max(to.width - indent, _NARROWEST), to)], indent, to)


def _broken(lines: list[Text], width: int, to: Console) -> list[Text]:
    return [part for line in lines for part in line.wrap(to, width)]


def _print_lines(head: Text, lines: list[Text], indent: int, to: Console) -> None:
    for number, line in enumerate(lines or [Text()]):
        row = (Text(" " * indent) if number else head.copy()) + line
        row.rstrip()
        to.print(row)
