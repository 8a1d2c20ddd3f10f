"""An image's compressed parts as contents of the store: cut in pieces, so that an upload goes on where it broke off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from shipper.deliver.image import Blob
from shipper.deliver.manifest import Entry, Tree

# A second of a line with 32 Mbit/s.
PIECE_BYTES = 4 << 20


def tree_of(blobs: Iterable[Blob]) -> Tree:
    """Return the pieces of blobs as the files of a tree: `<digest>/<number>`, in their order."""
    return Tree(tuple(entry for blob in blobs for entry in _pieces(blob)))


def wire_of(tree: Tree) -> dict[str, list[str]]:
    """Return the keys of the pieces by the digest of their blob, as the agent takes it."""
    keys: dict[str, list[str]] = {}
    for entry in tree.entries:
        keys.setdefault(entry.path.partition("/")[0], []).append(entry.value)
    return keys


def _pieces(blob: Blob) -> Iterator[Entry]:
    with blob.file.open("rb") as file:
        offset = 0
        while piece := file.read(PIECE_BYTES):
            path = f"{blob.digest}/{offset // PIECE_BYTES:06d}"
            key = hashlib.sha256(piece).hexdigest()
            yield Entry(path, "file", key, len(piece), blob.file, offset)
            offset += len(piece)
