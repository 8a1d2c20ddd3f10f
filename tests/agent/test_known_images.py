"""What is known of the images on a server, also of those that containerd's image store lists without their layers."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipper.agent import engine, images

WHOLE = {"Id": "whole", "RepoTags": ["postgres:15"], "RootFS": {"Type": "layers", "Layers": ["sha256:a", "sha256:b"]}}
# As Docker 28.5 tells of an image of which it had a layer by another digest.
BARE = {"Id": "bare", "RepoTags": ["shop:0123456789ab"], "RootFS": {}, "Created": None}
# As Docker 26.1 does: it is not in the list.
HIDDEN = {"Id": "hidden", "RepoTags": ["shop:ba9876543210"], "RootFS": {"Type": "layers", "Layers": ["sha256:a"]}}
ANSWERS: dict[str, Any] = {
    "/version": {"Version": "28.5.2"},
    # Another app on the server, or `inv host.clean`, removes one while it is asked for.
    "/images/json": [{"Id": "whole"}, {"Id": "removed-meanwhile"}, {"Id": "bare"}],
    "/images/whole/json": WHOLE,
    "/images/bare/json": BARE,
    "/images/shop:ba9876543210/json": HIDDEN,
}


class Engine(http.server.BaseHTTPRequestHandler):
    """Stands for an engine with these images."""

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.replace("%3A", ":"))
        body = json.dumps(answer or {"message": "No such image"}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[object, str]:
        connection, _ = super().get_request()
        return connection, "client"


@pytest.fixture(autouse=True)
def known_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = str(tmp_path / "docker.sock")
    monkeypatch.setattr(engine, "SOCKET", place)
    with Server(place, Engine) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield
        server.shutdown()


def test_layers_that_the_engine_cannot_tell_are_those_of_the_release() -> None:
    releases = {
        "shop:0123456789ab": ["sha256:a", "sha256:c"],
        "shop:ba9876543210": [],
        "shop:gone00000000": ["sha256:d"],
    }
    assert images.facts(releases) == {
        "version": "28.5.2",
        "images": [
            {"names": ["postgres:15"], "layers": ["sha256:a", "sha256:b"]},
            {"names": ["shop:0123456789ab"], "layers": ["sha256:a", "sha256:c"]},
            {"names": ["shop:ba9876543210"], "layers": ["sha256:a"]},
        ],
    }


def test_an_image_of_a_release_that_remembers_none_has_none() -> None:
    assert {"names": ["shop:0123456789ab"], "layers": []} in images.facts({})["images"]


def test_what_is_known_does_not_depend_on_the_order_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    # Docker 20.10 lists images that were made in the same second now in this order, now in that.
    before = images.facts({})
    monkeypatch.setitem(ANSWERS, "/images/json", ANSWERS["/images/json"][::-1])
    assert images.facts({}) == before, "a ship would take it for a change of the server, and ask again"
