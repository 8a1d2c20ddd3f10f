"""Handing an image over to a registry, and what of it a server lacks.

Every error of the engine's stream is one here, and an early end is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipper.deliver.registry import Registry
from shipper.errors import BuildError
from shipper.events import Emit, Event
from shipper.limit import Limit

STEP = "image.push"
# How an engine tells of a layer that the registry has now; an empty one and a known one are not sent.
_ARRIVED = re.compile(r"(?:Pushed|Layer already exists|Mounted from .*)$")


@dataclass(frozen=True)
class Blob:
    """One compressed part of an image: its digest, its size in bytes, and the file that holds it."""

    digest: str
    size: int
    file: Path


@dataclass(frozen=True)
class Pushed:
    """An image in our own registry: its manifest with its digest, its configuration, its layers from the bottom.

    `layers` are as many as the DiffIDs of the image; equal ones are in it as often as they are in the image.
    """

    digest: str
    manifest: str
    configuration: Blob
    layers: tuple[Blob, ...]

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All parts, each once, the configuration first."""
        return tuple(dict.fromkeys((self.configuration, *self.layers)))

    @property
    def size(self) -> int:
        """The bytes of all parts, compressed."""
        return sum(blob.size for blob in self.blobs)

    def lacking(self, common: int) -> tuple[Blob, ...]:
        """Return what has to travel to a server that has the lowest `common` layers."""
        return tuple(dict.fromkeys((self.configuration, *self.layers[common:])))


def common_layers(layers: Sequence[str], known: Sequence[Sequence[str]]) -> int:
    """Return how many of an image's layers (DiffIDs, from the bottom) an engine has whose images have those `known`.

    A layer is only there together with all below it: images share what they have in common from the bottom.
    """
    return max((_common(layers, other) for other in known), default=0)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def push_here(client: Any, image: str, app: str, registry: Registry) -> Pushed | None:
    """Let the engine hand the image with the id `image` over to our own registry. Raises BuildError.

    Returns None when it went somewhere else: another machine's engine has another loopback interface.
    """
    repository = f"{registry.address}/{app}"
    client.api.tag(image, repository, "shipped")
    try:
        login = {"username": registry.user, "password": registry.password}
        digest = push(client, repository, "shipped", login, _ignore)
    finally:
        client.api.remove_image(f"{repository}:shipped", noprune=True)
    return read_pushed(registry, digest) if registry.was_reached else None


def read_pushed(registry: Registry, digest: str) -> Pushed:
    """Return the image of our own registry whose manifest has this digest."""
    configuration, *layers = (Blob(blob, size, registry.file_of(blob)) for blob, size in registry.layers_of(digest))
    return Pushed(digest, registry.file_of(digest).read_text(encoding="utf-8"), configuration, tuple(layers))


def push(
    client: Any, repository: str, tag: str, login: Mapping[str, str], emit: Emit, limit: Limit | None = None
) -> str:
    """Push `repository:tag`; return the digest that the registry gave it. Raises BuildError, HostError at the limit.

    Tells how many bytes of all layers have gone, and of each layer when it is there, and how it got there.
    """
    digest = ""
    done: dict[str, int] = {}
    total: dict[str, int] = {}
    told = client.api.push(repository, tag, stream=True, decode=True, auth_config=dict(login))
    for message in limit.each(told) if limit else told:
        if "error" in message:
            raise BuildError("The image could not be handed over to the registry.", why=str(message["error"]))
        digest = (message.get("aux") or {}).get("Digest") or digest
        detail = message.get("progressDetail") or {}
        if message.get("status") == "Pushing" and detail.get("current"):
            done[message["id"]] = detail["current"]
            total[message["id"]] = max(detail.get("total") or 0, detail["current"])
            emit(Event("progress", STEP, "", sum(done.values()), sum(total.values()), "bytes"))
        if _ARRIVED.match(str(message.get("status"))):
            emit(Event("output", STEP, f"layer {message['id']}: {_arrived(message, done)}"))
    if not digest:
        raise BuildError("The engine stopped before the image was handed over.", fix="Ship again.")
    return digest


def _arrived(message: Mapping[str, Any], sent: Mapping[str, int]) -> str:
    """Return how a layer got into the registry; `sent` are the bytes of those that were sent, before compression."""
    if message["status"] != "Pushed":
        return str(message["status"])
    size = sent.get(message["id"])
    return f"Pushed, {size:,} bytes unpacked" if size else "Pushed"


def _ignore(event: Event) -> None:
    """Our own registry is on this machine: nobody waits for it."""
