"""What our own registry answers an engine that pushes: that part of the OCI distribution specification (v1.0)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qs, urlsplit

from shipper.agent.loopback import CHALLENGE, Handler

if TYPE_CHECKING:
    from shipper.deliver.registry import Registry

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_BLOB = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/blobs/(?P<digest>sha256:[0-9a-f]{64})")
_UPLOADS = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/blobs/uploads/")
_UPLOAD = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/blobs/uploads/(?P<upload>[0-9a-f]{32})")
_MANIFEST = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+)/manifests/(?P<reference>[A-Za-z0-9._:-]+)")
_PIECE_BYTES = 1 << 18


def handler_for(registry: Registry) -> type[Handler]:
    """Return what answers an engine that pushes to this registry."""
    return type("RegistryHandler", (_Handler,), {"registry": registry})


class _Handler(Handler):
    registry: Registry

    def answer(self) -> None:
        """Take what an engine pushes, and say what is there already."""
        look = {_BLOB: self._send_blob, _MANIFEST: self._send_manifest}
        routes: dict[str, dict[re.Pattern[str], Callable[..., None]]] = {
            "HEAD": look,
            "GET": look,
            "POST": {_UPLOADS: self._begin_upload},
            "PATCH": {_UPLOAD: self._take_upload},
            "PUT": {_UPLOAD: self._end_upload, _MANIFEST: self._take_manifest},
        }
        self._route(routes[self.command])

    def _route(self, routes: dict[re.Pattern[str], Callable[..., None]]) -> None:
        path = urlsplit(self.path).path
        if not self._is_authorized():
            self._drop_body()
            self._answer(HTTPStatus.UNAUTHORIZED, CHALLENGE)
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
        accepted = self.knows(self.registry.password)
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
            self.registry.end_arrival(scratch, "")
            raise

    def _keep_upload(self, name: str, scratch: Path) -> None:
        with scratch.open("ab") as file:
            self._copy_body(file)
        digest = parse_qs(urlsplit(self.path).query).get("digest", [""])[0]
        with scratch.open("rb") as file:
            actual = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if digest != actual:
            scratch.unlink()
            self.registry.end_arrival(scratch, "")
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        scratch.replace(self._file(digest))
        self.registry.end_arrival(scratch, digest)
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
        arrival = self.registry.begin_arrival(Path(file.name))
        try:
            for piece in self._body():
                file.write(piece)
                file.flush()
                arrival.grow(file.tell())
        except BaseException:
            arrival.end()
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
