"""Releases on the server: their records, the one symlink that says which is live, and which may be removed.

A record (`release.json`) is what the client sent, plus `state`: "prepared" until it was live and healthy, then
"good"; "bad" once it failed. A bad one is never rolled back to and never pushes a good one out of the kept ones.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import suppress
from typing import Any, Optional

from . import journal, tree
from .errors import AgentError
from .layout import RELEASE_ID, Layout

Record = dict[str, Any]


def live(layout: Layout) -> str:
    """Return the id of the live release, "" when nothing is, also because somebody removed its folder."""
    try:
        name = os.path.basename(os.readlink(layout.current))
    except FileNotFoundError:
        return ""
    return name if os.path.isdir(layout.current) else ""


def dangling(layout: Layout) -> str:
    """Return the id that `current` names although its folder is gone, "" when all is well."""
    return "" if live(layout) or not os.path.islink(layout.current) else os.path.basename(os.readlink(layout.current))


def record(layout: Layout, release_id: str) -> Record:
    """Return the record of a release. Raises AgentError when there is no such release."""
    try:
        with open(os.path.join(layout.release(release_id), "release.json"), encoding="utf-8") as file:
            content: Record = json.load(file)
            return content
    except (FileNotFoundError, ValueError) as error:
        raise AgentError("config", f"There is no release {release_id} on the server.", "", "inv status") from error


def find(layout: Layout, release_id: str) -> Optional[Record]:
    """Return the record of a release, None when there is no such release."""
    try:
        return record(layout, release_id) if release_id else None
    except AgentError:
        return None


def records(layout: Layout) -> list[Record]:
    """Return the records of all releases, the newest first."""
    try:
        names = sorted(os.listdir(layout.releases), reverse=True)
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        if RELEASE_ID.fullmatch(name):
            try:
                found.append(record(layout, name))
            except AgentError:  # half made when the server lost power; prune removes it
                continue
    return found


def images(layout: Layout) -> set[str]:
    """Return the names of the images of all releases."""
    return {str(entry["image"]) for entry in records(layout) if entry.get("image")}


def image_layers(layout: Layout) -> dict[str, list[str]]:
    """Return the layers (DiffIDs, in order) of the images of all releases, by their names; none for one of long ago."""
    return {str(entry["image"]): list(entry.get("layers") or []) for entry in records(layout) if entry.get("image")}


def mark(layout: Layout, release_id: str, state: str) -> None:
    """Write the state of a release into its record."""
    _write_record(layout.release(release_id), {**record(layout, release_id), "state": state})


def mark_bad(layout: Layout, release_id: str) -> None:
    """Mark a new release that failed; one that was good before is not blamed for a failed rollback."""
    known = find(layout, release_id)  # it may have failed before it had a folder
    if known and known["state"] == "prepared":
        mark(layout, release_id, "bad")


def make_folders(layout: Layout) -> None:
    """Make the folders in which releases, slots and contents are."""
    for folder, mode in (
        (layout.releases, 0o755),
        (layout.slots, 0o755),
        (layout.assets, 0o755),
        (layout.store, 0o700),
    ):
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, mode)


def make(layout: Layout, spec: Record, site: list[tree.Entry], immutable: list[str]) -> str:
    """Make the folder of a release under its final name only when it is complete; return the folder.

    `spec` needs `id`; with `slot` the release gets the link to that slot's socket and its collected files.
    """
    folder = layout.release(spec["id"])
    if os.path.exists(folder):
        raise AgentError(
            "config", f"Release {spec['id']} exists already.", "", "Ship again; the id comes from the time."
        )
    scratch = f"{folder}.{os.getpid()}.partial"
    os.mkdir(scratch)
    os.chmod(scratch, 0o755)
    try:
        tree.lay(layout, site, os.path.join(scratch, "site"))
        if spec.get("slot"):
            os.symlink(layout.socket(spec["slot"]), os.path.join(scratch, "backend.sock"))
            if spec.get("static"):
                collected = os.path.join(layout.slot(spec["slot"]), "backend", spec["static"])
                os.symlink(collected, os.path.join(scratch, "static"))
        _write(os.path.join(scratch, "release.txt"), spec["id"] + "\n", 0o644)
        _write(os.path.join(scratch, "manifest.json"), json.dumps({"site": site, "immutable": immutable}), 0o600)
        _write_record(scratch, {**spec, "state": "prepared"})
        keep_assets(layout, os.path.join(scratch, "site"), immutable)
        os.sync()
        os.rename(scratch, folder)
        journal.sync_folder(layout.releases)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return folder


def keep_assets(layout: Layout, site: str, immutable: list[str]) -> None:
    """Link content-hashed assets to where nginx finds them while their release is kept (field note U4)."""
    made = {""}
    for path in immutable:
        target = os.path.join(layout.assets, path)
        if not os.path.exists(target):
            parent = os.path.dirname(path)
            if parent not in made:
                os.makedirs(os.path.join(layout.assets, parent), mode=0o755, exist_ok=True)
                made.add(parent)
            os.link(os.path.join(site, path), target)


def prepare_switch(layout: Layout, release_id: str) -> str:
    """Make the link that a switch to a release will rename, and return its path.

    A switch back needs no room on the disk when its link was made beforehand.
    """
    for name in os.listdir(layout.root):
        path = os.path.join(layout.root, name)
        if name.startswith(".current.") and os.readlink(path) == _target(release_id):
            return path
    # Never one fixed name: what an interrupted switch left would be published by the next one.
    scratch = os.path.join(layout.root, f".current.{secrets.token_hex(8)}")
    os.symlink(_target(release_id), scratch)
    return scratch


def switch(layout: Layout, release_id: str) -> None:
    """Make a release live: one rename, brought to the disk. An empty id takes the app off the air."""
    if release_id:
        os.replace(prepare_switch(layout, release_id), layout.current)
    else:
        with suppress(FileNotFoundError):
            os.unlink(layout.current)
    journal.sync_folder(layout.root)


def drop_prepared(layout: Layout) -> None:
    """Remove the links of switches that are not wanted any more."""
    for name in os.listdir(layout.root):
        if name.startswith(".current."):
            os.unlink(os.path.join(layout.root, name))


def _target(release_id: str) -> str:
    return os.path.join("releases", release_id)


def prune(layout: Layout, keep: int) -> list[str]:
    """Remove releases beyond the newest `keep` good ones, and failed or half-made ones; return the removed names.

    The live release always stays.
    """
    alive = live(layout)
    good = [entry["id"] for entry in records(layout) if entry.get("state") == "good"]
    kept = {alive, *good[:keep]}
    removed = []
    for name in _names(layout.releases):
        if name not in kept:
            tree.remove(os.path.join(layout.releases, name))
            removed.append(name)
    _prune_assets(layout, kept)
    return removed


def _prune_assets(layout: Layout, kept: set[str]) -> None:
    wanted: set[str] = set()
    for release_id in kept:
        try:
            with open(os.path.join(layout.releases, release_id, "manifest.json"), encoding="utf-8") as file:
                wanted.update(json.load(file)["immutable"])
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError):  # damaged: nobody knows which of them the release needs
            return
    for folder, _, names in os.walk(layout.assets, topdown=False):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.relpath(path, layout.assets) not in wanted:
                os.unlink(path)
        if folder != layout.assets and not os.listdir(folder):
            os.rmdir(folder)


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _write_record(folder: str, content: Record) -> None:
    _write(os.path.join(folder, "release.json"), json.dumps(content, indent=1), 0o600)


def _write(path: str, text: str, mode: int) -> None:
    scratch = f"{path}.new"
    with open(scratch, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(scratch, mode)
    os.replace(scratch, path)
