"""A registry for images that lives as long as a ship: the engine of this machine hands over to it what it lacks.

It speaks the part of the OCI distribution specification (v1.0) that engines use to push. Contents stay in a folder of
the project's cache, so a layer is compressed once. Nothing but the engine of this machine ever comes here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_BLOB = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/blobs/(?P<digest>sha256:[0-9a-f]{64})")
_UPLOADS = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/blobs/uploads/")
_UPLOAD = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/blobs/uploads/(?P<upload>[0-9a-f]{32})")
_MANIFEST = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/manifests/(?P<reference>[A-Za-z0-9._:-]+)")
_PIECE_BYTES = 1 << 18
# An engine skips a layer when it pushed it to the same address before: the port is the same for the same project.
_FIRST_PORT, _PORTS = 20_000, 10_000
_USER = "shipper"
_TLS_HANDSHAKE = b"\x16"
_RECENT_SECONDS = 7200


class Upload:
    """A content on its way from the engine: the file that grows, and whether it has ended, whole or not."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._size = 0
        self._digest: str | None = None
        self._news = threading.Condition()

    def grow(self, size: int) -> None:
        """Take note that so many bytes are in the file now."""
        with self._news:
            self._size = size
            self._news.notify_all()

    def end(self, digest: str = "") -> None:
        """Take note that this was all: the whole content with that digest, or the beginning of one that broke off."""
        with self._news:
            self._digest = self._digest or digest
            self._news.notify_all()

    def wait_beyond(self, position: int) -> int:
        """Wait until the file is longer than that, or has ended; return how long it is."""
        with self._news:
            self._news.wait_for(lambda: self._size > position or self._digest is not None)
            return self._size

    def wait_for_end(self) -> str:
        """Wait until this was all; return the digest of the content, "" when it broke off."""
        with self._news:
            self._news.wait_for(lambda: self._digest is not None)
            return self._digest or ""


