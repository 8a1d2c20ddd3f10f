"""The releases that a target was seen to have, kept on this machine: a shell that completes must not ask a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from shipper.remembered import ignore_in_git, remembered

_FILE = "known-releases.json"


def remember_releases(cache: Path, target: str, live: str, releases: Iterable[Mapping[str, Any]]) -> None:
    """Keep what is live on the target, and which good releases it has; `cache` is the project's folder for caches.

    Where nothing can be written, Tab knows less; neither a look at a server nor the way back ends for that.
    """
    good = sorted({str(record["id"]) for record in releases if record.get("state") == "good"}, reverse=True)
    with suppress(OSError), remembered(cache / _FILE) as table:
        ignore_in_git(cache)
        table[target] = {"live": live, "good": good}


def known_releases(cache: Path, target: str, with_live: bool = False) -> list[str]:
    """Return the releases to go back to, the newest first; those of all targets when nothing is known of this one.

    `with_live` adds what is live.
    """
    with remembered(cache / _FILE) as table:
        entries = [table[target]] if target in table else list(table.values())
    try:
        return [name for entry in entries for name in entry["good"] if with_live or name != entry["live"]]
    except (KeyError, TypeError):  # somebody else's file of this name
        return []
