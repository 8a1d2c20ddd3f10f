"""The Docker engine of the server, through its own interface on a unix socket (Docker Engine API v1.41)."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Optional
from urllib.parse import quote, urlencode

from .errors import AgentError

SOCKET = "/run/docker.sock"
# An engine that is started by the first question, and one that is busy unpacking, take their time.
_SECONDS = 120.0


class _Connection(http.client.HTTPConnection):
    def __init__(self, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._line: Optional[socket.socket] = None

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)
        self._line = self.sock

    def hang_up(self) -> None:
        """End the conversation while another thread waits for an answer; closing alone would not wake it."""
        if self._line:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


class MissingError(AgentError):
    """What was asked for is not there (any more)."""


def ask(method: str, path: str, query: Optional[Mapping[str, str]] = None) -> Any:
    """Ask the engine and return its answer. Raises AgentError when there is no engine, or it refuses."""
    body = ask_raw(method, path, query)
    return json.loads(body) if body.strip() else None


def ask_raw(method: str, path: str, query: Optional[Mapping[str, str]] = None) -> bytes:
    """Ask the engine and return its answer as it is. Raises AgentError."""
    connection, response = _request(method, path, query, {})
    try:
        return response.read()
    finally:
        connection.close()


def find(path: str) -> Any:
    """Ask for something that may not be there; None when it is not. Raises AgentError."""
    try:
        return ask("GET", path)
    except MissingError:
        return None


def create(path: str, body: Mapping[str, Any]) -> Any:
    """Let the engine make something; return its answer. Raises AgentError."""
    answer = create_raw(path, body)
    return json.loads(answer) if answer.strip() else None


def create_raw(path: str, body: Mapping[str, Any], timeout: float = _SECONDS) -> bytes:
    """Let the engine do something within `timeout` seconds; return its answer as it is. Raises AgentError."""
    headers = {"Content-Type": "application/json"}
    connection, response = _request("POST", path, None, headers, json.dumps(dict(body)), timeout)
    try:
        return response.read()
    except OSError as error:
        raise AgentError("release", f"The engine did not answer POST {path} in time.", str(error)) from error
    finally:
        connection.close()


def storage() -> str:
    """Return the folder in which the engine keeps its layers, one that exists. Raises AgentError.

    An engine with containerd's image store (Docker 29's default) keeps them where containerd does: in a folder of its
    own when the engine runs containerd itself, in the system's otherwise.
    """
    told = ask("GET", "/info")
    root = str(told["DockerRootDir"])
    kinds = dict(entry for entry in told.get("DriverStatus") or () if len(entry) == 2)
    if not str(kinds.get("driver-type", "")).startswith("io.containerd."):
        return root
    places = (os.path.join(root, "containerd", "daemon"), "/var/lib/containerd")
    return next((place for place in places if os.path.isdir(place)), root)


class Stream:
    """A POST, and what the engine tells while it works, a message at a time.

    `login` is for the registry that the engine talks to; the engine does not keep it. `timeout` is in seconds, from one
    message to the next. Reading raises AgentError, also for an error that is one of the messages.
    """

    def __init__(
        self, path: str, query: Mapping[str, str], login: Mapping[str, str], timeout: float = _SECONDS
    ) -> None:
        self._path = path
        self._query = query
        self._login = base64.urlsafe_b64encode(json.dumps(dict(login)).encode()).decode()
        self._connection = _Connection(timeout)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        response = _send(self._connection, "POST", self._path, self._query, {"X-Registry-Auth": self._login})
        try:
            for line in response:
                if line.strip():
                    message = json.loads(line)
                    if "error" in message:
                        raise AgentError("release", "The engine could not fetch the image.", str(message["error"]))
                    yield message
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise AgentError("release", "The engine stopped in the middle.", str(error)) from error
        finally:
            self._connection.close()

    def stop(self) -> None:
        """Make the engine give up, from any thread: it ends what nobody listens to any more."""
        self._connection.hang_up()


def _request(
    method: str,
    path: str,
    query: Optional[Mapping[str, str]],
    headers: Mapping[str, str],
    body: Optional[str] = None,
    timeout: float = _SECONDS,
) -> tuple[_Connection, http.client.HTTPResponse]:
    connection = _Connection(timeout)
    return connection, _send(connection, method, path, query, headers, body)


def _send(
    connection: _Connection,
    method: str,
    path: str,
    query: Optional[Mapping[str, str]],
    headers: Mapping[str, str],
    body: Optional[str] = None,
) -> http.client.HTTPResponse:
    words = quote(path) + ("?" + urlencode(query) if query else "")
    try:
        connection.request(method, words, body, dict(headers))
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise _unreachable(error) from error
    if response.status >= 400:
        text = response.read().decode("utf-8", "replace")
        connection.close()
        kind = MissingError if response.status == 404 else AgentError
        raise kind("release", f"The engine refused {method} {path}.", text.strip())
    return response


def _unreachable(error: Exception) -> AgentError:
    if not os.path.exists(SOCKET):
        return AgentError(
            "host",
            "There is no Docker engine on the server.",
            f"{SOCKET} is not there.",
            "On the server: sudo apt-get install docker.io (or docker-ce), then ship again.",
        )
    return AgentError(
        "host",
        "The Docker engine of the server does not answer.",
        str(error),
        "On the server: sudo systemctl start docker",
    )
