"""What one request carries: the trees of a release, told as differences to those of an older one, and their contents.

The form of the document is told in shipper.agent.delivery, which reads it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shipper.deliver.bases import choose_bases
from shipper.deliver.known import KnownTree
from shipper.deliver.manifest import Entry, Tree
from shipper.deliver.upload import Cargo, Counter, choose, compress

_LENGTH = struct.Struct(">I")
_COLUMNS = 6  # tree, path, kind, value, size, base


@dataclass(frozen=True)
class Likeness:
    """A tree that the server has in a release, and that is remembered here."""

    release: str
    tree: KnownTree


@dataclass(frozen=True)
class Presence:
    """What a server has, as far as a delivery to it has to know: the keys it lacks, and trees, by name, to tell others
    by. Nothing of it has to be true: the agent finds out.
    """

    missing: frozenset[str] = frozenset()
    likes: Mapping[str, Likeness] = field(default_factory=dict)


@dataclass(frozen=True)
class Consignment:
    """The document about the trees, and the contents that go with it."""

    document: bytes
    cargo: Cargo

    def named(self, lacking: Iterable[str | int]) -> list[str]:
        """Return the keys of what the agent says it lacks: it knows contents that came as deltas by their places."""
        entries = self.cargo.entries
        return [entries[one].value if isinstance(one, int) else one for one in lacking]

    def stream(self, counter: Counter) -> Iterator[bytes]:
        """Yield all of it compressed, as the agent takes it."""
        return compress(self.cargo, counter, head=_LENGTH.pack(len(self.document)) + self.document)


def consign(trees: Mapping[str, Tree], presence: Presence) -> Consignment:
    """Return what brings `trees` (by name) to a server; a tree that is like none there has no deltas."""
    likes = presence.likes
    chosen = choose(trees.values(), presence.missing, {path for like in likes.values() for path in like.tree.entries})
    places = {id(entry): place for place, tree in enumerate(trees.values()) for entry in tree.entries}
    bases = _bases(trees, likes, chosen)
    rows: list[tuple[object, ...]] = []
    for entry in chosen.entries:
        base = bases.get(entry.value)
        against = None if base is None else "" if base.path == entry.path else base.path
        value = entry.value if base is None else _mode_of(entry.value)
        rows.append((places[id(entry)], entry.path, entry.kind, value, entry.size, against))
    sent = {id(entry) for entry in chosen.entries}
    found_out = {entry.value: place for place, entry in enumerate(chosen.entries) if entry.value in bases}
    told = []
    for place, (name, tree) in enumerate(trees.items()):
        like = likes.get(name)
        known = like.tree.entries if like else {}
        gone = sorted(known.keys() - {entry.path for entry in tree.entries})
        release, was = (like.release, like.tree.digest) if like else ("", "")
        told.append({"name": name, "digest": tree.digest, "like": release, "was": was, "gone": gone})
        for entry in tree.entries:
            if id(entry) not in sent and not _is_same(entry, known.get(entry.path)):
                same = found_out.get(entry.value) if entry.kind == "file" else None
                rows.append((place, entry.path, entry.kind, entry.value if same is None else same, None, None))
    columns = list(zip(*rows, strict=True)) if rows else [()] * _COLUMNS
    document = json.dumps({"trees": told, "columns": columns}, separators=(",", ":")).encode()
    return Consignment(document, Cargo(chosen.entries, bases))


def _mode_of(key: str) -> str:
    """Return what a key says besides the hash, which takes more bytes than most deltas: the agent finds it out."""
    return key[64:]


def _bases(trees: Mapping[str, Tree], likes: Mapping[str, Likeness], chosen: Cargo) -> dict[str, Entry]:
    """Return the old contents against which new ones travel as deltas, by the keys of the new ones."""
    travelling = {id(entry) for entry in chosen.entries}
    bases = {}
    for name, like in likes.items():
        if name not in trees:
            continue
        wanted = [entry for entry in trees[name].files if id(entry) in travelling]
        paths = [entry.path for entry in trees[name].entries]
        found = choose_bases(wanted, paths, like.tree)
        bases.update({entry.value: found[entry.path] for entry in wanted if entry.path in found})
    return bases


def _is_same(entry: Entry, other: Entry | None) -> bool:
    return other is not None and (entry.kind, entry.value) == (other.kind, other.value)
