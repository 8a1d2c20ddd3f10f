"""Patterns of paths in `ship.toml`: `*` and `?` stay within a folder, `**` goes through any number of them."""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"(?P<folders>\*\*/)|(?P<rest>\*\*)|(?P<name>\*)|(?P<letter>\?)|(?P<plain>[^*?]+)")
_MEANINGS = {"folders": "(?:[^/]+/)*", "rest": ".*", "name": "[^/]*", "letter": "[^/]"}


def matches_glob(pattern: str, path: str) -> bool:
    """Say whether a POSIX path is one that the whole pattern means; upper and lower case are told apart.

    Brackets mean themselves: frameworks name files `[id].tsx`.
    """
    return _compile(pattern).fullmatch(path) is not None


@lru_cache(maxsize=512)
def _compile(pattern: str) -> re.Pattern[str]:
    parts = (_MEANINGS.get(found.lastgroup or "") or re.escape(found[0]) for found in _PARTS.finditer(pattern))
    return re.compile("".join(parts), re.DOTALL)
