"""The app's environment on the server: `shared/env`, in the form that systemd reads, and the masking of its values.

The client parses what people wrote and sends this canonical form (shipper.config.envfile): one `KEY="value"` after
the other, a backslash before each of `"`, `\\`, `` ` `` and `$` (systemd.exec(5), EnvironmentFile=).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

from .layout import Layout

_ASSIGNMENT = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|([^\n]*))[ \t]*(?:\n|\Z)', re.DOTALL)
_SHORTEST_SECRET = 6  # masking shorter values would blot out ordinary words
SECRET_NAME = re.compile(r"SECRET|PASS|PWD|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|SALT|DSN", re.IGNORECASE)
# Under another name this is no secret, however long: a word, a number, a path, a dotted name or host, a plain URL.
_PLAIN = re.compile(r"[a-z]+|[A-Z]+|True|False|[0-9.]+|/[\w./-]*|(?:https?://)?[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?/?")

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
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
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


class Mask:
    """Replaces the values of an environment in any text by stars."""

    def __init__(self, variables: Iterable[tuple[str, str]]) -> None:
        secret = {form for name, value in variables for part in _secrets_of(name, value) for form in _written(part)}
        # The longest first: one value may be a part of another.
        ordered = sorted(secret, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret value replaced."""
        return self._pattern.sub("********", text) if self._pattern else text


def _secrets_of(name: str, value: str) -> set[str]:
    """Return what must not be shown: the value, each of its lines (a private key has several), the secret in a URL."""
    named = bool(SECRET_NAME.search(name))
    parts = {part for part in (value, *value.splitlines()) if named or not _PLAIN.fullmatch(part)}
    return {part for part in parts if len(part) >= _SHORTEST_SECRET} | _secrets_of_url(value)


def _secrets_of_url(value: str) -> set[str]:
    """Return the password of a URL, or the user of one without a password, which is a token (https://TOKEN@host)."""
    try:
        parts = urlsplit(value)
        secret = parts.password or (parts.username if parts.password is None else "") or ""
    except ValueError:  # looks like a URL, but is none
        return set()
    return {form for form in (secret, unquote(secret)) if parts.password or len(form) >= _SHORTEST_SECRET} - {""}


def _written(secret: str) -> set[str]:
    """Return the forms in which programs write a text: as it is, as Python and JSON quote it, percent-encoded."""
    return {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    }


def mask_of(*paths: str) -> Mask:
    """Return the mask for the values of several env files."""
    return Mask(item for path in paths for item in read(path).items())
