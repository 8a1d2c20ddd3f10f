"""The images of an app on the server: fetched by digest, named after their content, removed when unused."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import engine, limit, store
from .channel import Channel
from .errors import AgentError
from .layout import Layout

if TYPE_CHECKING:  # a server of HTTP, which every start would wait for and few ships need
    from . import registry

_REFERENCE = re.compile(r"[a-z0-9.:/_\[\]-]+@sha256:[0-9a-f]{64}")
# An engine that waits for the next piece over a slow line has nothing to tell.
_SILENCE_SECONDS = 900.0
# The engine reports more often than anybody can read.
_TELL_SECONDS = 0.2
# How releases' images are tagged; another image may have the app's name (an app `redis` with a database `redis:7`).
_OURS = re.compile(r"[0-9a-f]{12}")
_NAME = re.compile(r"[a-z0-9-]+:[a-zA-Z0-9._-]+")


def facts(named: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the engine's version, and of every image its names and its layers (DiffIDs, in order).

    The images are in an order of their own: the engine's is another one every time when some were made in one second.
    Those that are `named`, with their layers, are asked for, too: containerd's image store does not list an image of
    which it had a layer by another digest, and therefore did not fetch it, although everything of it is there; or it
    lists it and knows no layers (seen with Docker 26.1 and 28.5).
    """
    version = engine.ask("GET", "/version")
    # One that is listed may be gone by the time it is asked for: other apps of the server remove theirs.
    images = _described(entry["Id"] for entry in engine.ask("GET", "/images/json"))
    listed = {name for image in images for name in image["RepoTags"] or []}
    images += _described(sorted(set(named) - listed))
    known = [{"names": sorted(image["RepoTags"] or []), "layers": _layers(image, named)} for image in images]
    known.sort(key=lambda image: (image["names"], image["layers"]))
    return {"version": version["Version"], "images": known}


def _described(names: Iterable[str]) -> list[dict[str, Any]]:
    return [image for name in names if (image := engine.find(f"/images/{name}/json")) is not None]


def _layers(image: Mapping[str, Any], named: Mapping[str, Sequence[str]]) -> list[str]:
    told = (image.get("RootFS") or {}).get("Layers") or []
    remembered = (named[name] for name in image["RepoTags"] or [] if name in named)
    return list(told or next(remembered, []))


def fetch(layout: Layout, request: Mapping[str, Any], channel: Channel) -> list[str]:
    """Let the engine fetch what it lacks of an image, and name it `request["name"]`.

    It comes from a registry (`reference`, a name with a digest, `login`, which is used for this once and kept nowhere,
    and `limit`, how many seconds it may take: it would go on when the client has left), or through this connection:
    `digest`, `manifest` and `blobs` (the keys of each blob's pieces) tell what it is, and of the pieces those of
    `objects` (`[key, size in bytes]`) are not in the store yet, but follow the request.
    Returns the digests of the blobs that are not among these although the engine wants them: it does not know by what
    digest a layer goes that it has from elsewhere. Raises AgentError.
    """
    name = str(request["name"])
    if not _NAME.fullmatch(name) or name.partition(":")[0] != layout.app:
        raise AgentError("config", f"{name!r} cannot be the name of an image of {layout.app}.")
    if "reference" in request:
        reference = str(request["reference"])
        with limit.within(float(request["limit"]), "image"):
            _follow(_pull(reference, request["login"]), channel.event)
        _rename(reference, name)
        return []
    from . import registry

    blobs: Mapping[str, Sequence[str]] = request["blobs"]
    offer = registry.Offer(layout, request["digest"], request["manifest"].encode(), blobs, dict(request["objects"]))
    with registry.offered(offer):
        _take_and_pull(offer, layout, request["objects"], channel)
        if not offer.lacking:
            _rename(offer.reference(layout.app), name)
    if not offer.lacking:
        store.remove(layout, [key for keys in blobs.values() for key in keys])
    return offer.lacking


def _take_and_pull(
    offer: registry.Offer, layout: Layout, objects: Sequence[Sequence[object]], channel: Channel
) -> None:
    """Let the engine fetch and unpack the lower layers while the upper ones still arrive.

    All that is sent is taken, also when the engine wants something else besides (`offer.lacking`): then it has failed
    in the end, and that is no error here. Raises AgentError.
    """

    from concurrent.futures import ThreadPoolExecutor

    def tell(event: Mapping[str, Any]) -> None:
        if offer.is_complete:  # until then it is the arrival that people wait for
            channel.event(dict(event))

    def until_it_fails(frames: Iterable[bytes]) -> Iterator[bytes]:
        for frame in frames:
            if pulled.done() and not offer.lacking:
                pulled.result()
            yield frame

    pull = _pull(offer.reference(layout.app), offer.login)
    with ThreadPoolExecutor(1, thread_name_prefix="pull") as pool:
        pulled = pool.submit(_follow, pull, tell)
        try:
            store.receive(layout, objects, until_it_fails(channel.frames()), channel, offer.arrive)
        except BaseException:
            offer.end()
            pull.stop()
            raise
        try:
            pulled.result()
        except AgentError:
            if not offer.lacking:
                raise


def _pull(reference: str, login: Mapping[str, str]) -> engine.Stream:
    if not _REFERENCE.fullmatch(reference):
        raise AgentError("config", f"{reference!r} is not a name with a digest.")
    repository, _, digest = reference.partition("@")
    return engine.Stream("/images/create", {"fromImage": repository, "tag": digest}, login, _SILENCE_SECONDS)


def _follow(pull: engine.Stream, tell: Callable[[dict[str, Any]], None]) -> None:
    told = 0.0
    done: dict[str, int] = {}
    for message in pull:
        if message.get("status") in ("Downloading", "Extracting"):
            done[message["id"]] = (message.get("progressDetail") or {}).get("current", 0)
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                tell({"kind": "progress", "done": sum(done.values()), "status": message["status"]})


def _rename(reference: str, name: str) -> None:
    own, _, tag = name.partition(":")
    engine.ask("POST", f"/images/{reference}/tag", {"repo": own, "tag": tag})
    # The name of the place it came from means nothing here any more.
    engine.ask("DELETE", f"/images/{reference}", {"noprune": "true"})


def prune(layout: Layout, named: Iterable[str], used: Iterable[str]) -> list[str]:
    """Remove the app's images that are not among the `used` names; return the names that went.

    `named` are those that releases had before: not every image is listed (see `facts`).
    """
    listed = {name for entry in engine.ask("GET", "/images/json") for name in entry["RepoTags"] or []}
    removed = []
    for name in sorted((listed | set(named)) - set(used)):
        own, _, tag = name.partition(":")
        if own == layout.app and _OURS.fullmatch(tag):
            try:
                engine.ask("DELETE", f"/images/{name}")
            except AgentError:  # a container uses it still
                continue
            removed.append(name)
    return removed
