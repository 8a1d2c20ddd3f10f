"""What releases are made of, read back from their records and manifests: for `inv releases` and `inv diff`.

Nothing of a release is read but names, sizes and hashes; the environment is compared by key, and no value leaves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from . import environment, release, tree
from .layout import Layout

TREES = ("site", "backend", "dependencies")
# Texts of a record that are installed on the server, by the word that people use for them.
_UNITS = ("unit", "socket", "proxy", "boot")


@dataclass(frozen=True)
class Contents:
    """One release: its record, its manifests by the names of `TREES`, and its variables (secrets, kept in here).

    `folders` is where each tree lies. Where the release is not laid out yet, `sizes`, by key, and `texts`, by path in
    the backend, stand in for that.
    """

    record: Mapping[str, Any]
    trees: Mapping[str, list[tree.Entry]]
    variables: Mapping[str, str]
    folders: Mapping[str, str]
    sizes: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """Return the text of a file of the backend, "" when it is gone."""
        if path in self.texts or not self.folders:
            return self.texts.get(path, "")
        try:
            with open(os.path.join(self.folders["backend"], path), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def size(self, name: str, entry: tree.Entry) -> int:
        """Return the size in bytes of one file of a tree; 0 for a link, a folder, and a file that is gone."""
        path, kind, value = entry
        if kind != "file":
            return 0
        if not self.folders:
            return self.sizes.get(value, 0)
        try:
            return os.lstat(os.path.join(self.folders[name], path)).st_size
        except OSError:
            return 0


def of_release(layout: Layout, record: Mapping[str, Any]) -> Contents:
    """Return what a release on the server is made of; what somebody removed by hand is missing from it."""
    slot = str(record.get("slot") or "")
    folder, place = layout.release(record["id"]), layout.slot(slot) if slot else ""
    site = _manifest(folder).get("site", [])
    made = _manifest(place) if slot else {}
    return Contents(
        record,
        {"site": site, "backend": made.get("code", []), "dependencies": made.get("dependencies", [])},
        environment.read(os.path.join(place, "env")) if slot else {},
        {
            "site": os.path.join(folder, "site"),
            "backend": os.path.join(place, "backend"),
            "dependencies": os.path.join(place, "deps"),
        },
    )


def of_request(layout: Layout, wanted: Mapping[str, Any]) -> Contents:
    """Return what a client would ship: its record, trees and sizes, with the environment that the next ship gets."""
    variables = environment.read(layout.env) if wanted["record"].get("slot") else {}
    return Contents(wanted["record"], wanted["trees"], variables, {}, wanted["sizes"], wanted["texts"])


def _manifest(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            content: dict[str, Any] = json.load(file)
            return content
    except (OSError, ValueError):
        return {}


def config_of(contents: Contents) -> dict[str, str]:
    """Return the configuration of a release as texts: nginx's two files, the units, and what Compose runs."""
    record = contents.record
    texts = {f"nginx/{name}": str(text) for name, text in (record.get("nginx") or {}).items()}
    texts.update({f"systemd/{name}": str(record.get(name) or "") for name in _UNITS})
    texts["compose/lasting"] = str((record.get("services") or {}).get("text") or "")
    return {name: text for name, text in texts.items() if text}


def kinds_of_change(old: Optional[Contents], new: Contents) -> list[str]:
    """Return in what a release differs from an older one: site, backend, dependencies, image, env, nginx, ...

    Without an older one it is all that the release has.
    """
    trees = [name for name in TREES if (old.trees[name] if old else []) != new.trees[name]]
    image = ["image"] if new.record.get("image") and _of(old, "image") != new.record["image"] else []
    env = ["env"] if (old.variables if old else {}) != new.variables else []
    before, after = config_of(old) if old else {}, config_of(new)
    config = {name.split("/")[0] for name in {*before, *after} if before.get(name) != after.get(name)}
    return [*trees, *image, *env, *sorted(config)]


def _of(contents: Optional[Contents], key: str) -> object:
    return contents.record.get(key) if contents else None


def releases(layout: Layout) -> list[dict[str, Any]]:
    """Return the releases, the newest first: where each came from, its state, what changed, its size.

    `bytes` is all of it and `own_bytes` what no older release has: contents are hard links, equal ones exist once.
    `changed` compares with the newest older release that was good.
    """
    live = release.live(layout)
    seen: dict[str, int] = {}
    good: Optional[Contents] = None
    listed = []
    # From the oldest on, two manifests in memory at a time: there may be a hundred releases of many files.
    for record in reversed(release.records(layout)):
        one = of_release(layout, record)
        total, own = _weigh(one, seen)
        listed.append(
            {
                **summary(record),
                "live": record["id"] == live,
                "changed": kinds_of_change(good, one),
                "against": good.record["id"] if good else "",
                "bytes": total,
                "own_bytes": own,
            }
        )
        good = one if record.get("state") == "good" else good
    return listed[::-1]


def summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a record says of its origin; older records lack some of it."""
    words = {name: str(record.get(name) or "") for name in ("created", "who", "author", "commit", "subject", "state")}
    return {"id": record["id"], **words, "dirty": bool(record.get("dirty")), "slot": str(record.get("slot") or "")}


def _weigh(contents: Contents, seen: dict[str, int]) -> tuple[int, int]:
    """Return the bytes of a release, and of them those whose content is not among `seen`; remembers all of them."""
    total = own = 0
    for name, entry in _files(contents):
        key = entry[2]
        if key not in seen:
            seen[key] = contents.size(name, entry)
            own += seen[key]
        total += seen[key]
    return total, own


def _files(contents: Contents) -> Iterable[tuple[str, tree.Entry]]:
    return ((name, entry) for name in TREES for entry in contents.trees[name] if entry[1] == "file")