class Registry:
    """A running registry. `address` is "127.0.0.1:port" on this machine; `user` and `password` open it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = _USER
        self.password = secrets.token_urlsafe(24)
        self.reached = threading.Event()
        self._uploads: dict[Path, Upload] = {}
        # Hears of every content on its way.
        self.on_upload: Callable[[Upload], None] = _ignore
        handler = type("Handler", (_Handler,), {"registry": self})
        self._server = _listen(folder, handler)

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

    def begin_upload(self, file: Path) -> Upload:
        """Take note that a content is on its way; one that comes in several requests is one."""
        upload = self._uploads.get(file)
        if upload is None:
            upload = self._uploads[file] = Upload(file)
            self.on_upload(upload)
        return upload

    def end_upload(self, file: Path, digest: str) -> None:
        """Take note that the content that was on its way in this file is whole, or good for nothing (no digest)."""
        upload = self._uploads.pop(file, None)
        if upload:
            upload.end(digest)

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


def _ignore(upload: Upload) -> None:
    """Take note of an upload and do nothing."""


def _listen(folder: Path, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    wanted = _FIRST_PORT + int(hashlib.sha256(os.fsencode(folder.resolve())).hexdigest(), 16) % _PORTS
    try:
        return _Server(("127.0.0.1", wanted), handler)
    except OSError:  # taken; any other works as well, but layers are compressed again
        return _Server(("127.0.0.1", 0), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # Windows means something else by it: two could listen

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: an engine that goes away in the middle tells its own story."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        """Answer a request, and who begins with TLS in plain HTTP.

        An engine with containerd's image store tries TLS first, on loopback addresses as well. It goes on without when
        the answer begins with "HTTP/", and gives up otherwise.
        """
        reader: Any = self.rfile
        if reader.peek(1)[:1] == _TLS_HANDSHAKE:
            header = reader.read(5)  # RFC 8446, section 5.1: the kind, the version, and how long the rest is
            reader.read(int.from_bytes(header[3:], "big"))  # closed with something unread, it would look like a break
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            self.close_connection = True
            return
        super().handle_one_request()

    def do_HEAD(self) -> None:
        self._route({_BLOB: self._send_blob, _MANIFEST: self._send_manifest})

    def do_GET(self) -> None:
        self._route({_BLOB: self._send_blob, _MANIFEST: self._send_manifest})

    def do_POST(self) -> None:
        self._route({_UPLOADS: self._begin_upload})

    def do_PATCH(self) -> None:
        self._route({_UPLOAD: self._take_upload})

    def do_PUT(self) -> None:
        self._route({_UPLOAD: self._end_upload, _MANIFEST: self._take_manifest})

    def _route(self, routes: dict[re.Pattern[str], Callable[..., None]]) -> None:
        path = urlsplit(self.path).path
        if not self._is_authorized():
            self._drop_body()
            self._answer(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="shipper"'})
        elif path == "/v2/":
            self._answer(HTTPStatus.OK)
        else:
            for pattern, act in routes.items():
                match = pattern.fullmatch(path)
                if match:
                    act(**match.groupdict())
                    return
            self._drop_body()
            self._answer(HTTPStatus.NOT_FOUND)

    def _is_authorized(self) -> bool:
        expected = base64.b64encode(f"{_USER}:{self.registry.password}".encode()).decode()
        accepted = secrets.compare_digest(self.headers.get("Authorization", ""), f"Basic {expected}")
        if accepted:
            self.registry.reached.set()
        return accepted

    def _send_blob(self, name: str, digest: str) -> None:
        self._send_file(digest, "application/octet-stream")

    def _send_manifest(self, name: str, reference: str) -> None:
        if not _DIGEST.fullmatch(reference):
            self._answer(HTTPStatus.NOT_FOUND)  # images are fetched by digest; a tag is only pushed to
            return
        file = self._file(reference)
        kind = json.loads(file.read_bytes())["mediaType"] if file.exists() else ""
        self._send_file(reference, kind)

    def _send_file(self, digest: str, kind: str) -> None:
        file = self._file(digest)
        if not file.exists():
            self._answer(HTTPStatus.NOT_FOUND)
            return
        os.utime(file)  # it is of use (keep_only)
        self._answer(HTTPStatus.OK, {"Docker-Content-Digest": digest, "Content-Type": kind}, length=file.stat().st_size)
        if self.command == "GET":
            with file.open("rb") as content:
                shutil.copyfileobj(content, self.wfile, _PIECE_BYTES)

    def _begin_upload(self, name: str) -> None:
        self._drop_body()
        location = f"/v2/{name}/blobs/uploads/{secrets.token_hex(16)}"
        self._answer(HTTPStatus.ACCEPTED, {"Location": location, "Range": "0-0"})

    def _take_upload(self, name: str, upload: str) -> None:
        with self._scratch(upload).open("ab") as file:
            self._follow_body(file)
            end = file.tell()
        location = f"/v2/{name}/blobs/uploads/{upload}"
        self._answer(HTTPStatus.ACCEPTED, {"Location": location, "Range": f"0-{max(0, end - 1)}"})

    def _end_upload(self, name: str, upload: str) -> None:
        scratch = self._scratch(upload)
        try:
            self._keep_upload(name, scratch)
        except BaseException:
            self.registry.end_upload(scratch, "")
            raise

    def _keep_upload(self, name: str, scratch: Path) -> None:
        with scratch.open("ab") as file:
            self._copy_body(file)
        digest = parse_qs(urlsplit(self.path).query).get("digest", [""])[0]
        with scratch.open("rb") as file:
            actual = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if digest != actual:
            scratch.unlink()
            self.registry.end_upload(scratch, "")
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        scratch.replace(self._file(digest))
        self.registry.end_upload(scratch, digest)
        self._answer(HTTPStatus.CREATED, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})

    def _take_manifest(self, name: str, reference: str) -> None:
        scratch = self._scratch(secrets.token_hex(16))
        with scratch.open("wb") as file:
            self._copy_body(file)
        digest = f"sha256:{hashlib.sha256(scratch.read_bytes()).hexdigest()}"
        scratch.replace(self._file(digest))
        location = f"/v2/{name}/manifests/{digest}"
        self._answer(HTTPStatus.CREATED, {"Location": location, "Docker-Content-Digest": digest})

    def _file(self, digest: str) -> Path:
        return self.registry.file_of(digest)

    def _scratch(self, upload: str) -> Path:
        return self.registry.folder / f"{upload}.partial"

    def _follow_body(self, file: BinaryIO) -> None:
        """Write the request's body to a file, for those to see who follow."""
        upload = self.registry.begin_upload(Path(file.name))
        try:
            for piece in self._body():
                file.write(piece)
                file.flush()
                upload.grow(file.tell())
        except BaseException:
            upload.end()
            raise

    def _copy_body(self, file: BinaryIO) -> None:
        """Write the request's body, with a length or in chunks (RFC 9112, section 7.1), to a file."""
        for piece in self._body():
            file.write(piece)

    def _drop_body(self) -> None:
        for _ in self._body():
            pass

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield from self._read(int(self.headers.get("Content-Length") or 0))
            return
        while length := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers

    def _read(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.rfile.read(min(length, _PIECE_BYTES))
            if not piece:
                raise ConnectionError("the engine went away")
            length -= len(piece)
            yield piece

    def _answer(self, status: HTTPStatus, headers: dict[str, str] | None = None, length: int = 0) -> None:
        self.send_response(status)
        for name, value in {"Docker-Distribution-Api-Version": "registry/2.0", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
