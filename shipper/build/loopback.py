"""Recognises addresses that lead back to the visitor's own computer, in source and in built files, however escaped."""

from __future__ import annotations

import re
from urllib.parse import unquote

# A slash and a colon as they stand in JavaScript, in JSON inside JavaScript, and percent-encoded: parts of patterns.
SLASH = r"(?:\\{0,3}/|%2[Ff])"
COLON = r"(?::|%3[Aa])"
_HOST = r"(?:localhost(?![\w.-])|127\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.])|0\.0\.0\.0(?![\w.])|\[::1\])"
ADDRESS = re.compile(
    rf"(?P<scheme>(?:https?|wss?){COLON})?{SLASH}{SLASH}"
    rf"(?P<host>{_HOST})(?P<port>{COLON}\d*)?(?P<path>{SLASH}[\w$.~%{{}}-]*)*",
    re.ASCII | re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return an address as people write it: without backslashes and percent signs."""
    return unquote(text.replace("\\", ""))


def is_loopback(url: str) -> bool:
    """Say whether a URL leads to the computer that opens it."""
    return ADDRESS.search(url) is not None
