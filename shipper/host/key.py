"""A private key that came as text instead of in a file: it is read in memory, and nothing of it reaches any output."""

from __future__ import annotations

import io
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from shipper.errors import ConfigError

_KINDS: tuple[tuple[type[Any], Any], ...] = (
    (RSAPrivateKey, paramiko.RSAKey),
    (Ed25519PrivateKey, paramiko.Ed25519Key),
    (EllipticCurvePrivateKey, paramiko.ECDSAKey),
)


def parse_key(text: str, source: str) -> Any:
    """Return paramiko's key for the text of a private key: RSA, ECDSA or Ed25519, as OpenSSH, PEM or PKCS #8.

    Line ends of Windows, blanks around the lines, and line ends that became a backslash and an n on the way are put
    right. `source` names the text in errors. Raises ConfigError for everything else; it never holds any of the text.
    """
    lines = [line.strip() for line in text.strip().replace("\\n", "\n").splitlines()]
    if lines[0].startswith("PuTTY-User-Key-File"):
        raise ConfigError(f"{source} holds a key of PuTTY.", fix="puttygen key.ppk -O private-openssh -o key.pem")
    if lines[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise ConfigError(f"{source} holds a public key.", fix="Put in the private one: the file without .pub.")
    content = "\n".join(lines).encode("ascii", "replace") + b"\n"
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in content else load_pem_private_key
    # "from None": what a parser says of its input may quote it.
    try:
        return _for_paramiko(load(content, None), source)
    except TypeError:
        raise ConfigError(
            f"The key in {source} has a passphrase.",
            why="There is nobody who could type it in a run of CI.",
            fix="Use a key of its own for CI, without one: ssh-keygen -t ed25519 -N '' -f ci-key",
        ) from None
    except (ValueError, UnsupportedAlgorithm, paramiko.SSHException):
        raise ConfigError(
            f"{source} holds no private key that can be read.",
            why=f"It has {_amount(len(text.strip()), 'character')} in {_amount(len(lines), 'line')}; "
            + (
                "its first or last line is not that of a key."
                if "BEGIN" not in lines[0] or "END" not in lines[-1]
                else "something is missing or changed between its first and last line."
            ),
            fix=f"Put in the whole file, from -----BEGIN to -----END: gh secret set {source} < key-file",
        ) from None


def _for_paramiko(loaded: object, source: str) -> Any:
    for kind, key_class in _KINDS:
        if isinstance(loaded, kind):
            content = loaded.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
            return key_class.from_private_key(io.StringIO(content.decode("ascii")))
    raise ConfigError(
        f"The key in {source} is of a kind that cannot be used.",
        why="These can: RSA, ECDSA, Ed25519.",
        fix="ssh-keygen -t ed25519 -N '' -f ci-key",
    )


def _amount(number: int, word: str) -> str:
    return f"{number} {word}" + "s" * (number != 1)
