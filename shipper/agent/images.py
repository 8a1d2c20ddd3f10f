"""The images of an app on the server: fetched by digest, named after their content, removed when unused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from . import engine
from .channel import Channel
from .errors import AgentError
from .layout import Layout

_REFERENCE = re.compile(r"[a-z0-9.:/_\[\]-]+@sha256:[0-9a-f]{64}")
# The engine reports more often than anybody can read.
_TELL_SECONDS = 0.2
_NAME = re.compile(r"[a-z0-9-]+:[a-zA-Z0-9._-]+")


def facts() -> dict[str, Any]:
    """Return the engine's version and platform, and of every image its names and its layers (DiffIDs, in order)."""
    version = engine.ask("GET", "/version")
    images = [engine.ask("GET", f"/images/{entry['Id']}/json") for entry in engine.ask("GET", "/images/json")]
    known = [{"names": image["RepoTags"] or [], "layers": image["RootFS"].get("Layers") or []} for image in images]
    return {
        "version": version["Version"],
        "root": engine.ask("GET", "/info")["DockerRootDir"],
        "images": known,
    }


def fetch(layout: Layout, reference: str, name: str, login: Mapping[str, str], channel: Channel) -> None:
    """Let the engine fetch what it lacks of the image `reference` (a name with a digest), and name it `name`.

    The login is used for this once and kept nowhere. Raises AgentError.
    """
    if not _REFERENCE.fullmatch(reference) or not _NAME.fullmatch(name) or name.partition(":")[0] != layout.app:
        raise AgentError("config", f"{reference!r} cannot be fetched as {name!r}.")
    repository, _, digest = reference.partition("@")
    told = 0.0
    done: dict[str, int] = {}
    for message in engine.stream("/images/create", {"fromImage": repository, "tag": digest}, login):
        if message.get("status") == "Downloading":
            done[message["id"]] = (message.get("progressDetail") or {}).get("current", 0)
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                channel.event({"kind": "progress", "done": sum(done.values())})
    own, _, tag = name.partition(":")
    engine.ask("POST", f"/images/{reference}/tag", {"repo": own, "tag": tag})
    # The name of the place it came from means nothing here any more.
    engine.ask("DELETE", f"/images/{reference}", {"noprune": "true"})


def prune(layout: Layout, used: Iterable[str]) -> list[str]:
    """Remove the app's images that are not among the `used` names; return the names that went."""
    kept = set(used)
    removed = []
    for entry in engine.ask("GET", "/images/json"):
        for name in entry["RepoTags"] or []:
            if name.partition(":")[0] == layout.app and name not in kept:
                engine.ask("DELETE", f"/images/{name}")
                removed.append(name)
    return removed
