"""A delivery: the trees of a release and the contents that the server lacks for them, in one request.

The client works from what it remembers of the server, so that it need not ask first. Where it remembered wrong, nothing
is lost: it hears so before anything is changed, or which contents it has to send after all.

The stream is a JSON document, with four bytes of length (big endian) before it, and the contents end to end, all in one
zlib stream. The document: `trees`, each with its `name` ("site", "code", "dependencies"), the `digest` of its manifest,
`like`, the id of a release to whose tree of that name it is told as a difference ("" for none), `was`, the digest of
that tree, and `gone`, the paths that it has no more; and `columns`, the entries that are new or other than there: their
trees, as places in `trees`, their paths, kinds, values, sizes and bases, column by column, which compresses better than
row by row. The size is null for a content that is not sent. The base is the path, in the tree that it is like, of what
a delta is against ("" for the same path), and null for a content that is sent whole. Contents come in the order of the
entries.

The value of what comes as a delta is only "" or "x", what its key says besides the hash; and that of another path with
the same content is the place of the first among the contents, a number. Their hashes are found out, and it is the
digest of the whole that tells whether they are right.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

from . import delta, environment, release, room, steps, store, tree
from .channel import Channel
from .errors import AgentError
from .layout import Layout

Entry = Sequence[str]
_LENGTH = struct.Struct(">I")
# The document of 100,000 files is about a fifth of it.
_LARGEST_DOCUMENT = 1 << 26


@dataclass(frozen=True)
class Delivery:
    """What the document says: the trees, entire, by their digests, and the contents that follow, as the store takes
    them: `[key, size]` or `[key, size, base]`.

    The trees are by path: kind, and value, which is a number for a file whose key will be that of the content there.
    """

    trees: dict[str, dict[str, tuple[str, Union[str, int]]]]
    objects: list[list[object]]

    @property
    def keys(self) -> list[str]:
        """Every key of the trees once, as far as they are known."""
        entries = (entry for tree in self.trees.values() for entry in tree.values())
        return list(dict.fromkeys(value for kind, value in entries if kind == "file" and isinstance(value, str)))

    @property
    def nameless(self) -> list[int]:
        """The places of the contents whose keys will be found out."""
        return [place for place, entry in enumerate(self.objects) if len(str(entry[0])) < store.HASH_DIGITS]

    @property
    def sizes(self) -> dict[str, int]:
        """The contents that follow, with their sizes in bytes, by their keys, or by their places for want of one."""
        nameless = set(self.nameless)
        return {
            str(place if place in nameless else entry[0]): int(str(entry[1]))
            for place, entry in enumerate(self.objects)
        }

    @property
    def bases(self) -> list[str]:
        """The keys of the contents that deltas are against."""
        return [str(entry[2]) for entry in self.objects if len(entry) > 2]

    def complete(self, found: Mapping[int, str]) -> Optional[dict[str, list[Entry]]]:
        """Return the trees by their digests, with the keys that were found; None when one is not what it should be."""
        trees: dict[str, list[Entry]] = {}
        for digest, entries in self.trees.items():
            known = ((path, kind, found.get(v, "") if isinstance(v, int) else v) for path, (kind, v) in entries.items())
            rows: list[Entry] = [list(row) for row in sorted(known)]
            if _digest_of(rows) != digest:
                return None
            trees[digest] = rows
        return trees


def deliver(
    layout: Layout, request: dict[str, Any], frames: Iterable[bytes], channel: Channel
) -> list[Union[str, int]]:
    """Take a delivery; return those contents that the server lacks nevertheless: their keys, or, for those whose delta
    was against what is damaged here, their places.

    `request` is what `make_room` wants. Raises AgentError, of kind "stale" for a tree that is told as a difference to
    one that is not here: nothing is changed then.
    """
    reader = delta.Reader(store.inflate(frames))
    delivery = _read(layout, reader)
    trees = None if delivery.nameless else delivery.complete({})
    if trees is None and not delivery.nameless:
        raise stale("The list of files is not what it was made to be.")
    missing = make_room(layout, request, delivery.keys, delivery.sizes, delivery.bases)
    store.begin(layout)
    found: dict[int, str] = {}
    lacking: list[Union[str, int]] = [*store.receive_from(layout, delivery.objects, reader, channel, found=found)]
    if trees is None:
        trees = delivery.complete(found)
    if trees is not None:
        tree.delivered.update(trees)
    else:
        lacking += _spoilt(layout, delivery, found)
        if not lacking:
            raise stale("What was made of the changes is not what it was made to be.")
    known = {*delivery.sizes, *found.values(), *(key for key, _ in request["pieces"])}
    return [*lacking, *(key for key in missing if key not in known)]


def _spoilt(layout: Layout, delivery: Delivery, found: Mapping[int, str]) -> list[int]:
    """Return the places of the contents that are not right because what their deltas are against is damaged here."""
    places = delivery.nameless
    against = {place: str(delivery.objects[place][2]) for place in places}
    damaged = set(store.damaged(layout, against.values()))
    return [place for place in places if place not in found or against[place] in damaged]


def make_room(
    layout: Layout, request: dict[str, Any], keys: Iterable[str], sizes: dict[str, int], bases: Iterable[str] = ()
) -> list[str]:
    """Remove what is old, and check that what will be sent fits on the disk, before its first byte is written.

    `keys` are all contents that the release is made of, `sizes` those that are announced, in bytes, also under names
    that are no keys for those whose keys are not known yet. `request` has
    `keep`, `room`, `image` and `image_room`, `slot` (one that is there already stays), and `pieces`, the parts of an
    image that come later. Of an image that is still `compressed` there, not all of them are known: what a ship that
    was broken off has left may be of it, and stays while there is room. Returns the keys whose content is not there,
    damaged ones included.
    """
    sizes = {**sizes, **dict(request.get("pieces", ()))}
    wanted = [*keys, *(key for key, _ in request.get("pieces", ()))]
    environment.ensure_shared(layout)
    release.make_folders(layout)
    named = {*wanted, *bases}
    spared = store.unclaimed(layout) if request["compressed"] else []
    # The release to come is one of the kept ones.
    steps.prune(layout, request["keep"] - 1, {*named, *spared}, request["image"], request["slot"])
    store.remove_damaged(layout, {*wanted, *spared})
    missing = store.missing(layout, wanted)
    more = request["room"]
    coming = [*missing, *(key for key in sizes if not store.KEY.fullmatch(key))]
    size = sum(sizes.get(key, 0) for key in coming) + more["bytes"]
    try:
        room.check(layout, size, len(coming) + more["inodes"], request["image_room"])
    except AgentError:
        if not spared or not store.prune(layout, named):
            raise
        room.check(layout, size, len(coming) + more["inodes"], request["image_room"])
    return missing


def _read(layout: Layout, reader: delta.Reader) -> Delivery:
    """Read the document. Everything in it is checked: by its form here, as a tree when it is laid out."""
    size = _LENGTH.unpack(reader.exactly(_LENGTH.size))[0]
    if size > _LARGEST_DOCUMENT:
        raise delta.damaged(f"a document of {size:,} bytes")
    try:
        document = json.loads(reader.exactly(size))
        told = document["trees"]
        old = [_old_tree(layout, one["like"], one["name"], one["was"]) for one in told]
        new: list[dict[str, tuple[str, Union[str, int]]]] = [{**entries} for entries in old]
        for number, one in enumerate(told):
            for path in one["gone"]:
                del new[number][path]
        objects: list[list[object]] = []
        columns = document["columns"]
        for row in range(len(columns[0])):
            number, path, kind, value, length, base = (column[row] for column in columns)
            if length is None:
                new[number][path] = (str(kind), value if isinstance(value, int) else str(value))
            elif base is None:
                new[number][path] = (str(kind), str(value))
                objects.append([store.check_key(value), int(length)])
            else:
                new[number][path] = (str(kind), len(objects))
                objects.append([store.check_mode(value), int(length), old[number][base or path][1]])
        digests = [str(one["digest"]) for one in told]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise delta.damaged(f"its list of files makes no sense ({type(error).__name__})") from error
    return Delivery({digest: new[number] for number, digest in enumerate(digests)}, objects)


def _old_tree(layout: Layout, release_id: str, name: str, digest: str) -> dict[str, tuple[str, str]]:
    """Return the tree of a release by its paths, nothing for no release. Raises AgentError for another digest."""
    if not release_id:
        return {}
    record = release.find(layout, release_id) or {}
    folder = layout.release(release_id)
    if name != "site":
        folder = layout.slot(str(record.get("slot")))
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            entries = json.load(file)[name]
        if _digest_of(entries) != digest:
            raise stale(f"The list of files of {release_id} is not what it was.")
        return {path: (kind, value) for path, kind, value in entries}
    except (OSError, ValueError, KeyError, TypeError):
        raise stale(f"The list of files of {release_id} is not there.") from None


def _digest_of(entries: Iterable[Entry]) -> str:
    """Return the digest of a tree as the client makes it (shipper.deliver.manifest)."""
    lines = "\n".join("\0".join(entry) for entry in entries)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def stale(what: str) -> AgentError:
    """Return the error for a client that took the server for something else than it is."""
    return AgentError("stale", what, "", "Ship again.")
