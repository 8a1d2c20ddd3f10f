"""What a CI run hands over in its environment because it has no files for it: SSH key, host keys, env file.

The secrets among it leave the environment at once: no program that a build starts shall inherit them.
"""

from __future__ import annotations

import os
import re

from shipper.errors import ConfigError
from shipper.masking import hide

SSH_KEY = "SHIPPER_SSH_KEY"
ENV_FILE = "SHIPPER_ENV_FILE"
HOST_KEY = "SHIPPER_HOST_KEY"
_SECRETS = (SSH_KEY, ENV_FILE)
# As `ssh-keygen -l` and `inv host.trust` show it: SHA-256 in base64, with or without the padding.
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
# The environment of a process is one as well, and what is taken out of it has to be somewhere.
_taken: dict[str, str] = {}


def take_secrets() -> None:
    """Move the secrets out of the environment of this process; done twice is done once."""
    for name in _SECRETS:
        value = os.environ.pop(name, None)
        if value is not None:
            _taken[name] = value
    # A private key is masked line by line; what the env file holds is known once it is parsed.
    hide({SSH_KEY: _taken.get(SSH_KEY, "")})


def handed_secret(name: str) -> str:
    """Return the text of a secret, "" when none was handed over: GitHub sets a secret that is not there to nothing."""
    take_secrets()
    text = _taken.get(name, "")
    return text if text.strip() else ""


def handed_host_keys() -> tuple[str, ...]:
    """Return the fingerprints in SHIPPER_HOST_KEY, one for each server, in any order. Raises ConfigError."""
    words = os.environ.get(HOST_KEY, "").split()
    for word in words:
        if not _FINGERPRINT.fullmatch(word):
            raise ConfigError(
                f"{HOST_KEY} is not the fingerprint of a host key: {word[:60]}",
                why="It looks like SHA256:, followed by 43 letters, digits, + and /. Several are separated by spaces.",
                fix="inv host.trust   (on your machine; it writes host_key into ship.toml, and that is enough)",
            )
    return tuple(words)
