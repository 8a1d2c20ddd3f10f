"""How a server gets an image: in pieces through the SSH connection, or from a registry that others run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from shipper.build.image import ImageBuild
from shipper.config.project import Workspace
from shipper.deliver import pieces
from shipper.deliver.image import Blob, common_layers
from shipper.deliver.manifest import Tree
from shipper.deliver.registry import Registry, open_registry
from shipper.deliver.repository import Repository, find_repository
from shipper.deliver.upload import Cargo, Counter, compress, keys_of
from shipper.engine import connect
from shipper.errors import ReleaseError
from shipper.events import Emit, Event, count_layers
from shipper.host.session import AgentSession
from shipper.limit import Limit
from shipper.pipeline.handover import Handover
from shipper.pipeline.job import Job
from shipper.pipeline.layers import refuse_in_built

# An engine that has handed over the same layers before needs less.
_PATIENCE_SECONDS = 1.0
STEP = "image"
# How images are named on servers: app and content.
_OURS = re.compile(r"[a-z0-9-]+:[0-9a-f]{12}")


@dataclass(frozen=True)
class Parcel:
    """What of an image goes to one server, and how much room it takes there.

    `there` is whether the server has the image already, `common` how many of its layers. `count` layers and `size`
    bytes travel (0: not known yet), `room` bytes are taken where the engine keeps its layers, and `lines` name the
    parts for the plan.
    """

    build: ImageBuild
    name: str
    there: bool
    common: int = 0
    size: int = 0
    room: int = 0
    lines: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many layers travel."""
        return len(self.build.layers) - self.common


class ImageSource(Protocol):
    """Where servers get images from, as long as a ship lasts."""

    def pack(self, build: ImageBuild, name: str, known: Mapping[str, Any], emit: Emit) -> Parcel:
        """Return what a server lacks of an image; `known` is what its engine has (shipper.agent.images.facts)."""

    def is_compressed(self, parcel: Parcel) -> bool:
        """Whether it is still being compressed, so that not all of its pieces are known."""

    def pieces(self, parcel: Parcel) -> Tree:
        """Return what travels through the connection, as far as it is known by now."""

    def publish(self, parcels: Sequence[Parcel], release: str, emit: Emit, limit: Limit) -> None:
        """Do what is done once for all servers, before the first one fetches."""

    def send(self, session: AgentSession, change: Mapping[str, Any], parcel: Parcel, emit: Emit, limit: Limit) -> int:
        """Bring the image to a server within the limit; return the bytes that this machine sent to it."""


@contextmanager
def open_images(job: Job) -> Iterator[ImageSource]:
    """Open what ship.toml asks for, for the length of the block. Raises ConfigError and HostError."""
    backend = job.workspace.project.backend
    assert backend is not None
    if backend.image.delivery != "ssh":
        yield FromRegistry(find_repository(backend.image), job.app, job.workspace)
        return
    with open_registry(job.workspace.cache / "images") as registry:
        images = OverConnection(registry, job.app, job.workspace, job.unattended)
        try:
            yield images
        finally:
            images.close()


