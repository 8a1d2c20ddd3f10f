"""Both registries of a ship: ours for the engine here, and the agent's for the engine there."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from server import make_layout

from shipper.agent import registry, store
from shipper.deliver.registry import open_registry

MANIFEST = json.dumps({"mediaType": "application/vnd.docker.distribution.manifest.v2+json"}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
BLOB = "sha256:" + "b" * 64


@contextmanager
def ours(folder: Path) -> Iterator[int]:
    with open_registry(folder) as opened:
        yield opened.port


@contextmanager
def the_agents(folder: Path) -> Iterator[int]:
    with registry.offered(registry.Offer(make_layout(folder), DIGEST, MANIFEST, {}, {})) as offer:
        yield offer.port


@pytest.mark.parametrize("opened", [ours, the_agents])
def test_who_tries_tls_first_is_told_in_plain_http_that_there_is_none(opened: object, tmp_path: Path) -> None:
    assert callable(opened)
    hello = ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with opened(tmp_path) as port:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(hello.read() if hello.pending else b"\x16\x03\x01\x00\x03abc")
                with connection.makefile("rb") as answer:
                    assert answer.read().startswith(b"HTTP/1.1 400 ")
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        plain.request("GET", "/v2/")
        assert plain.getresponse().status == http.client.UNAUTHORIZED
        plain.close()


def test_a_blob_that_still_arrives_is_given_piece_by_piece(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    first, second = b"first piece, ", b"and the second"
    keys = [hashlib.sha256(piece).hexdigest() for piece in (first, second)]
    sizes = {key: len(piece) for key, piece in zip(keys, (first, second), strict=True)}
    offer = registry.Offer(layout, DIGEST, MANIFEST, {BLOB: keys}, sizes)
    with registry.offered(offer):
        login = b64encode(f"{offer.login['username']}:{offer.login['password']}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", offer.port, timeout=10)
        connection.request("GET", f"/v2/app/blobs/{BLOB}", headers={"Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        assert (answer.status, answer.length) == (200, len(first + second)), "known before anything is here"
        (tmp_path / "one").write_bytes(first)
        offer.arrive(keys[0], str(tmp_path / "one"))
        assert answer.read(len(first)) == first
        assert not offer.is_complete
        # It has got its place in the store before anybody asked for it.
        place = Path(store.path_of(layout, keys[1]))
        place.parent.mkdir(parents=True)
        place.write_bytes(second)
        offer.arrive(keys[1], str(tmp_path / "gone"))
        assert answer.read() == second
        connection.close()


def test_who_waits_for_a_piece_that_comes_no_more_is_cut_off(tmp_path: Path) -> None:
    key = "c" * 64
    offer = registry.Offer(make_layout(tmp_path), DIGEST, MANIFEST, {BLOB: [key]}, {key: 10})
    with registry.offered(offer):
        login = b64encode(f"{offer.login['username']}:{offer.login['password']}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", offer.port, timeout=10)
        connection.request("GET", f"/v2/app/blobs/{BLOB}", headers={"Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        offer.end()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        connection.close()
