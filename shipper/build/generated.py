"""What the hooks before a build generate although git ignores it: an input of the build like any source.

Nothing tells it from what else git ignores, such as caches, but that a hook was seen to write it. That is remembered: a
hook that finds nothing to do writes nothing, and what it wrote before is built all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipper.build.source_tree import ignored_sources
from shipper.remembered import ignore_in_git, remembered

_FILE = "frontend/generated.json"


def generated_sources(cache: Path) -> list[str]:
    """Return the paths that hooks were seen to write, relative to the inputs' folder; some may be gone."""
    with remembered(cache / _FILE) as table:
        return [str(path) for path in table.get("paths", ())]


@contextmanager
def noting_generated(cache: Path, folder: Path, output: str) -> Iterator[None]:
    """Remember what is written in `folder` during the block and is ignored by git, but for the `output` folder."""
    before = _stats(folder, output)
    try:
        yield
    finally:  # what the first of two hooks wrote is there, whatever became of the second
        after = _stats(folder, output)
        written = {path for path in after if after[path] != before.get(path)}
        if written:
            ignore_in_git(cache)
            with remembered(cache / _FILE) as table:
                table["paths"] = sorted({*table.get("paths", ()), *written})


def _stats(folder: Path, output: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for path in ignored_sources(folder, output):
        stat = (folder / path).lstat()
        found[path] = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    return found
