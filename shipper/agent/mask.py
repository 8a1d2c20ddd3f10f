"""Replacing secrets by stars in whatever is shown: on the server, and on the machine of those who ship."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, urlsplit

_SHORTEST_SECRET = 6  # masking shorter values would blot out ordinary words
SECRET_NAME = re.compile(r"SECRET|PASS|PWD|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|SALT|DSN", re.IGNORECASE)
# Under another name this is no secret, however long: a word, a number, a path, a dotted name or host, a plain URL.
_PLAIN = re.compile(r"[a-z]+|[A-Z]+|True|False|[0-9.]+|/[\w./-]*|(?:https?://)?[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?/?")


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
