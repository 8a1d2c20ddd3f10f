"""A registry that lives for one pull: the engine of the server fetches an image from it, over the loopback interface,
while it still arrives. It speaks the part of the OCI distribution specification (v1.0) that engines need for a pull.

The blobs of an image lie in the store in pieces, because an upload that was cut goes on after the last whole piece.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from . import store
from .layout import Layout
from .loopback import CHALLENGE, USER, Handler, Server

_MANIFEST = re.compile(r"/v2/[a-z0-9._/-]+/manifests/(sha256:[0-9a-f]{64})")
_BLOB = re.compile(r"/v2/[a-z0-9._/-]+/blobs/(sha256:[0-9a-f]{64})")
_READ_BYTES = 1 << 18


class Offer:
    """What is offered: one image's manifest, and its blobs by digest, each a list of keys of the store.

    `coming` are the sizes in bytes, by their keys, of the pieces that are not there yet: who wants one gets it when it
    has arrived. `lacking` collects the digests of blobs that the engine asked for in vain.
    """

    def __init__(
        self,
        layout: Layout,
        digest: str,
        manifest: bytes,
        blobs: Mapping[str, Sequence[str]],
        coming: Mapping[str, int],
    ) -> None:
        self.digest = digest
        self.manifest = manifest
        self.lacking: list[str] = []
        self.password = secrets.token_urlsafe(24)
        self.port = 0
        self._layout = layout
        self._blobs = blobs
        self._sizes = coming
        self._arrived: dict[str, str] = {}
        self._news = threading.Condition()
        self._ended = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing is on its way any more."""
        return len(self._arrived) == len(self._sizes)

    def arrive(self, key: str, path: str) -> None:
        """Take note that a piece has arrived whole, and in which file it is for now."""
        with self._news:
            self._arrived[key] = path
            self._news.notify_all()

    def end(self) -> None:
        """Take note that nothing more will come: who still waits goes without."""
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def login(self) -> dict[str, str]:
        """The login for it, as the engine takes it."""
        return {"username": USER, "password": self.password, "serveraddress": f"127.0.0.1:{self.port}"}

    def reference(self, name: str) -> str:
        """Return how the engine has to name the image."""
        return f"127.0.0.1:{self.port}/{name}@{self.digest}"

    def kind(self) -> str:
        """Return the media type of the manifest."""
        return str(json.loads(self.manifest)["mediaType"])

    def knows(self, digest: str) -> bool:
        """Whether the blob is there or on its way, all of its pieces; what is not is noted as lacking."""
        keys = self._blobs.get(digest)
        if keys and not store.missing(self._layout, [key for key in keys if key not in self._sizes]):
            return True
        if digest not in self.lacking:
            self.lacking.append(digest)
        return False

    def size(self, digest: str) -> int:
        """Return the length of a blob in bytes."""
        known = self._sizes
        return sum(known[key] if key in known else store.size_of(self._layout, key) for key in self._blobs[digest])

    def content(self, digest: str) -> Iterator[bytes]:
        """Yield a blob, read piece by piece, as they arrive. Raises OSError when a piece does not come any more."""
        for key in self._blobs[digest]:
            with self._open(key) as file:
                while data := file.read(_READ_BYTES):
                    yield data

    def _open(self, key: str) -> BinaryIO:
        if key in self._sizes:
            with self._news:
                self._news.wait_for(lambda: key in self._arrived or self._ended)
            if key in self._arrived:
                with suppress(FileNotFoundError):  # it has its place in the store by now
                    return open(self._arrived[key], "rb")
        return open(store.path_of(self._layout, key), "rb")


@contextmanager
def offered(offer: Offer) -> Iterator[Offer]:
    """Offer an image for the length of the block, to whoever has the password, on a port of its own."""
    handler = type("Handler", (_Handler,), {"offer": offer})
    with Server(("127.0.0.1", 0), handler) as server:
        offer.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield offer
        finally:
            offer.end()
            server.shutdown()
            thread.join()


class _Handler(Handler):
    offer: Offer

    def answer(self) -> None:
        """Give out what is offered, and take nothing."""
        with_body = self.command == "GET"
        manifest, blob = _MANIFEST.fullmatch(self.path), _BLOB.fullmatch(self.path)
        if not self.knows(self.offer.password):
            self._head(401, 0, CHALLENGE)
        elif self.command not in ("GET", "HEAD"):
            self.close_connection = True  # with what it brought unread
            self._head(405, 0)
        elif self.path == "/v2/":
            self._head(200, 0)
        elif manifest and manifest[1] == self.offer.digest:
            kind = {"Content-Type": self.offer.kind(), "Docker-Content-Digest": manifest[1]}
            self._head(200, len(self.offer.manifest), kind)
            if with_body:
                self.wfile.write(self.offer.manifest)
        elif blob and self.offer.knows(blob[1]):
            kind = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": blob[1]}
            self._head(200, self.offer.size(blob[1]), kind)
            for data in self.offer.content(blob[1]) if with_body else ():
                self.wfile.write(data)
        else:
            self._head(404, 0)

    def _head(self, status: int, length: int, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
