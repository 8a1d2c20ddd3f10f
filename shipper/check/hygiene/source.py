"""A file's bytes as text, in whatever encoding they were saved, with a count of how much of it the rules looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property

from shipper.check.hygiene.place import Place, place_of

# More control characters than this among the first bytes, and nobody wrote it by hand.
_LOOKED_AT = 8192
_MOST_CONTROLS = 0.05
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_WIDE_RUN = re.compile(rb"(?:[\x20-\x7e]\x00){16,}")
# Bundles and the like: lines that no person reads.
_LONG_LINES = 600
_LONG_FILE = 20_000


# Letters (small), digits and "_" as they are, anything else a blank.
_IN_WORDS = bytes(
    ord(chr(byte).lower()) if byte < 128 and (chr(byte).isalnum() or chr(byte) == "_") else ord(" ")
    for byte in range(256)
)


@cache
def _longest_word(needle: str) -> bytes:
    """Return the longest word of ASCII in what is searched for; nothing, which is everywhere, when it has none."""
    return max(re.findall(r"[a-z0-9_]+", needle, re.ASCII), key=len, default="").encode()


@dataclass
class Source:
    """A file to be looked at. `text` is all of it; `lower` is the same, letter by letter, in lower case.

    Line n of `text` is line n of the file; of a binary file `text` is the bytes as Latin-1 and lines mean nothing.
    `spent` counts the characters that were handed to the patterns of rules: the work, whatever the machine.
    """

    place: Place
    text: str
    binary: bool
    shaped_only: bool
    spent: int = field(default=0)
    _known: dict[str, bool] = field(default_factory=dict, repr=False)

    @cached_property
    def lower(self) -> str:
        """The text in lower case, with the offsets of `text`."""
        lower = self.text.lower()
        if len(lower) == len(self.text):
            return lower
        # A few letters, such as the Turkish capital I with a dot, become two.
        return "".join(low if len(low := letter.lower()) == 1 else letter for letter in self.text)

    @cached_property
    def raw(self) -> bytes:
        """The text as bytes with one byte a character (what is not Latin-1 is "?"): offsets are those of `text`."""
        return self.text.encode("latin-1", "replace")

    @cached_property
    def words(self) -> bytes:
        """Every word of the text once, in lower case: a few times shorter than the text, so sooner searched through."""
        return b" ".join(set(self.raw.translate(_IN_WORDS).split()))

    def has(self, needle: str) -> bool:
        """Tell whether a text is in `lower`; asked once, remembered."""
        known = self._known.get(needle)
        if known is None:
            word = _longest_word(needle)
            # What is not even in a word of it is nowhere.
            known = self._known[needle] = word in self.words and (len(word) == len(needle) or needle in self.lower)
        return known

    def line_at(self, offset: int) -> int | None:
        """Return the line (from 1) of an offset, or None in a binary file."""
        return None if self.binary else self.text.count("\n", 0, offset) + 1

    def match(self, pattern: re.Pattern[str], start: int, reach: int, *, lower: bool = False) -> re.Match[str] | None:
        """Match at `start`, looking at no more than `reach` characters."""
        end = min(len(self.text), start + reach)
        self.spent += end - start
        return pattern.match(self.lower if lower else self.text, start, end)

    def search_before(self, pattern: re.Pattern[str], end: int, reach: int) -> re.Match[str] | None:
        """Search in the `reach` characters before `end`, on the same line."""
        start = max(0, end - reach, self.text.rfind("\n", max(0, end - reach), end) + 1)
        self.spent += end - start
        return pattern.search(self.text[start:end])


def read_source(path: str, data: bytes, *, shaped_only: bool = False) -> Source:
    """Return the file as a Source; bytes that make no text are never an error."""
    place = place_of(path)
    text, binary = _decode(data)
    minified = place.code and len(text) > _LONG_FILE and len(text) > _LONG_LINES * (text.count("\n") + 1)
    return Source(place, text, binary, shaped_only or binary or minified or place.shaped_only)


def _decode(data: bytes) -> tuple[str, bool]:
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace").replace("\0", " "), False
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), False
    wide = _wide_encoding(data) if b"\0" in data else None
    if wide:
        return data.decode(wide, "replace"), False
    beginning = data[:_LOOKED_AT]
    controls = len(beginning) - len(beginning.translate(None, _CONTROLS))
    if controls > _MOST_CONTROLS * len(beginning) + 1 or data.count(0) > _MOST_CONTROLS * len(data) + 1:
        return _latin(data), True
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _old_encoding(data)
    # A NUL must not hide the word that it stands in, nor join what it parts.
    return (text.replace("\0", " ") if "\0" in text else text), False


def _wide_encoding(data: bytes) -> str | None:
    """Tell UTF-16 without a byte order mark: in text with some ASCII, every other byte is mostly NUL."""
    sample = data[: _LOOKED_AT // 2 * 2]
    if len(sample) < 4 or len(data) % 2:
        sample = sample[: len(sample) // 2 * 2]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    # Korean has no NULs in it: a fifth of the characters (blanks, digits, Latin letters, line ends) is enough.
    enough = len(sample) // 2 * 0.2
    for encoding, many, few in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if many > enough and few <= many * 0.25:
            text = sample.decode(encoding, "replace")
            strange = sum(1 for letter in text if letter < " " and letter not in "\t\r\n\f") + text.count("\ufffd")
            if strange <= len(text) * 0.02 + 1:
                return encoding
    return None


def _old_encoding(data: bytes) -> str:
    """Decode what is not UTF-8: CP949, which Korean Windows saves, else UTF-8 with a few broken bytes, else Latin-1."""
    try:
        return data.decode("cp949")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    return text if text.count("\ufffd") * 20 < len(text) else data.decode("latin-1")


def _latin(data: bytes) -> str:
    """Return binary data as text, with the ASCII texts that are stored as UTF-16 in it appended."""
    wide = b"\n".join(run[0][0::2] for run in _WIDE_RUN.finditer(data)) if b"\0" in data else b""
    return (data + b"\n" + wide if wide else data).decode("latin-1")
