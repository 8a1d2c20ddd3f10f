"""The engine of a server fetches while an image arrives: what fails is told, whatever else the engine wants."""

from __future__ import annotations

import hashlib
import http.server
import json
import socketserver
import threading
import urllib.error
import urllib.request
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from server import Client, make_layout

from shipper.agent import engine, images, store
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout

MANIFEST = json.dumps({"mediaType": "application/vnd.docker.distribution.manifest.v2+json"})
PIECES = [b"first", b"second"]
KEYS = [hashlib.sha256(piece).hexdigest() for piece in PIECES]


class Engine(http.server.BaseHTTPRequestHandler):
    """Stands for an engine that, asked to pull, wants a layer that nobody offered it."""

    def do_POST(self) -> None:
        if "slow.example.com" in self.path:  # nothing comes until who asked hangs up
            self.rfile.read()
            return
        login = json.loads(urlsafe_b64decode(self.headers["X-Registry-Auth"]))
        [name] = parse_qs(urlsplit(self.path).query)["fromImage"]
        words = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        words.add_password(None, f"http://{login['serveraddress']}/", login["username"], login["password"])
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(words))
        with pytest.raises(urllib.error.HTTPError, match="404"):
            opener.open(f"http://{name.partition('/')[0]}/v2/shop/blobs/sha256:{'f' * 64}")
        body = json.dumps({"error": "blob unknown"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the agent hangs up when its own upload failed."""

    def get_request(self) -> tuple[object, str]:
        connection, _ = super().get_request()
        return connection, "client"


@pytest.fixture
def wanting_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = str(tmp_path / "docker.sock")
    monkeypatch.setattr(engine, "SOCKET", place)
    with Server(place, Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def fetch(layout: Layout, stream: bytes) -> list[str]:
    client = Client()
    digest = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
    objects = [[key, len(piece)] for key, piece in zip(KEYS, PIECES, strict=True)]
    request = {"name": "shop:0123456789ab", "digest": digest, "manifest": MANIFEST}
    client.stream(stream)
    return images.fetch(layout, {**request, "blobs": {digest: KEYS}, "objects": objects}, client.channel)


@pytest.mark.usefixtures("wanting_engine")
def test_what_the_engine_wants_besides_is_told_and_what_came_is_kept(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    assert fetch(layout, zlib.compress(b"".join(PIECES))) == [f"sha256:{'f' * 64}"]
    assert store.missing(layout, KEYS) == []


@pytest.mark.usefixtures("wanting_engine")
def test_an_upload_that_fails_is_an_error_also_when_the_engine_wants_more(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="damaged"):
        fetch(make_layout(tmp_path), zlib.compress(b"firstsecQnd"))


@pytest.mark.usefixtures("wanting_engine")
def test_a_pull_ends_at_its_limit_although_the_client_may_have_left(tmp_path: Path) -> None:
    reference = f"slow.example.com/shop@sha256:{'f' * 64}"
    request = {"name": "shop:0123456789ab", "reference": reference, "login": {}, "limit": 0.2}
    with pytest.raises(AgentError, match=r"The step image had not ended after 0\.2 seconds"):
        images.fetch(make_layout(tmp_path), request, Client().channel)
