"""The app's environment on the server: `shared/env`, in the form that systemd reads.

The client parses what people wrote and sends this canonical form (shipper.config.envfile): one `KEY="value"` after
the other, a backslash before each of `"`, `\\`, `` ` `` and `$` (systemd.exec(5), EnvironmentFile=).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping

from .layout import Layout
from .mask import Mask

_ASSIGNMENT = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|([^\n]*))[ \t\r]*(?:\n|\Z)', re.DOTALL)


# What an app knows of its own address, and debug mode: settings, no secrets. These alone leave the server with their
# values, as far as they look like names, addresses and lists of them.
_SETTING = re.compile(
    r"(?:DJANGO_|BACKEND_|APP_|FASTAPI_|FLASK_)?(?:ALLOWED_HOSTS|TRUSTED_HOSTS|CSRF_TRUSTED_ORIGINS"
    r"|CORS_(?:ALLOWED_|ALLOW_)?ORIGINS|CORS_ORIGIN_WHITELIST|ALLOWED_ORIGINS|CORS_(?:.*REGEX.*|ALLOW_ALL_ORIGINS"
    r"|ORIGIN_ALLOW_ALL)|FRONTEND_(?:URL|HOST|ORIGIN|BASE_URL))|(?:[A-Z0-9]+_)*DEBUG"
)
_SETTING_VALUE = re.compile(r"[\w.,:;/*\[\]\"'\s-]{0,4000}")


def read(path: str) -> dict[str, str]:
    """Return the variables of an env file; an absent file has none."""
    try:
        with open(path, encoding="utf-8", newline="") as file:  # a CR in a value stays one, as systemd has it
            return parse(file.read())
    except FileNotFoundError:
        return {}


def parse(text: str) -> dict[str, str]:
    """Return the variables of the text of an env file."""
    values: dict[str, str] = {}
    for match in _ASSIGNMENT.finditer(text):
        key, quoted, plain = match.groups()
        values[key] = re.sub(r'\\(["\\`$])', r"\1", quoted) if quoted is not None else plain.strip()
    return values


def replace(layout: Layout, text: str) -> None:
    """Put `text` in place of the env file, readable by root alone, in one step and brought to the disk."""
    ensure_shared(layout)
    write_private(layout.env, text.encode())


def write_private(path: str, data: bytes) -> None:
    """Write a file that nobody but root can read, by a unique name and a rename."""
    scratch = f"{path}.{os.getpid()}.{secrets.token_hex(4)}"
    file = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(scratch, path)
    except OSError:
        os.unlink(scratch)
        raise


def ensure_shared(layout: Layout) -> None:
    """Make the folders that outlive releases, and the salt."""
    for folder in (layout.root, layout.shared):
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
    if not os.path.exists(layout.salt):
        write_private(layout.salt, secrets.token_bytes(32))


def digest(layout: Layout) -> str:
    """Return a digest of the env file that tells nothing about its values: it is keyed with a salt of this server."""
    try:
        with open(layout.salt, "rb") as salt, open(layout.env, "rb") as env:
            return hashlib.blake2b(env.read(), key=salt.read(), digest_size=16).hexdigest()
    except FileNotFoundError:
        return ""


def settings(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those variables that say under which address the app is reached, with their values.

    Of a pattern it is only said that there is one; what does not look like an address stays here.
    """
    named = {name: value for name, value in variables.items() if _SETTING.fullmatch(name.upper())}
    named = {name: "set" if "REGEX" in name.upper() and value else value for name, value in named.items()}
    return {name: value for name, value in named.items() if _SETTING_VALUE.fullmatch(value)}


def compare(layout: Layout, wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """Compare by key with what the other side has; no value leaves this function."""
    here = read(layout.env)
    return {
        "missing": sorted(set(wanted) - set(here)),
        "extra": sorted(set(here) - set(wanted)),
        "changed": sorted(key for key in set(here) & set(wanted) if here[key] != wanted[key]),
        "equal": sorted(key for key in set(here) & set(wanted) if here[key] == wanted[key]),
    }


def mask_of(*paths: str) -> Mask:
    """Return the mask for the values of several env files."""
    return Mask(item for path in paths for item in read(path).items())
