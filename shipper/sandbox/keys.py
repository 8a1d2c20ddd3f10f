"""Key pairs of the practice server (ed25519, OpenSSH's format), made with the library that paramiko brings along."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)


def create_key(path: Path) -> None:
    """Write a new private key to `path`, readable by its owner only; one that is there is replaced."""
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    path.unlink(missing_ok=True)
    # The mode is given at creation: a key that is readable by others for a moment has been readable.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)


def public_key(path: Path) -> str:
    """Return the public half of the private key at `path` as `ssh-ed25519 <base64>`. Raises OSError or ValueError."""
    private = load_ssh_private_key(path.read_bytes(), password=None)
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")


def fingerprint(public: str) -> str:
    """Return the fingerprint of a public key as OpenSSH prints it: `SHA256:` and 43 characters."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")
