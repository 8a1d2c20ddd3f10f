"""Host keys: who the server says it is. An unknown one is refused, a changed one loudly (field note U8)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import paramiko

from shipper.errors import HostError


@dataclass(frozen=True)
class HostKey:
    """A server's public key: its type as SSH names it, and its fingerprint as OpenSSH prints it ("SHA256:...")."""

    kind: str
    fingerprint: str


def describe(key: Any) -> HostKey:
    """Return type and fingerprint of a paramiko key."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return HostKey(key.get_name(), "SHA256:" + base64.b64encode(digest).decode().rstrip("="))


class Pinned(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Accepts exactly the keys with the pinned fingerprints, whatever known_hosts says."""

    def __init__(self, fingerprints: Collection[str], target: str) -> None:
        self._fingerprints = [fingerprint.rstrip("=") for fingerprint in fingerprints]
        self._target = target

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Raise HostError unless the key is a pinned one."""
        found = describe(key)
        if found.fingerprint not in self._fingerprints:
            expected = " or ".join(self._fingerprints)
            raise changed(hostname, expected, found, f"inv host.trust --to {self._target} --replace")


class Known(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses a server that known_hosts does not know."""

    def __init__(self, target: str) -> None:
        self._target = target

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Raise HostError with the key and the command that pins it."""
        found = describe(key)
        raise HostError(
            f"The host key of {hostname} is not known, so the server could be anybody's.",
            why=f"It shows {found.kind} {found.fingerprint}",
            fix=f"Compare that with what your provider shows for the server, then: inv host.trust --to {self._target}",
        )


def changed(hostname: str, expected: str, found: HostKey, command: str) -> HostError:
    """Return the error for a server that shows another key than the one it is known by."""
    return HostError(
        f"WARNING: THE HOST KEY OF {hostname} HAS CHANGED. Nothing was sent.",
        why=f"Expected {expected}\nFound    {found.fingerprint} ({found.kind})\n"
        "Either the server was installed anew, or somebody stands between you and it.",
        fix=f"Only if you know that it was installed anew: {command}",
    )
