"""Patterns that are compiled at their first use: a commit without anything like a secret pays for none of them."""

from __future__ import annotations

import re
from functools import cached_property


class LatePattern:
    """A regular expression that costs nothing before its first use."""

    def __init__(self, source: str) -> None:
        self._source = source

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._source)

    def search(self, text: str) -> re.Match[str] | None:
        """As re.Pattern.search."""
        return self._compiled.search(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """As re.Pattern.fullmatch."""
        return self._compiled.fullmatch(text)
