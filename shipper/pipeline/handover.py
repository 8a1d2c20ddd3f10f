"""An image on its way from the engine here into our own registry, of which parts may travel before all of it is there.

An engine compresses while it hands over, which takes about a third of the time that the line needs afterwards. So what
has come is cut into pieces and looked through at once, and a piece may leave when nothing was found up to well behind
its end. When something was, the rest of that layer waits for the verdict about the whole image (pipeline.layers).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from shipper.build.image import ImageBuild
from shipper.check.layers import look_into
from shipper.config.project import Workspace
from shipper.deliver.arrival import Arrival
from shipper.deliver.export import hand_over
from shipper.deliver.image import Pushed
from shipper.deliver.manifest import Entry, Tree
from shipper.deliver.pieces import PIECE_BYTES
from shipper.deliver.registry import Registry
from shipper.engine import connect
from shipper.errors import BuildError
from shipper.events import Emit, Event
from shipper.limit import Limit
from shipper.pipeline.layers import refuse_in_pushed

# A waiting that can be interrupted on every system.
_LOOK_SECONDS = 0.5


class Handover:
    """One image on its way. With `early`, its pieces are offered as soon as they may leave.

    What goes wrong is raised where its end is waited for: BuildError, FindingsError.
    """

    def __init__(self, build: ImageBuild, app: str, registry: Registry, workspace: Workspace, early: bool) -> None:
        self._build = build
        self._app = app
        self._registry = registry
        self._workspace = workspace
        self._ended: Future[Pushed] = Future()
        self._news = threading.Condition()
        self._offered: list[Entry] = []
        self._found: dict[str, list[list[str]]] = {}
        self._followers: list[_Follower] = []
        # Elsewhere a file cannot get its last name while it is read.
        self._early = early and os.name == "posix"

    def begin(self, emit: Emit) -> None:
        """Begin, in the background."""
        # Not waited for when a ship is broken off: without our registry the engine tries in vain for a while.
        threading.Thread(target=self._run, args=[emit], name="handover", daemon=True).start()

    def is_whole_within(self, seconds: float) -> bool:
        """Wait so long at most; return whether all of it is here, or it has failed."""
        with self._news:
            return self._news.wait_for(self._ended.done, timeout=seconds)

    @property
    def pushed(self) -> Pushed:
        """The image in our own registry; waits for it."""
        while not self.is_whole_within(_LOOK_SECONDS):
            pass
        return self._ended.result()

    @property
    def offered(self) -> Tree:
        """The pieces that may leave, as far as they are known."""
        with self._news:
            return Tree(tuple(self._offered))

    def offers(self, limit: Limit) -> Iterator[Tree]:
        """Yield the pieces that may leave, as they come, until the image is here as a whole or has failed.

        Raises HostError when the step they are for has taken too long.
        """
        seen = 0
        while new := self._offered_beyond(seen, limit):
            yield Tree(new)
            seen += len(new)

    def _offered_beyond(self, count: int, limit: Limit) -> tuple[Entry, ...]:
        """Wait for more than so many offers and return what is new; nothing when the end has come."""
        while not self._ended.done():
            limit.refuse_late()
            with self._news:
                if self._news.wait_for(lambda: len(self._offered) > count, timeout=_LOOK_SECONDS):
                    return tuple(self._offered[count:])
        return ()

    def close(self) -> None:
        """Remove what was only here on its way; who still waits for the image need not."""
        with suppress(InvalidStateError):
            self._ended.set_exception(BuildError("The ship was broken off."))
        for follower in self._followers:
            follower.close()

    def _run(self, emit: Emit) -> None:
        with suppress(InvalidStateError):  # it was closed meanwhile
            try:
                self._ended.set_result(self._hand_over(emit))
            except BaseException as error:
                self._ended.set_exception(error)
        with self._news:
            self._news.notify_all()

    def _hand_over(self, emit: Emit) -> Pushed:
        began = time.monotonic()
        if self._early:
            self._registry.on_arrival = self._follow
        with connect() as client:
            pushed = hand_over(client, self._build.id, self._app, self._registry, emit)
        text = f"Compressed: {pushed.size:,} bytes, after {time.monotonic() - began:.1f} s."
        emit(Event("note", "build.image", text))
        for follower in self._followers:
            follower.join()
        refuse_in_pushed(pushed, self._workspace, self._found, emit)
        return pushed

    def _follow(self, arrival: Arrival) -> None:
        try:
            follower = _Follower(arrival, self._offer, self._found)
        except OSError:  # a file system without hard links: all of it waits for the end
            return
        self._followers.append(follower)
        follower.start()

    def _offer(self, piece: Entry) -> None:
        with self._news:
            self._offered.append(piece)
            self._news.notify_all()


class _Follower(threading.Thread):
    """Looks through a layer while it comes, and offers its pieces; `found` gets what was found, by its digest."""

    def __init__(self, arrival: Arrival, offer: Callable[[Entry], None], found: dict[str, list[list[str]]]) -> None:
        super().__init__(name="follower", daemon=True)
        self._arrival = arrival
        self._offer = offer
        self._found = found
        # Under a name of its own the file stays when the registry gives it another one.
        self._file = arrival.file.with_suffix(".followed")
        self._cut = 0
        os.link(arrival.file, self._file)

    def close(self) -> None:
        """Remove the name by which the layer was followed."""
        self._file.unlink(missing_ok=True)

    def run(self) -> None:
        seen: list[list[str]] = []

        def offer_up_to(position: int) -> None:
            # What is read is not looked at yet: the beginning of a file, and a block, at most.
            if not seen:
                self._offer_pieces(position - PIECE_BYTES)

        try:
            growing: Any = _Growing(self._file, self._arrival, offer_up_to)
            with growing, gzip.open(growing) as layer:
                for one in look_into(cast("Any", layer)):
                    seen.append(one)
        except (tarfile.TarError, EOFError, OSError, zlib.error):
            return  # who waits for the whole layer looks into it again, and tells
        digest = self._arrival.wait_for_end()
        if digest:
            self._found[digest] = seen
            if not seen:
                self._offer_pieces(self._file.stat().st_size, last=True)

    def _offer_pieces(self, end: int, *, last: bool = False) -> None:
        while self._cut + PIECE_BYTES <= end or (last and self._cut < end):
            with self._file.open("rb") as file:
                file.seek(self._cut)
                piece = file.read(PIECE_BYTES)
            path = f"{self._file.stem}/{self._cut // PIECE_BYTES:06d}"
            self._offer(Entry(path, "file", hashlib.sha256(piece).hexdigest(), len(piece), self._file, self._cut))
            self._cut += len(piece)


class _Growing(io.RawIOBase):
    """A file that is read while it grows: at its end more is waited for. `tell_position` hears how far it was read."""

    def __init__(self, file: Path, arrival: Arrival, tell_position: Callable[[int], None]) -> None:
        self._file = file.open("rb")
        self._arrival = arrival
        self._tell = tell_position
        self._position = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is there, at most; 0 when the file has ended."""
        self._tell(self._position)
        there = self._arrival.wait_beyond(self._position) - self._position
        count = self._file.readinto(memoryview(buffer)[:there])
        self._position += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
