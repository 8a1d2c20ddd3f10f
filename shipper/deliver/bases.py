"""Which old file a new one is most like: that of the same path, or one that was called the same up to its hash."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from shipper.deliver.known import KnownTree
from shipper.deliver.manifest import Entry

# A part of a name that a bundler makes from the content: index-DOdGIUz4.js, 0vcgnhoq6sxmc.js, app.1f3ac9d0.css; and
# Next's folder of the build id.
_HASH = re.compile(r"[-._~]?[A-Za-z0-9_-]{8,}(?=\.)|(?<=/)[A-Za-z0-9_-]{21}(?=/)")
_MOST_CANDIDATES = 8
_PROBES = 16
_PROBE_BYTES = 24
# Of what is read of the new file to compare it with the candidates.
_READ_BYTES = 1 << 18
# A delta against a file with which a new one has less in common would be no smaller than the file.
_FEWEST_HITS = 2


def choose_bases(wanted: Iterable[Entry], paths: Iterable[str], old: KnownTree) -> dict[str, Entry]:
    """Return the base of each wanted file that has one, by its path; `paths` are all of the new tree.

    Only what is still here, with the length it had, is a base.
    """
    present = set(paths)
    gone: dict[str, list[Entry]] = {}
    for entry in old.entries.values():
        if entry.kind == "file" and entry.path not in present:
            gone.setdefault(_shape(entry.path), []).append(entry)
    bases = {}
    for entry in wanted:
        base = old.entries.get(entry.path)
        if base is None:
            base = _most_like(entry, gone)
        if base is not None and _is_here(base):
            bases[entry.path] = base
    return bases


def _shape(path: str) -> str:
    return _HASH.sub("*", path)


def _is_here(entry: Entry) -> bool:
    if entry.kind != "file" or not entry.size or entry.source is None:
        return False
    try:
        return entry.source.stat().st_size == entry.size
    except OSError:
        return False


def _most_like(entry: Entry, gone: Mapping[str, list[Entry]]) -> Entry | None:
    """Return the file that is gone with which a new one has most in common, of those of its shape."""
    near = sorted(gone.get(_shape(entry.path), []), key=lambda one: abs(one.size - entry.size))[:_MOST_CANDIDATES]
    candidates = [one for one in near if _is_here(one)]
    if not candidates or entry.source is None or entry.size < _PROBES * _PROBE_BYTES:
        return candidates[0] if candidates else None
    with entry.source.open("rb") as file:
        content = file.read(_READ_BYTES)
    step = len(content) // _PROBES
    probes = [content[place : place + _PROBE_BYTES] for place in range(0, step * _PROBES, step)]
    best = max(candidates, key=lambda one: _hits(one, probes))
    return best if _hits(best, probes) >= _FEWEST_HITS else None


def _hits(entry: Entry, probes: Iterable[bytes]) -> int:
    assert entry.source is not None
    with entry.source.open("rb") as file:
        content = file.read(2 * _READ_BYTES)
    return sum(probe in content for probe in probes)