@dataclass
class OverConnection:
    """The engine here hands its layers over to a registry of our own; what a server lacks of them goes to its agent.

    A server that has none of them gets the first while the engine compresses the others, if nobody waits for a plan
    that tells their sizes (`hurried`). A server that has some waits: which layers come is only known at the end.
    """

    registry: Registry
    app: str
    workspace: Workspace
    hurried: bool
    _handovers: dict[str, Handover] = field(default_factory=dict)

    def pack(self, build: ImageBuild, name: str, known: Mapping[str, Any], emit: Emit) -> Parcel:
        """Return what a server lacks, cut into pieces."""
        if _is_there(name, known):
            return Parcel(build, name, there=True)
        common = common_layers(build.layers, _layers(known))
        early = self.hurried and not common
        handover = self._hand_over(build, early, emit)
        if early and not handover.is_whole_within(_PATIENCE_SECONDS):
            # Compressed, at half the size or less, in pieces and as the engine keeps it while it fetches; and unpacked.
            return Parcel(build, name, there=False, room=2 * build.size)
        pushed = handover.pushed
        blobs = pushed.lacking(common)
        size = sum(blob.size for blob in blobs)
        # As the engine keeps them while it fetches, and unpacked, by the image's own ratio.
        room = int(size + build.size * size / pushed.size)
        lines = tuple(f"{blob.digest[:19]}  {blob.size:,} bytes" for blob in blobs[1:])
        return Parcel(build, name, False, common, size, room, lines)

    def _hand_over(self, build: ImageBuild, early: bool, emit: Emit) -> Handover:
        if build.id not in self._handovers:
            for other in self._handovers.values():  # one at a time: who follows one would take both for it
                _ = other.pushed
            self._handovers[build.id] = Handover(build, self.app, self.registry, self.workspace, early)
            self._handovers[build.id].begin(emit)
        return self._handovers[build.id]

    def is_compressed(self, parcel: Parcel) -> bool:
        """Whether the engine here has not handed all of it over."""
        return not parcel.there and not self._handovers[parcel.build.id].is_whole_within(0)

    def pieces(self, parcel: Parcel) -> Tree:
        """Return the pieces of what a server lacks; of an image that is still compressed those that may leave."""
        if parcel.there:
            return Tree()
        handover = self._handovers[parcel.build.id]
        if not handover.is_whole_within(0):
            return handover.offered
        return pieces.tree_of(handover.pushed.lacking(parcel.common))

    def publish(self, parcels: Sequence[Parcel], release: str, emit: Emit, limit: Limit) -> None:
        """Do nothing: every server gets its own."""

    def close(self) -> None:
        """Remove what was only here for the length of a ship."""
        for handover in self._handovers.values():
            handover.close()

    def send(self, session: AgentSession, change: Mapping[str, Any], parcel: Parcel, emit: Emit, limit: Limit) -> int:
        """Send the pieces that are not there yet; the server's engine fetches from its own agent meanwhile."""
        handover, counter = self._handovers[parcel.build.id], Counter()
        if not parcel.common:
            for offer in handover.offers(limit):
                self._send_early(session, change, offer, counter, emit, limit)
        pushed = handover.pushed
        # What this ship does without is of use to none: the next one has the same layers, or others.
        self.registry.keep_only({one.pushed.digest for one in self._handovers.values()})
        tree = pieces.tree_of(pushed.lacking(parcel.common))
        asked = {**change, "name": parcel.name, "digest": pushed.digest, "manifest": pushed.manifest}
        while True:
            offered, cargo = pieces.wire_of(tree), self._lacking(session, tree)
            lacking = session.call(
                "fetch",
                {**asked, "blobs": offered, "objects": cargo.wire},
                stream=compress(cargo, counter, level=0),
                on_event=_fetching(emit),
                limit=limit,
            )
            if not lacking:
                return counter.sent
            more = [blob for blob in pushed.blobs if blob.digest in lacking and blob.digest not in offered]
            if not more:
                break
            emit(Event("note", STEP, f"The server's engine wants {_said(more)} more."))
            tree = Tree((*tree.entries, *pieces.tree_of(more).entries))
        raise ReleaseError(
            f"The server's engine did not take the image {parcel.name}.",
            why="It asked again for layers that it had been sent.",
            fix="Look at its log, on the server: sudo journalctl -u docker -n 50   and ship again.",
        )

    def _send_early(
        self, session: AgentSession, change: Mapping[str, Any], tree: Tree, counter: Counter, emit: Emit, limit: Limit
    ) -> None:
        """Send pieces before it is known what image they are of."""
        cargo, before = self._lacking(session, tree), counter.sent
        if cargo.entries:
            session.call(
                "upload",
                {**change, "objects": cargo.wire},
                stream=compress(cargo, counter, level=0),
                on_event=lambda event: emit(Event("progress", STEP, "", before + event["done"], 0, "bytes")),
                limit=limit,
            )

    def _lacking(self, session: AgentSession, tree: Tree) -> Cargo:
        """Return the pieces that are not there yet, in their order: the lowest layer is the first to be unpacked."""
        missing = set(session.call("missing", {"app": self.app, "keys": keys_of([tree])}))
        return Cargo(tuple({entry.value: entry for entry in tree.files if entry.value in missing}.values()))


