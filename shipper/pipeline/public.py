"""Seeing the app as a visitor does: from this machine, at its public address (field note S4)."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

RELEASE_PATH = "/.well-known/shipper/release"
_TIMEOUT_SECONDS = 5.0
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.2


def see_release(url: str, release_id: str) -> dict[str, Any]:
    """Ask the public address which release is live until it says `release_id`, for ten seconds at most.

    Returns {"ok": True}, or {"ok": False} with `what`, `why` and `fix`, which the agent reports as its own error.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        why, fix = _look(url, release_id)
        if not why:
            return {"ok": True}
        if time.monotonic() > deadline:
            return {"ok": False, "what": f"The new release cannot be seen at {url}.", "why": why, "fix": fix}
        time.sleep(_PAUSE_SECONDS)


def _look(url: str, release_id: str) -> tuple[str, str]:
    parts = urlsplit(url)
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", RELEASE_PATH, headers={"User-Agent": "shipper", "Cache-Control": "no-cache"})
        response = connection.getresponse()
        text = response.read(200).decode("utf-8", "replace").strip()
    except socket.gaierror as error:
        return f"{parts.hostname} does not resolve: {error}", "Set the DNS record, or set `url` in the target."
    except ssl.SSLError as error:
        return f"TLS: {error}", "Check the certificate, or set `url` in the target to http://... for now."
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error}", "Check that the port is open in the firewall (or security group)."
    finally:
        connection.close()
    if response.status == http.client.OK and text == release_id:
        return "", ""
    found = f"HTTP {response.status}" if response.status != http.client.OK else f"it says {text[:60]!r}"
    return (
        f"{RELEASE_PATH} at {url}: {found}",
        "Check that the domain points to this server and to this app's server block.",
    )
