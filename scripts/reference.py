"""Keeps the tables of the documentation in step with the code: `python scripts/reference.py` rewrites, `--check` looks.

A page holds regions, `<!-- made by scripts/reference.py: keys frontend -->` to `<!-- end -->`, and what stands between
the two comes from here; all else on the page is written by hand. `MAKERS` says what can be asked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import reference_commands
import reference_config
import reference_rules

DOCS = Path(__file__).parent.parent / "docs"
MAKERS: dict[str, Callable[[str], str]] = {
    "keys": reference_config.keys,
    "commands": reference_commands.commands,
    "rules": reference_rules.rules,
    "errors": reference_rules.errors,
}
_REGION = re.compile(r"(<!-- made by scripts/reference\.py: ([a-z]+) ?([^\n]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> Iterator[Path]:
    """Yield every page that has a region."""
    for page in sorted(DOCS.rglob("*.md")):
        if _REGION.search(page.read_text(encoding="utf-8")):
            yield page


def renew(text: str) -> str:
    """Return a page's text with all its regions made anew."""
    return _REGION.sub(lambda found: f"{found[1]}\n{MAKERS[found[2]](found[3])}\n\n{found[4]}", text)


def arguments_of(maker: str) -> list[str]:
    """Return what a maker is asked for on all pages together."""
    found = (match for page in pages() for match in _REGION.finditer(page.read_text(encoding="utf-8")))
    return [match[3] for match in found if match[2] == maker]


def tables_without_a_place() -> list[str]:
    """Return the tables of `ship.toml` that no page describes."""
    told = {name for names in arguments_of("keys") for name in names.split()}
    return sorted(set(reference_config.table_names()) - told)


def old_pages() -> list[Path]:
    """Return the pages whose regions are not what the code says today."""
    return [page for page in pages() if renew(text := page.read_text(encoding="utf-8")) != text]


def main(arguments: list[str]) -> int:
    """Rewrite what is old, or with `--check` only name it. Returns the exit code."""
    missing = tables_without_a_place()
    for name in missing:
        print(f"No page has a region for [{name}]: <!-- made by scripts/reference.py: keys {name} -->")
    old = old_pages()
    for page in old:
        print(f"{page.relative_to(DOCS.parent)} is {'old' if '--check' in arguments else 'made anew'}.")
        if "--check" not in arguments:
            page.write_text(renew(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 1 if missing or (old and "--check" in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
