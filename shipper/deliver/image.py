"""Handing an image over to a registry: every error of the engine's stream is one, and an early end is a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipper.deliver.registry import Registry
from shipper.errors import BuildError


@dataclass(frozen=True)
class Pushed:
    """An image in a registry: the digest of its manifest, and its blobs with their compressed sizes in bytes.

    The first blob is the configuration, the others are the layers from the bottom.
    """

    digest: str
    blobs: tuple[tuple[str, int], ...]

    @property
    def short(self) -> str:
        """Twelve characters that name the content."""
        return self.digest.removeprefix("sha256:")[:12]

    def lacking(self, layers: tuple[str, ...], known: list[list[str]]) -> tuple[tuple[str, int], ...]:
        """Return the blobs of the layers that an engine lacks whose images have the layers `known` (DiffIDs each).

        A layer is only there together with all below it: images share what they have in common from the bottom.
        """
        common = max((_common(layers, other) for other in known), default=0)
        return self.blobs[1 + common :]


def _common(one: tuple[str, ...], other: list[str]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def push_here(client: Any, image: str, app: str, registry: Registry) -> Pushed:
    """Let the engine hand the image with the id `image` over to our own registry. Raises BuildError."""
    repository = f"{registry.address}/{app}"
    client.api.tag(image, repository, "shipped")
    try:
        login = {"username": registry.user, "password": registry.password}
        digest = push(client, repository, "shipped", login)
    finally:
        client.api.remove_image(f"{repository}:shipped", noprune=True)
    return Pushed(digest, tuple(registry.layers_of(digest).items()))


def push(client: Any, repository: str, tag: str, login: Mapping[str, str]) -> str:
    """Push and return the digest that the registry gave the image. Raises BuildError."""
    digest = ""
    for message in client.api.push(repository, tag, stream=True, decode=True, auth_config=dict(login)):
        if "error" in message:
            raise BuildError("The image could not be handed over.", why=str(message["error"]))
        digest = (message.get("aux") or {}).get("Digest") or digest
    if not digest:
        raise BuildError("The engine stopped before the image was handed over.", fix="Ship again.")
    return digest