@dataclass
class FromRegistry:
    """The image is pushed once, under the release's id; every server pulls it by its digest, with a fresh login."""

    repository: Repository
    app: str
    workspace: Workspace
    _digests: dict[str, str] = field(default_factory=dict)

    def pack(self, build: ImageBuild, name: str, known: Mapping[str, Any], emit: Emit) -> Parcel:
        """Return what a server will pull, about: the registry is not asked before the plan is accepted."""
        if _is_there(name, known):
            return Parcel(build, name, there=True)
        with connect() as client:
            refuse_in_built(client, build, self.workspace, emit)
        common = common_layers(build.layers, _layers(known))
        # Compressed while it is fetched, at half the size or less, and unpacked.
        room = build.size_above(common) * 3 // 2
        line = f"through {self.repository.name}, under the release's id"
        return Parcel(build, name, False, common, 0, room, (line,))

    def is_compressed(self, parcel: Parcel) -> bool:
        """Return that there is nothing to wait for: no pieces travel."""
        return False

    def pieces(self, parcel: Parcel) -> Tree:
        """Return nothing: servers get all of it from the registry."""
        return Tree()

    def publish(self, parcels: Sequence[Parcel], release: str, emit: Emit, limit: Limit) -> None:
        """Push each image once; images for several kinds of servers get the kind behind the release's id."""
        builds = {parcel.build.id: parcel.build for parcel in parcels if not parcel.there}
        for build in builds.values():
            tag = release if len(builds) == 1 else f"{release}-{build.platform.rpartition('/')[2]}"
            began = time.monotonic()
            emit(Event("start", "image.push", f"Image to {self.repository.name}:{tag}"))
            with connect() as client:
                digest = self.repository.push(client, build.id, tag, emit, limit)
            self._digests[build.id] = digest
            emit(Event("done", "image.push", f"{tag}, {digest[:19]}", seconds=time.monotonic() - began))

    def send(self, session: AgentSession, change: Mapping[str, Any], parcel: Parcel, emit: Emit, limit: Limit) -> int:
        """Let the server pull; nothing but the login goes there, and it is not kept."""
        reference = f"{self.repository.name}@{self._digests[parcel.build.id]}"
        login = dict(self.repository.login())
        asked = {**change, "name": parcel.name, "reference": reference, "login": login, "limit": limit.seconds}
        session.call("fetch", asked, on_event=_fetching(emit), limit=limit)
        return 0


def _is_there(name: str, known: Mapping[str, Any]) -> bool:
    return any(name in image["names"] for image in known["images"])


def _layers(known: Mapping[str, Any]) -> list[list[str]]:
    """Return the layers of the images that came to a server as this one will.

    An engine knows a layer by the digest of its compressed form: one that it built, loaded or pulled from elsewhere it
    asks for all the same. (Another machine may compress in another way, so even these it may ask for.)
    """
    images = known["images"]
    return [image["layers"] for image in images if any(_OURS.fullmatch(name) for name in image["names"])]


def _said(blobs: Sequence[Blob]) -> str:
    return f"{count_layers(len(blobs))}, {sum(blob.size for blob in blobs):,} bytes"


def _fetching(emit: Emit) -> Callable[[Mapping[str, Any]], None]:
    return lambda event: emit(
        Event("progress", STEP, event.get("status", ""), event["done"], event.get("total", 0), "bytes")
    )
