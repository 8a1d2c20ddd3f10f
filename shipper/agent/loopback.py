"""HTTP for an engine on the same machine: a loopback port behind a password, as both registries of a ship offer it.

The one here takes an image from the engine (shipper.deliver.registry), the one on the server gives it to another one.
"""

from __future__ import annotations

import base64
import os
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER = "shipper"
# What asks for the login, beside the status 401.
CHALLENGE = {"WWW-Authenticate": 'Basic realm="shipper"'}
_TLS_HANDSHAKE = b"\x16"


class Server(ThreadingHTTPServer):
    """Answers each connection in a thread of its own, and outlives none of them."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # Windows means something else by it: two could listen

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: an engine that goes away in the middle tells its own story."""


class Handler(BaseHTTPRequestHandler):
    """What is the same for every request of an engine."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: on a server, standard error belongs to the client of the agent."""

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
        """Answer."""
        self.answer()

    def do_GET(self) -> None:
        """Answer."""
        self.answer()

    def do_POST(self) -> None:
        """Answer."""
        self.answer()

    def do_PATCH(self) -> None:
        """Answer."""
        self.answer()

    def do_PUT(self) -> None:
        """Answer."""
        self.answer()

    def answer(self) -> None:
        """Answer one request, by its `command` and its `path`; this is what the two registries differ in."""
        raise NotImplementedError

    def knows(self, password: str) -> bool:
        """Whether the request comes with the login (RFC 7617)."""
        expected = base64.b64encode(f"{USER}:{password}".encode()).decode()
        return secrets.compare_digest(self.headers.get("Authorization", ""), f"Basic {expected}")
