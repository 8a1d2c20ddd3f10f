"""The rules of contents as data: `rules.toml`, read once and not before the first file is looked at."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from shipper.check.hygiene.found import Found
from shipper.findings import Severity

_FOLDER = Path(__file__).parent
# How far a pattern may look when its rule does not say otherwise, in characters.
_REACH = 360


@dataclass(frozen=True)
class Words:
    """What a rule tells people."""

    what: str
    why: str
    fix: str


@dataclass(frozen=True)
class Shape:
    """A pattern and where to try it: at one of `near` (or `prefixes`), if what stands before fits `before`.

    `gates` are short texts of which one is in every file that has one of `near`: one search saves many. `needs` is a
    text that is in the file as well. `where` is "code" (and what shows code), "text" (all but code) or "" (both).
    """

    rule: str
    severity: Severity
    kind: str
    near: tuple[str, ...]
    gates: tuple[str, ...]
    needs: str
    where: str
    source: str
    before_source: str
    ignore_case: bool
    reach: int
    documents: bool
    words: Words

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of the value, compiled when it is first needed."""
        return re.compile(self.source, re.IGNORECASE if self.ignore_case else 0)

    @cached_property
    def before(self) -> re.Pattern[str] | None:
        """The pattern of what must stand before."""
        return re.compile(self.before_source, re.IGNORECASE) if self.before_source else None


# Rules by where they count, what they need and their gates: a file is asked once for all that share them.
Gated = Mapping[tuple[str, str, tuple[str, ...]], tuple[Shape, ...]]


@dataclass(frozen=True)
class Rules:
    """All of `rules.toml`. `starts` finds every place in a run of letters and digits where a token may begin."""

    texts: Mapping[str, Words]
    tokens: Mapping[str, tuple[Shape, ...]]
    starts: re.Pattern[str]
    places: Gated
    lines: Gated


@cache
def load_rules() -> Rules:
    """Return the rules of `rules.toml`."""
    data = tomllib.loads((_FOLDER / "rules.toml").read_text(encoding="utf-8"))
    texts = {name: Words(**words) for name, words in data["texts"].items()}
    tokens: dict[str, tuple[Shape, ...]] = {}
    for entry in data["token"]:
        shape = _shape(entry, texts, "token", ignore_case=False)
        for prefix in shape.near:
            tokens[prefix] = (*tokens.get(prefix, ()), shape)
    longest_first = sorted(tokens, key=len, reverse=True)
    return Rules(
        texts=texts,
        tokens=tokens,
        starts=re.compile("(?<![A-Za-z0-9])(?:" + "|".join(re.escape(prefix) for prefix in longest_first) + ")"),
        places=_by_gates(_shape(entry, texts, "key", ignore_case=True) for entry in data["place"]),
        lines=_by_gates(_shape(entry, texts, entry["kind"], ignore_case=True) for entry in data["line"]),
    )


def _by_gates(shapes: Iterable[Shape]) -> Gated:
    grouped: dict[tuple[str, str, tuple[str, ...]], tuple[Shape, ...]] = {}
    for shape in shapes:
        key = (shape.where, shape.needs, shape.gates)
        grouped[key] = (*grouped.get(key, ()), shape)
    return grouped


def _shape(entry: dict[str, Any], texts: Mapping[str, Words], kind: str, *, ignore_case: bool) -> Shape:
    rule = entry.get("id", f"secret.{kind}")
    usual = texts.get(rule) or texts.get(kind) or texts["password"]
    return Shape(
        rule=rule,
        severity=entry.get("severity", "error"),
        kind=kind,
        near=tuple(entry.get("near") or entry["prefixes"]),
        gates=tuple(entry.get("gates", ())),
        needs=entry.get("needs", ""),
        where=entry.get("where", ""),
        source=entry["pattern"],
        before_source=entry.get("before", ""),
        ignore_case=ignore_case,
        reach=entry.get("reach", _REACH),
        documents=entry.get("documents", False),
        words=Words(entry.get("what", usual.what), entry.get("why", usual.why), entry.get("fix", usual.fix)),
    )


def describe(value: str) -> str:
    """Return what may be said of a value: its length, and its first two characters when that gives nothing away."""
    size = f"{len(value)} characters"
    # Two of eight characters are a quarter of the work of guessing.
    return f"{size}, beginning with {value[:2]!r}" if len(value) >= 16 and value[:2].isalnum() else size


def make_found(rule: str, severity: Severity, line: int | None, words: Words, value: str) -> Found:
    """Return a Found about one value, which is described and never shown."""
    return Found(rule, severity, line, f"{words.what} ({describe(value)})", words.why, words.fix)


@cache
def digest_of_rules() -> str:
    """Return a hash of all code and data of this folder: what a cache of findings must be kept under."""
    from hashlib import sha256

    state = sha256()
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in (".py", ".toml"):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            state.update(f"{path.name}\0{len(content)}\0".encode())
            state.update(content)
    return state.hexdigest()
