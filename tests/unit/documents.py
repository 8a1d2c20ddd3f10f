"""The documentation as data: its pages, their headings, links, blocks of code, and the commands that stand in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *ROOT.glob("README*.md"),
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*/README.md"),
    )
)
_FENCE = re.compile(r"^(?P<indent> *)```(?P<words>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (?P<text>.+?)#*$", re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<to>[^()\s]+)(?: \"[^\"]*\")?\)")
_INLINE = re.compile(r"(?<!`)`(?P<text>[^`\n]+)`(?!`)")
_SHELLS = ("", "sh", "console", "powershell")
# In running text, commands are also named by their shape (`inv env.*`, `inv env.push|check`) or left open (`inv ...`).
_SHAPE = re.compile(r"\*|\.\.\.|…|[a-z]\|[a-z]|<Tab>")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else stands behind it (`title="ship.toml"`), its text without indentation."""

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """Return every fenced block of a page."""
    text = text_of(page)
    found = []
    for match in _FENCE.finditer(text):
        language, _, rest = match["words"].strip().partition(" ")
        title = re.search(r'title="([^"]*)"', rest)
        body = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, title[1] if title else "", body))
    return found


def prose(page: str) -> str:
    """Return a page without its blocks and comments."""
    return _COMMENT.sub("", _FENCE.sub("", text_of(page)))


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    found: set[str] = set()
    for match in _HEADING.finditer(prose(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match["text"]).replace("\\", "")
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def links(page: str) -> list[str]:
    """Return where the links and pictures of a page lead to."""
    return [match["to"] for match in _LINK.finditer(_INLINE.sub("", prose(page)))]


def commands(page: str) -> Iterator[str]:
    """Yield every command of shipper that a page shows, in its blocks and in its text, as it is typed."""
    for block in blocks(page):
        yield from commands_of(block)
    for match in _INLINE.finditer(prose(page)):
        if not _SHAPE.search(match["text"]):
            yield from _commands_in(match["text"])


def commands_of(block: Block) -> Iterator[str]:
    """Yield the commands of a block that shows what is typed."""
    if block.language in _SHELLS:
        for line in block.text.splitlines():
            yield from _commands_in(line)


def _commands_in(line: str) -> Iterator[str]:
    """Yield what is typed on a line: `$ ` goes, and so do comments and what stands beside it in a table of columns."""
    line = line.strip().removeprefix("$ ")
    for part in re.split(r"&&|\|\||;|\s\|\s|\s{2,}", line):
        part = re.sub(r"^(?:[A-Z_]+=\S+ )+", "", part.strip())
        if re.match(r"(?:inv|shipper) [a-z-]", part) and not _SHAPE.search(part.split()[1]) and "<Tab>" not in part:
            yield re.sub(r"\s#\s.*", "", part)


def words_of(command: str) -> list[str]:
    """Return the words of a command, without what only a shell reads."""
    words = shlex.split(command, comments=True)
    return list(takewhile(lambda word: word not in ("<", ">", ">>", "2>&1"), words))
