"""Asking whether the app answers: over its unix socket, and through nginx as a visitor would."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Optional
from urllib.parse import urlsplit

_TIMEOUT = 5.0
_BODY_BYTES = 4096
RELEASE_PATH = "/.well-known/shipper/release"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, or why there was none (`status` 0 and the reason in `body`)."""

    status: int
    body: str

    @property
    def ok(self) -> bool:
        """Whether it is a success; a redirect is none: the page behind it may be broken."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        return f"HTTP {self.status}" if self.status else self.body


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(self._path)


class _LoopbackTls(http.client.HTTPSConnection):
    """TLS to nginx on this machine under the site's name; whether the certificate is valid is not asked here."""

    def connect(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", 443), timeout=_TIMEOUT)
        self.sock = context.wrap_socket(plain, server_hostname=self.host)


def ask_socket(path: str, url_path: str, host: str, scheme: str) -> Answer:
    """GET `url_path` from a backend on its unix socket, with the headers nginx would send."""
    return _get(_UnixConnection(path), url_path, {"Host": host, "X-Forwarded-Proto": scheme})


def ask_nginx(url_path: str, host: str) -> Answer:
    """GET `url_path` from nginx on this machine under the site's name; its own redirect to https is followed."""
    name = urlsplit(f"//{host}").hostname or host
    answer, location = _request(http.client.HTTPConnection("127.0.0.1", 80, timeout=_TIMEOUT), url_path, {"Host": host})
    if answer.status in (301, 302, 307, 308) and urlsplit(location).scheme == "https":
        return _get(_LoopbackTls(name), url_path, {"Host": name})
    return answer


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> Answer:
    return _request(connection, path, headers)[0]


def _request(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[Answer, str]:
    try:
        connection.request("GET", path, headers={**headers, "User-Agent": "shipper", "Connection": "close"})
        response = connection.getresponse()
        location: Optional[str] = response.getheader("Location")
        return Answer(response.status, response.read(_BODY_BYTES).decode("utf-8", "replace")), location or ""
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"no answer ({error or type(error).__name__})"), ""
    finally:
        connection.close()
