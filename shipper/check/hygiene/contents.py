"""Looks into a file for secrets: every rule about contents, run over one file's bytes, each secret told once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from shipper.check.hygiene.found import Found

# Everything else is imported where it is used: whoever imports this module and checks no file pays for no pattern.
if TYPE_CHECKING:
    from shipper.check.hygiene.sighting import Sighting
    from shipper.check.hygiene.source import Source

# Pictures, sounds and fonts that are what they are called: nobody wrote anything into them, and they are large.
_MEDIA = frozenset(
    ".avif .bmp .eot .flac .gif .heic .ico .jpeg .jpg .m4a .m4v .mov .mp3 .mp4 .ogg .otf .png .tif .tiff .ttf .wav "
    ".webm .webp .woff .woff2".split()
)
# Nobody reads more than this about one file, and nobody can hide an error behind more warnings than these.
_MOST_TOLD = 50
_MOST_SEEN = 400


def check_contents(path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
    """Return what secrets stand in a file, in the order of its lines, at most fifty (errors first).

    `path` is relative, with "/": it tells what kind of file it is. `data` is all of it, in any encoding, text or not.
    With `shaped_only` (for built or minified files) only what has a shape of its own is looked for: tokens of known
    providers, private keys, URLs with a password.
    """
    from shipper.check.hygiene.source import read_source

    source = read_source(path, data, shaped_only=shaped_only)
    return [] if source.binary and PurePosixPath(path).suffix.lower() in _MEDIA else scan(source)


def rules_digest() -> str:
    """Return a hash (64 hex digits) of all rule data and code: what a cache of results must be kept under."""
    from shipper.check.hygiene.rules import digest_of_rules

    return digest_of_rules()


def scan(source: Source) -> list[Found]:
    """Run every rule over a file that was read; `source.spent` says afterwards how much work it was."""
    from shipper.check.hygiene.rules import make_found

    taken: list[tuple[int, int]] = []
    seen: list[Sighting] = []
    for sighting in islice(_sightings(source), _MOST_SEEN):
        # The most exact rules come first; what another has told is not told again.
        if all(sighting.end <= start or sighting.start >= end for start, end in taken):
            taken.append((sighting.start, sighting.end))
            seen.append(sighting)
    told = sorted(seen, key=lambda sighting: sighting.severity != "error")[:_MOST_TOLD]
    return [
        make_found(sighting.rule, sighting.severity, source.line_at(sighting.start), sighting.words, sighting.value)
        for sighting in sorted(told, key=lambda sighting: sighting.start)
    ]


def _sightings(source: Source) -> Iterator[Sighting]:
    from shipper.check.hygiene.addresses import find_url_passwords
    from shipper.check.hygiene.private_keys import find_private_keys
    from shipper.check.hygiene.tokens import find_announced, find_tokens

    yield from find_tokens(source)
    yield from find_announced(source)
    yield from find_private_keys(source)
    yield from find_url_passwords(source)
    if source.shaped_only:
        return
    from shipper.check.hygiene.commands import find_basic_headers, find_in_commands
    from shipper.check.hygiene.fences import find_in_fences
    from shipper.check.hygiene.inserts import find_in_inserts
    from shipper.check.hygiene.manifests import find_in_manifests
    from shipper.check.hygiene.naming import find_named_secrets
    from shipper.check.hygiene.tables import find_in_csv, find_in_html_tables, find_in_markdown_tables

    if source.place.table:
        yield from find_in_csv(source)
        return
    # What Excel calls "Text (Tab delimited)".
    if source.place.suffix == "txt" and "\t" in source.text.partition("\n")[0]:
        yield from find_in_csv(source)
    yield from find_in_manifests(source)
    yield from find_basic_headers(source)
    yield from find_named_secrets(source)
    yield from find_in_commands(source)
    yield from find_in_inserts(source)
    if source.place.document:
        yield from find_in_markdown_tables(source)
        yield from find_in_html_tables(source)
        yield from find_in_fences(source)
