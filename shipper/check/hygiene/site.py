"""Secrets in a built site: what a bundle holds, everybody who opens the page can read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import PurePosixPath

from shipper.check.hygiene.contents import check_contents
from shipper.check.hygiene.found import Found
from shipper.check.hygiene.memory import Memory
from shipper.check.hygiene.names import LOOKED_AT_BYTES, check_name
from shipper.deliver.manifest import Entry, Tree
from shipper.findings import Finding

# What browsers are given as text; pictures and fonts hold nothing that anybody wrote.
_TEXT = frozenset(".css .htm .html .js .json .map .md .mjs .cjs .svg .ts .txt .webmanifest .xml .yaml .yml".split())
_WHY = "Everybody who opens the site can read it, whatever the page shows."
_FIX = (
    "It is public as soon as it is shipped: rotate it, and find what puts it there (a variable with the public prefix, "
    "or a value in the source); the browser must ask your backend instead."
)


def check_site(tree: Tree, folder: str, memory: Memory) -> list[Finding]:
    """Return what must not be in the site `tree`; `folder` is how its place is named in findings."""
    found = []
    for entry in tree.files:
        if not memory.knows(entry.path, entry.value):
            told = list(_look(entry))
            found += [_finding(one, entry, folder) for one in told]
            if not told:
                memory.add(entry.path, entry.value)
    return found


def _look(entry: Entry) -> Iterator[Found]:
    assert entry.source is not None
    source = entry.source

    def beginning() -> bytes:
        with source.open("rb") as file:
            return file.read(LOOKED_AT_BYTES)

    by_name = check_name(entry.path, entry.size, beginning)
    if by_name is not None:
        yield by_name
    if PurePosixPath(entry.path).suffix.lower() in _TEXT:
        # Built and minified: only what is a secret by its very form can be told from what is not.
        yield from check_contents(entry.path, source.read_bytes(), shaped_only=True)


def _finding(one: Found, entry: Entry, folder: str) -> Finding:
    finding = Finding(one.rule, one.severity, f"In the built site: {one.message}", _WHY, _FIX, "", one.line)
    return dataclasses.replace(finding, path=f"{folder}/{entry.path}")
