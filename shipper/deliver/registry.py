"""A registry for images that lives as long as a ship: the engine of this machine hands over to it what it lacks.

Contents stay in a folder of the project's cache, so a layer is compressed once. Nothing but the engine of this machine
ever comes here; shipper.deliver.distribution has what it is answered.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shipper.agent.loopback import USER, Handler, Server
from shipper.deliver.arrival import Arrival
from shipper.deliver.distribution import handler_for

# An engine skips a layer when it pushed it to the same address before: the port is the same for the same project.
_FIRST_PORT, _PORTS = 20_000, 10_000
_RECENT_SECONDS = 7200


class Registry:
    """A running registry. `address` is "127.0.0.1:port" on this machine; `user` and `password` open it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = USER
        self.password = secrets.token_urlsafe(24)
        self.reached = threading.Event()
        self._arrivals: dict[Path, Arrival] = {}
        # Hears of every content on its way.
        self.on_arrival: Callable[[Arrival], None] = _ignore
        self._server = _listen(folder, handler_for(self))

    @property
    def port(self) -> int:
        """The port it listens on, on the loopback interface."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """How the engine of this machine names it; engines talk plain HTTP to loopback addresses."""
        return f"127.0.0.1:{self.port}"

    @property
    def was_reached(self) -> bool:
        """Whether an engine has come here with the password."""
        return self.reached.is_set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer for the length of the block."""
        with self._server as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="registry")
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def file_of(self, digest: str) -> Path:
        """Return the file that holds a content."""
        return self.folder / digest.removeprefix("sha256:")

    def put(self, content: bytes) -> str:
        """Keep a content without an engine; return its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        scratch = self.folder / f"{secrets.token_hex(16)}.partial"
        scratch.write_bytes(content)
        scratch.replace(self.file_of(digest))
        return digest

    def begin_arrival(self, file: Path) -> Arrival:
        """Take note that a content is on its way; one that comes in several requests is one."""
        arrival = self._arrivals.get(file)
        if arrival is None:
            arrival = self._arrivals[file] = Arrival(file)
            self.on_arrival(arrival)
        return arrival

    def end_arrival(self, file: Path, digest: str) -> None:
        """Take note that the content that was on its way in this file is whole, or good for nothing (no digest)."""
        arrival = self._arrivals.pop(file, None)
        if arrival:
            arrival.end(digest)

    def layers_of(self, digest: str) -> list[tuple[str, int]]:
        """Return the blobs of the image whose manifest has this digest, each with its size in bytes.

        One may be there more than once: every step that changes nothing makes the same empty layer.
        """
        manifest = json.loads(self.file_of(digest).read_bytes())
        return [(entry["digest"], entry["size"]) for entry in (manifest["config"], *manifest["layers"])]

    def keep_only(self, digests: set[str]) -> None:
        """Remove every content that none of these images (digests of manifests) is made of.

        What was of use a moment ago stays: another ship of this project, to another target, may be sending it.
        """
        recent = time.time() - _RECENT_SECONDS
        wanted = set(digests)
        for digest in digests:
            if self.file_of(digest).exists():
                wanted |= {blob for blob, _ in self.layers_of(digest)}
        for file in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if f"sha256:{file.name}" not in wanted and file.stat().st_mtime < recent:
                    file.unlink()


@contextmanager
def open_registry(folder: Path) -> Iterator[Registry]:
    """Run a registry over the contents in `folder` for the length of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    registry = Registry(folder)
    with registry.running():
        yield registry


def _ignore(arrival: Arrival) -> None:
    """Take note of an arrival and do nothing."""


def _listen(folder: Path, handler: type[Handler]) -> Server:
    wanted = _FIRST_PORT + int(hashlib.sha256(os.fsencode(folder.resolve())).hexdigest(), 16) % _PORTS
    try:
        return Server(("127.0.0.1", wanted), handler)
    except OSError:  # taken; any other works as well, but layers are compressed again
        return Server(("127.0.0.1", 0), handler)
