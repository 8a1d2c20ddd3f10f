"""What this machine remembers of trees it has shipped: their entries, and where their contents still are.

A release names its trees by their digests, so that a tree that is remembered here is known to be on the server without
a question, down to every content. One that is forgotten only costs bytes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shipper.deliver.manifest import Entry, Tree

_KEPT_TREES = 24
_FORMAT = 1


@dataclass(frozen=True)
class KnownTree:
    """A tree that was shipped. `entries` are by path; a file has a source only where the content is surely still it."""

    digest: str
    entries: Mapping[str, Entry]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all of its contents."""
        return frozenset(entry.value for entry in self.entries.values() if entry.kind == "file")


def remember_tree(cache: Path, tree: Tree) -> None:
    """Keep what a tree is in the cache folder, and where its contents are if that is in there as well.

    Builds and dependencies in the cache are made once and never changed; sources are, so they are no base for anything.
    """
    folder = cache / "trees"
    file = folder / f"{tree.digest}.json"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [[entry.path, entry.kind, entry.value, entry.size, _inside(cache, entry.source)] for entry in tree.entries]
    scratch = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    scratch.write_text(json.dumps({"format": _FORMAT, "entries": rows}), encoding="utf-8")
    scratch.replace(file)
    kept = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[_KEPT_TREES:]:
        old.unlink(missing_ok=True)


def recall_tree(cache: Path, digest: str) -> KnownTree | None:
    """Return the tree with that digest, None when it is not remembered."""
    return _read(cache, cache / "trees" / f"{digest}.json", digest) if digest else None


@lru_cache(maxsize=8)
def _read(cache: Path, file: Path, digest: str) -> KnownTree | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            return None
        entries = {
            path: Entry(path, kind, value, size, cache / inside if inside else None)
            for path, kind, value, size, inside in content["entries"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return KnownTree(digest, entries)


def _inside(cache: Path, source: Path | None) -> str:
    if source is None or not source.is_relative_to(cache):
        return ""
    return source.relative_to(cache).as_posix()
