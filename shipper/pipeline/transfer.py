"""Sending every server what it lacks, in one request where that can be: the lock, the trees and their contents.

What a server has is not asked for but remembered: its releases name their trees by digests, and what was shipped from
here is known by these. A wrong guess costs a second request, never a wrong release: the agent checks everything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipper.deliver.consignment import Consignment, Likeness, Presence, consign
from shipper.deliver.known import recall_tree, remember_tree
from shipper.deliver.manifest import Tree
from shipper.deliver.upload import Counter, keys_of, objects_of, room_besides
from shipper.errors import ConnectionLostError, HostError, ReleaseError, StaleError
from shipper.events import Emit, Event, count_files, count_layers, of_server
from shipper.limit import Limit
from shipper.pipeline.gather import Gathered, Reached
from shipper.pipeline.rollout import Member
from shipper.pipeline.server import OWN_LOCK_SECONDS, Record, ServerState, connect, lock_server

# Pauses before a lost connection is opened again; the next loss after them ends the ship.
_RECONNECT_SECONDS = (1.0, 3.0, 9.0)
# The contents of a first request, those it could not use, and once more.
_REQUESTS = 3


def trees_of(server: Reached, gathered: Gathered, record: Record) -> dict[str, Tree]:
    """Return the trees that will be laid out, by name: a slot that is there already needs none of its contents."""
    trees = {"site": gathered.site.tree if gathered.site else Tree()}
    if server.parts and record["slot"] not in server.state.slots:
        trees |= {"code": server.parts.code, "dependencies": server.parts.dependencies}
    return trees


def presence(server: Reached, trees: Mapping[str, Tree]) -> Presence:
    """Return what the server has of the trees: by what it was seen to have and is remembered here, else by asking."""
    keys = keys_of(trees.values())
    likes = _likes(server.state, server.job.workspace.cache, trees)
    if server.state.unfinished or (server.state.releases and not likes):
        return Presence(frozenset(_ask(server, keys)), likes)
    there = {key for like in likes.values() for key in like.tree.keys}
    return Presence(frozenset(keys) - there, likes)


def _ask(server: Reached, keys: Sequence[str]) -> list[str]:
    missing: list[str] = server.session.call("missing", {"app": server.job.app, "keys": list(keys)})
    return missing


def _likes(state: ServerState, cache: Path, trees: Mapping[str, Tree]) -> dict[str, Likeness]:
    """Return for each tree the newest of its name that the server has and that is remembered, the live one first."""
    records = sorted(state.releases, key=lambda record: record["id"] != state.live)
    likes = {}
    for name in trees:
        for record in records:
            there = name == "site" or record.get("slot") in state.slots
            known = recall_tree(cache, str(record.get(name) or "")) if there else None
            if known and known.entries:
                likes[name] = Likeness(record["id"], known)
                break
    return likes


@dataclass(frozen=True)
class Transferred:
    """What became of it: the members, with other sessions where a connection was lost, and what travelled."""

    members: tuple[Member, ...]
    files: int
    sent: int


def transfer_each(gathered: Gathered, members: Sequence[Member], stack: ExitStack, emit: Emit) -> Transferred:
    """Send every server what it lacks, side by side.

    A member whose plan was made for a state that is only expected (`locked` is False) gets the lock with it. Raises
    StaleError when its server is not in that state; nothing was changed then.
    """
    pairs = list(zip(gathered.servers, members, strict=True))
    if len(pairs) == 1:  # in this thread, so that Ctrl-C is heard at once
        sent = [_Transfer(pairs[0][0], pairs[0][1], gathered, emit).run(stack)]
    else:
        with ThreadPoolExecutor(len(pairs), thread_name_prefix="transfer") as pool:
            sent = list(pool.map(lambda pair: _Transfer(pair[0], pair[1], gathered, emit).run(stack), pairs))
    return Transferred(
        tuple(one.member for one in sent), sum(len(one.sizes) for one in sent), sum(one.counter.sent for one in sent)
    )


class _Transfer:
    """One server's transfer."""

    def __init__(self, server: Reached, member: Member, gathered: Gathered, emit: Emit) -> None:
        self.member = member
        self.sizes: dict[str, int] = {}  # of all that travelled, by keys, in bytes before compression
        self.counter = Counter()
        self._server = server
        self._gathered = gathered
        self._emit = of_server(emit, server.job.server)
        self._trees = trees_of(server, gathered, member.plan.record)

    def run(self, stack: ExitStack) -> _Transfer:
        """Send all of it, over another connection when one is lost: what arrived stays and counts."""
        if not any(step.name == "upload" for step in self.member.plan.steps):
            return self
        began = time.monotonic()
        # The lock may be taken with it, and waited for.
        self._limit = Limit.begin("upload", self._timeout, waiting=self._server.job.lock_wait)
        self._emit(Event("start", "upload", "What the server lacks"))
        consignment = consign(self._trees, self.member.presence)
        changes = len(consignment.cargo.bases)
        expected = "" if self.member.locked else self.member.state.token
        pauses = iter(_RECONNECT_SECONDS)
        while True:
            try:
                self._deliver(consignment, expected)
                text, whole = self._sent(changes), _size_of_all(self._server, self._gathered)
                self._emit(Event("done", "upload", text, self.counter.sent, whole, "bytes", seconds=_since(began)))
                self._send_image()
                return self
            except StaleError:  # what was remembered of the server is not so
                if expected or not self.member.presence.likes:
                    raise
                consignment = self._found_out()
            except ConnectionLostError as error:
                consignment, expected = self._resume(error, pauses, stack), ""

    def _sent(self, changes: int) -> str:
        """Say what travelled; of that, so many files by what changed in them."""
        if not self.sizes:
            return f"only the list of files as {self.counter.sent:,} bytes"
        text = f"{count_files(len(self.sizes))}, {sum(self.sizes.values()):,} bytes as {self.counter.sent:,}"
        return text + (f"; {changes:,} by what changed in them" if changes else "")

    @property
    def _timeout(self) -> float:
        return self._server.job.target.step_timeout

    def _resume(self, error: HostError, pauses: Iterator[float], stack: ExitStack) -> Consignment:
        """Return what the server lacks, asked over a new connection; one that fails is tried again, after a pause."""
        while True:
            pause = next(pauses, None)
            if pause is None:
                raise error
            self._emit(Event("note", "upload", f"{error.what} Connecting again; what arrived stays."))
            time.sleep(pause)
            self._limit.refuse_late()
            try:
                self._reconnect(stack)
                return self._found_out()
            except HostError as again:
                error = again

    def _reconnect(self, stack: ExitStack) -> None:
        """Take the lock over a new connection. Raises ReleaseError when somebody had it meanwhile."""
        session = stack.enter_context(connect(self._server.job, self._emit))
        self._server = replace(self._server, session=session)
        self.member = replace(self.member, session=session, locked=True)
        job = self._server.job
        own = replace(job, lock_wait=max(job.lock_wait, OWN_LOCK_SECONDS))
        if not lock_server(own, session, "ship").goes_on_from(self.member.state):
            raise ReleaseError(
                "The server was changed by somebody else while the connection was lost; nothing was made live.",
                fix="Ship again: the plan is made anew.",
            )

    def _found_out(self) -> Consignment:
        """Ask the server what it lacks, and return that, told without any guess."""
        there = Presence(frozenset(_ask(self._server, keys_of(self._trees.values()))))
        self.member = replace(self.member, presence=there)
        return consign(self._trees, there)

    def _deliver(self, consignment: Consignment, expected: str) -> None:
        """Send a consignment, and after it what the server could not make or did not have, as it is."""
        for _ in range(_REQUESTS):
            self.sizes |= {entry.value: entry.size for entry in consignment.cargo.entries}
            answer: list[str | int] = self.member.session.call(
                "deliver",
                {**self._request, "expected": expected},
                stream=consignment.stream(self.counter),
                on_event=lambda event: self._emit(_progress(event)),
                limit=self._limit,
            )
            if not answer:
                return
            lacking = consignment.named(answer)
            count = count_files(len(lacking))
            self._emit(Event("note", "upload", f"The server lacks {count} more than was known; sending them whole."))
            consignment, expected = consign(self._trees, Presence(frozenset(lacking))), ""
        raise HostError(
            f"The server still lacks {count_files(len(lacking))} that it was sent.",
            why="What it writes is not what it reads: its disk may be damaged.",
            fix="On the server: `sudo dmesg --level=err`.",
        )

    @property
    def _request(self) -> dict[str, Any]:
        containers = self._server.parts.containers if self._server.parts else None
        images = self._gathered.images
        # Asked first: when it ends in between, more is known than was said, and not less.
        compressed = bool(containers and images and images.is_compressed(containers.parcel))
        return {
            **self.member.job.change,
            "keep": self.member.job.target.keep,
            "slot": self.member.plan.record["slot"],
            "image": self.member.plan.record["image"],
            "image_room": containers.parcel.room if containers else 0,
            "pieces": objects_of([images.pieces(containers.parcel)] if containers and images else []),
            "compressed": compressed,
            "room": room_besides(self._trees.values()),
        }

    def _send_image(self) -> None:
        """Let the server's engine have what it lacks of the image."""
        images, parts, member = self._gathered.images, self._server.parts, self.member
        if not any(step.name == "image" for step in member.plan.steps):
            return
        assert parts and parts.containers and images
        parcel, began = parts.containers.parcel, time.monotonic()
        self._emit(Event("start", "image", f"Image {parcel.name}"))
        sent = images.send(member.session, member.job.change, parcel, self._emit, Limit.begin("image", self._timeout))
        size = f", {sent:,} bytes" if sent else ", by the server itself"
        text = f"{count_layers(parcel.count)}{size}"
        self._emit(Event("done", "image", text, sent, unit="bytes", seconds=_since(began)))
        self.counter.sent += sent


def _size_of_all(server: Reached, gathered: Gathered) -> int:
    """Return the bytes of all that the release is made of: what a copy of everything would send."""
    trees = [gathered.site.tree] if gathered.site else []
    trees += [server.parts.code, server.parts.dependencies] if server.parts else []
    return sum({entry.value: entry.size for tree in trees for entry in tree.files}.values())


def remember(gathered: Gathered, cache: Path) -> None:
    """Keep in mind what was shipped: the next ship tells its trees by these."""
    trees = [gathered.site.tree] if gathered.site else []
    for parts in (server.parts for server in gathered.servers):
        if parts:
            trees += [parts.code, parts.dependencies]
    for tree in {tree.digest: tree for tree in trees if tree.entries}.values():
        with suppress(OSError):  # one that is forgotten only costs bytes
            remember_tree(cache, tree)


def _progress(event: Mapping[str, Any]) -> Event:
    return Event("progress", "upload", done=event["done"], total=event["total"], unit="bytes")


def _since(moment: float) -> float:
    return time.monotonic() - moment
