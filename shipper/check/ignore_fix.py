"""Writing what is missing into the top-level .gitignore: lines are added at its end, and none is ever changed."""

from __future__ import annotations

from pathlib import Path

from shipper.check.ignore_answers import copied_rules
from shipper.check.ignore_tree import read_tree
from shipper.check.ignores import find_holes
from shipper.config.text import decode_text

_HEADER = "# added by shipper: what must not get into git"
_KEPT_EXAMPLES = ("!.env.example", "!.env.sample", "!.env.template")


def fix_ignores(top: Path) -> tuple[str, ...]:
    """Add the lines that are missing to the .gitignore at `top`, and return them.

    The file keeps its line ends; it is made when there is none. Nothing is written when nothing is missing. Raises
    ConfigError for a file that git cannot read either (UTF-16), and outside of a repository.
    """
    tree = read_tree(top)
    with copied_rules(top, tree.rule_files) as answers:
        lines = [hole.line for hole in find_holes(tree, answers)]
    if not lines:
        return ()
    if any(line.endswith(".env.*") for line in lines):
        place = max(index for index, line in enumerate(lines) if line.endswith(".env.*")) + 1
        lines[place:place] = _KEPT_EXAMPLES
    file = top / ".gitignore"
    content = file.read_bytes() if file.exists() else b""
    decode_text(content, file.name)
    end = b"\r\n" if b"\r\n" in content else b"\n"
    gap = b"" if not content else end if content.endswith(b"\n") else end + end
    added = gap + end.join(line.encode("utf-8", "surrogateescape") for line in (_HEADER, *lines)) + end
    # Appending is the only way in which a file is written here, so that nobody's line can be lost.
    with file.open("ab") as stream:
        stream.write(added)
    return tuple(lines)
