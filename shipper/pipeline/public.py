"""Seeing the app as a visitor does: from this machine, at its public address (field note S4)."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Sequence, Set
from typing import Any
from urllib.parse import urlsplit

RELEASE_PATH = "/.well-known/shipper/release"
_TIMEOUT_SECONDS = 5.0
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.35
# In a row, over more than a second: one good answer may come from a cache, or from the copy that was there before.
_SIGHTINGS = 4


class _Unseen(Exception):  # noqa: N818 - an answer, not an error of this program
    """What was seen instead, and what to do about it."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why = why
        self.fix = fix


def see_release(url: str, accepted: Set[str], paths: Sequence[str]) -> dict[str, Any]:
    """Look at the public address until it shows one of the releases and answers `paths`, several times in a row.

    Gives up after ten seconds. Returns {"ok": True}, or {"ok": False} with `what`, `why` and `fix`, which the agent
    reports as its own error.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    seen = 0
    while seen < _SIGHTINGS:
        if seen:
            time.sleep(_PAUSE_SECONDS)
        try:
            _look(url, accepted, paths)
            seen += 1
        except _Unseen as unseen:
            if time.monotonic() > deadline:
                what = f"The new release cannot be seen at {url}."
                return {"ok": False, "what": what, "why": unseen.why, "fix": unseen.fix}
            seen = 0
            time.sleep(_PAUSE_SECONDS)
    return {"ok": True}


def _look(url: str, accepted: Set[str], paths: Sequence[str]) -> None:
    status, text = _get(url, RELEASE_PATH)
    if status != http.client.OK or text not in accepted:
        found = f"HTTP {status}" if status != http.client.OK else f"it says {text[:60]!r}"
        raise _Unseen(
            f"{RELEASE_PATH} at {url}: {found}",
            "Check that the domain points to this server and to this app's server block.",
        )
    for path in paths:
        status, _ = _get(url, path)
        if status >= http.client.BAD_REQUEST:
            raise _Unseen(f"{path} at {url}: HTTP {status}", "inv logs")


def _get(url: str, path: str) -> tuple[int, str]:
    """Return the status and the beginning of the text."""
    parts = urlsplit(url)
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"User-Agent": "shipper", "Cache-Control": "no-cache"})
        response = connection.getresponse()
        return response.status, response.read(200).decode("utf-8", "replace").strip()
    except socket.gaierror as error:
        fix = "Set the DNS record, or set `url` in the target."
        raise _Unseen(f"{parts.hostname} does not resolve: {error}", fix) from error
    except ssl.SSLError as error:
        fix = "Check the certificate, or set `url` in the target to http://... for now."
        raise _Unseen(f"TLS: {error}", fix) from error
    except (OSError, http.client.HTTPException) as error:
        fix = "Check that the port is open in the firewall (or security group)."
        raise _Unseen(f"no answer: {error}", fix) from error
    finally:
        connection.close()
