"""Whether a release fits on the disk, asked before its first byte is sent (field note H1)."""

from __future__ import annotations

import os

from . import engine
from .errors import AgentError
from .layout import Layout


def check(layout: Layout, size: int, inodes: int, image: int = 0) -> None:
    """Raise AgentError unless `size` bytes and `inodes` files more fit on the file system of the app's folder, and
    `image` bytes more where the Docker engine keeps its layers, which may be the same one.
    """
    folder = engine.storage() if image else layout.root
    if os.stat(folder).st_dev == os.stat(layout.root).st_dev:
        _check(layout.root, size + image, inodes)
        return
    _check(layout.root, size, inodes)
    _check(folder, image, 0)


def _check(folder: str, size: int, inodes: int) -> None:
    usage = os.statvfs(folder)
    free = usage.f_bavail * usage.f_frsize
    if free < size:
        raise _no_room(folder, f"{_megabytes(size)} are needed, {_megabytes(free)} are free")
    # Some file systems, such as btrfs, count no inodes and say that they have none at all.
    if usage.f_files and usage.f_favail < inodes:
        raise _no_room(folder, f"{inodes:,} inodes are needed, {usage.f_favail:,} are free")


def _no_room(folder: str, why: str) -> AgentError:
    return AgentError(
        "release",
        "The release does not fit on the disk of the server; nothing was sent.",
        f"{why} (file system of {folder}; old releases are removed already).",
        "Make room (`inv host.check` shows the disk), or lower `keep` in the target, then ship again.",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
