"""Where the keys of a TOML text stand, for messages that name a line. The text must already be valid TOML."""

from __future__ import annotations

import json
import re
from collections import Counter

# A place in the document: keys, and indices in arrays, from the outside in.
Location = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")


def find_lines(text: str) -> dict[Location, int]:
    """Return the line, counted from 1, of every table, key and array element of a valid TOML text.

    A table that is only implied (`[a.b]` without `[a]`) has the line of the first header that names it.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def nearest_line(lines: dict[Location, int], location: Location) -> int:
    """Return the line of a location, or of the closest table around it; 1 when that is the document itself."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


class _Scanner:
    """A walk over the text (TOML 1.0) that keeps nothing but positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.lines: dict[Location, int] = {}
        self._elements: Counter[Location] = Counter()

    def document(self) -> None:
        table: Location = ()
        self._skip_blank()
        while self.position < len(self.text):
            if self.text[self.position] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip_blank()

    def _header(self) -> Location:
        """Read `[a.b]` or `[[a.b]]` and return the location that the following keys belong to."""
        array = self.text.startswith("[[", self.position)
        brackets = 2 if array else 1
        self.position += brackets
        location: Location = ()
        keys = self._keys()
        for depth, key in enumerate(keys):
            location += (key,)
            self._record(location)
            last = depth == len(keys) - 1
            if last and array:
                self._elements[location] += 1
            if self._elements[location]:
                location += (self._elements[location] - 1,)
                self._record(location)
        self.position += brackets
        return location

    def _assignment(self, table: Location) -> None:
        location = table
        start = self.position
        for key in self._keys():
            location += (key,)
            self._record(location, start)
        self.position += 1  # the '='
        self._skip_blank()
        self._value(location)

    def _value(self, location: Location) -> None:
        opening = self.text[self.position]
        if opening == "[":
            self._sequence(location, "]")
        elif opening == "{":
            self._sequence(location, "}")
        else:
            found = _STRING.match(self.text, self.position) or _SCALAR.match(self.text, self.position)
            assert found is not None
            self.position = found.end()

    def _sequence(self, location: Location, closing: str) -> None:
        """Read the elements of an array, or the assignments of an inline table."""
        self.position += 1
        index = 0
        self._skip_blank()
        while self.text[self.position] != closing:
            if closing == "]":
                self._record((*location, index))
                self._value((*location, index))
                index += 1
            else:
                self._assignment(location)
            self._skip_blank()
            if self.text[self.position] == ",":
                self.position += 1
                self._skip_blank()
        self.position += 1

    def _keys(self) -> list[str]:
        """Read a key such as `a."b c".d`, and the blanks around it."""
        keys: list[str] = []
        while True:
            self._skip_blank()
            quoted = _STRING.match(self.text, self.position)
            found = quoted or _BARE_KEY.match(self.text, self.position)
            assert found is not None
            keys.append(_unquote(found.group()) if quoted else found.group())
            self.position = found.end()
            self._skip_blank()
            if self.text[self.position] != ".":
                return keys
            self.position += 1

    def _skip_blank(self) -> None:
        found = _BLANK.match(self.text, self.position)
        assert found is not None
        self.position = found.end()

    def _record(self, location: Location, position: int | None = None) -> None:
        start = self.position if position is None else position
        self.lines.setdefault(location, self.text.count("\n", 0, start) + 1)


def _unquote(quoted: str) -> str:
    if quoted.startswith("'"):
        return quoted[1:-1]
    try:
        # TOML's escapes are JSON's, except for \UXXXXXXXX, which nobody puts into a key.
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]
