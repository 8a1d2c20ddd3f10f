"""Finds values that a name announces: assignments in any language, pairs in data, cells, arguments and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shipper.check.hygiene.labels import KEY_BEFORE, LATIN_STEMS, OTHER_STEMS, kind_of_label
from shipper.check.hygiene.source import Source

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789_-."
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONGEST_NAME = 48
_REACH = 160
_LONGEST_VALUE = 400
# Languages in which a blank parts a name and its value.
LISPS = frozenset(["clj", "cljs", "cljc", "edn", "el", "lisp", "scm", "rkt"])

_REST_OF_NAME = re.compile(r"[a-z0-9_ñ]{0,40}(?:[.-][a-z0-9_]{1,30}){0,3}")
# Quotes, bold, brackets that close what the label stands in; a remark in brackets; a type.
_CLOSING = r"""[\\"'`*_)\]]{0,6}"""
_REMARK = r"(?:[ ]{0,2}[(（\[][^()（）\[\]\n=:\"'`]{0,30}[)）\]][*_`]{0,3})?"
_TYPE = (
    r"(?:[ ]{0,2}:[ ]{0,2}(?:&?(?:'static )?|readonly |typing\.|optional\[)?(?:str(?:ing)?|bytes|any|"
    r"final(?:\[str\])?|secretstr|char|const char ?\*)\]?"
    r"(?: ?\| ?(?:none|null|undefined))?[?!]?(?=[ ]{0,2}=)|[ ](?:as )?string(?=[ ]=)|[ ]?\{ ?get; ?(?:(?:private "
    r")?(?:set|init); ?)?\}|\[\d{0,4}\])?"
)
_TAIL = re.compile(
    rf"(?P<close>{_CLOSING}){_REMARK}{_TYPE}[ \t]{{0,24}}"
    r"(?P<mark>::|:-|:=|\?=|=>|->|={1,3}|:|：|＝|→|⇒|\|\||\?\?|\||,|\(|\{(?=[\"'])|>|</|)[*_`]{0,3}"
)
# {"name": "DB_PASSWORD", "value": "x"}, <add key="..." value="x"/>, - name: DB_PASSWORD\n  value: x
_PAIR = re.compile(
    r"""[\\"'`]{0,4}(?:,|\s{0,4}:\s{0,4}\{)?\s{0,60}(?:["'\\]{0,3}(?:type|secret|sensitive|enabled|description|"""
    r"""label)["'\\]{0,3}\s{0,3}[:=]\s{0,3}["'\\]{0,3}\w{0,20}["'\\]{0,3},?\s{1,40})?"""
    r"""["'\\]{0,3}(?:parameter|string)?value["'\\]{0,3}\s{0,4}(?:[:=]|=>)\s{0,4}"""
)
_CELL = re.compile(r"\s{0,8}(?:</\w{1,10}>\s{0,40}){1,4}:?\s{0,4}(?:<\w{1,10}[^<>]{0,80}>\s{0,8}){1,4}:?\s{0,4}")
# variable "db_password" { default = "x" }, and the parameters of a stack
_DEFAULT = re.compile(
    r"""["']?\s{0,3}[{:]\s{1,12}(?:["']?(?:type|description|sensitive|noecho|nullable|minlength|"""
    r"""maxlength)["']?[ \t]{0,20}[:=][^\n]{0,120}\n\s{1,20}){0,6}"""
    r"""["']?default["']?[ \t]{0,20}[:=][ \t]{0,4}"""
)
_CLOSED_TAG = re.compile(r"""(?:["' ][^<>]{0,80})?>\s{0,10}(?:<!\[cdata\[)?""")
_FALLBACK = re.compile(
    r"""["'`]?[\])]?\)?[ \t]{0,4}(?P<how>\|\||\?\?|\?:|\bor\b|,\s{0,24}(?:(?:(?:type|required|help|"""
    r"""nargs|dest|envvar|metavar)=[^,\n()]{1,60},\s{0,24}){0,4}default[ \t]{0,2}=[ \t]{0,2})?|"""
    r"""\)\.unwrap_or(?:_else\(\|\w{0,12}\||\()|\) ?\{ ?)[ \t\n]{0,20}(?=["'`])"""
)
_TYPE_BEFORE = re.compile(r"""["']string["'],[ ]{0,2}["']$""", re.IGNORECASE)
_VERB = re.compile(
    r"""[*_`"']{0,3}[ ]{1,2}(?:(?:for|of|on|to|für|de|del|von)[ ](?:[\w'./-]{1,24}[ ]){1,4})?(?:(?:(?:was|is|"""
    r"""has been)[ ])?(?:changed|set|reset|updated)[ ]to|(?:is|was|are|lautet|ist|es|est|é|è)(?:[ ]?:|[ """
    r"""](?:now|currently|still))?|->|=)[ ]{1,2}[*_`]{0,3}"""
)
_PARTICLE = re.compile(
    r"(?: ?(?:키|값|번호))?[*_`\"']{0,3}(?:는|은|가|이|를|로|は|が|是|为)[ ,]{0,3}(?:현재 |지금 |아래 )?[*_`]{0,3}"
)
_DASH = re.compile(r"[*_`]{0,3} [-–—:] (?=\S)")
_OTHER_TAIL = re.compile(r"(?: ?(?:키|값))?")
_NEXT_LINE = re.compile(
    r"[ ]{0,3}(?:[|>][-+]?)?[ ]{0,3}\r?\n(?:```\w{0,12}\r?\n)?[ \t]{0,24}(?=[*`]{0,3}[^\s:#`|<>{}\[\]*-][^\s:`|"
    r"<>]{4,80}[*`]{0,3}[ \t]{0,3}(?:\r?\n|$))"
)
# Blanks, the anchor or tag of YAML, bold, and the tags of a page around a value.
_BLANKS = re.compile(
    r"[ \t]{0,24}(?:(?:&\w{1,40}|!!str)[ ]{1,4})?[*_]{0,3}"
    r"(?:<(?:b|strong|code|em|i|span|kbd|mark|pre|p|td|dd)\b[^<>]{0,60}>[ \t]{0,4}){0,3}(?=\S)"
)
_OPEN = re.compile(
    r"""(?:[rbuf@$]{1,2}(?=["']))?(?:secret_?str\(|secret\(|quote\(|\[\]byte\(|\((?:\r?\n[ \t]{1,24})?|"""
    r"""new_?secret\(|\{(?=["'`])|[\w.]{0,20}(?:field|option|column|query|header)\([^()"'\n]{0,40}default ?= ?)?"""
    r"""(?P<quote>``|\"{3}|'{3}|\\{0,3}["'`“‘「]|&quot;)""",
    re.I,
)
_BARE = re.compile(r"[!-~]{1,400}")
_CLOSERS = {"“": "”", "‘": "’", "「": "」"}


@dataclass(frozen=True)
class Named:
    """A value and what announces it: offsets of the label and of the value, whether the value stands in quotes.

    `mark` is what stands between: "=", ":", "|", "(", " " (a command line), "is" (a sentence), "pair", "||" and so on.
    """

    kind: str
    label: str
    at: int
    start: int
    end: int
    value: str
    quoted: bool
    mark: str


def find_named(source: Source) -> Iterator[Named]:
    """Yield every value behind a name that says it is a secret, in the order of the words it is found by."""
    for stem in LATIN_STEMS:
        yield from _find_latin(source, stem)
    if not source.text.isascii():
        for stem, kind in OTHER_STEMS.items():
            yield from _find_other(source, stem, kind)


def _find_latin(source: Source, stem: str) -> Iterator[Named]:
    lower = source.lower
    at = lower.find(stem) if source.has(stem) else -1
    while at >= 0:
        following = at + len(stem)
        if stem == "key" and not lower[max(0, at - 20) : at].rstrip("_-. ").endswith(KEY_BEFORE):
            at = lower.find(stem, following)
            continue
        rest = source.match(_REST_OF_NAME, following, _LONGEST_NAME + 40, lower=True)
        end = rest.end() if rest else following
        before = lower[max(0, at - _LONGEST_NAME) : at]
        start = at - (len(before) - len(before.rstrip(_NAME)))
        start = _with_first_word(lower, start, at, stem)
        kind = kind_of_label(source.text[start:end].strip("-._"))
        named = _value_after(source, kind, start, end) if kind else None
        if named:
            yield named
        at = lower.find(stem, max(end, following))


def _with_first_word(lower: str, start: int, at: int, stem: str) -> int:
    """Take the word before into a label of two words: "API key", "access token"; "mot de passe" is one as well."""
    if stem in ("key", "pass") and start == at and lower[at - 1 : at] == " ":
        head = lower[max(0, at - 14) : at - 1]
        if stem == "pass" and not head.endswith("mot de"):
            return start
        word = len(head) - len(head.rstrip(_LETTERS))
        return at - 1 - word if word else start
    return start


def _find_other(source: Source, stem: str, kind: str) -> Iterator[Named]:
    at = source.lower.find(stem)
    while at >= 0:
        end = at + len(stem)
        tail = source.match(_OTHER_TAIL, end, 8)
        named = _value_after(source, kind, at, tail.end() if tail else end)
        if named is not None and named.mark == " ":
            named = replace(named, mark="is")
        if named is None and (particle := source.match(_PARTICLE, end, 40)):
            named = _read_value(source, kind, (at, end), particle.end(), "is")
        if named is None and source.text[end : end + 1] == " ":
            named = _read_value(source, kind, (at, end), end + 1, "is")
        if named:
            yield named
        at = source.lower.find(stem, end)


def _value_after(source: Source, kind: str, start: int, end: int) -> Named | None:
    label = (start, end)
    opened = source.text[start - 1 : start]
    beside = opened == ":" and source.text[end : end + 1] in (":", '"', "'")
    if beside and source.text[end : end + 2] != ": " and not _is_field(source, start):
        # arn:aws:secretsmanager:...:secret:name, "AWS::IAM::AccessKey": 1
        return None
    follows = source.text[end : end + 1]
    if (opened == "<" and follows in (">", " ")) or (opened == ":" and follows == ">"):
        tag = source.match(_CLOSED_TAG, end, _REACH)
        return _read_value(source, kind, label, tag.end(), ">") if tag else None
    pair = source.match(_PAIR, end, _REACH, lower=True)
    if pair is None and follows in ('"', ":", " "):
        pair = source.match(_DEFAULT, end, 700, lower=True)
    if pair:
        return _read_value(source, kind, label, pair.end(), "pair")
    tail = source.match(_TAIL, end, _REACH, lower=True)
    if tail is None:
        return None
    if not source.text.isascii() and (particle := source.match(_PARTICLE, end, 40)):
        return _read_value(source, kind, label, particle.end(), "is")
    if source.place.document and (dash := source.match(_DASH, end, 12)):
        return _read_value(source, kind, label, dash.end(), "is")
    mark, close = tail["mark"], tail["close"]
    if mark in ("", ",", "||", "??") or (mark == "=" and close.startswith(("'", '"')) and not close.endswith("]")):
        return _value_without_mark(source, kind, label, tail)
    if mark == ">" and close:
        return _read_value(source, kind, label, tail.end(), ">")
    if mark in (">", "</"):
        cell = source.match(_CELL, end, _REACH, lower=True)
        return _read_value(source, kind, label, cell.end(), "cell") if cell else None
    return _read_value(source, kind, label, tail.end(), mark)


def _value_without_mark(source: Source, kind: str, label: tuple[int, int], tail: re.Match[str]) -> Named | None:
    """Read `getenv("X", "value")`, `--password value`, `the password is value`."""
    start, end = label
    cell = source.match(_CELL, end, _REACH, lower=True)
    if cell:
        return _read_value(source, kind, label, cell.end(), "cell")
    fallback = source.match(_FALLBACK, end, 200, lower=True)
    if fallback and fallback["how"] == "or" and not source.place.code:
        fallback = None
    option = source.text[start : start + 1] == "-"
    if fallback and (not fallback["how"].startswith(",") or option or _is_first_argument(source.text, start)):
        return _read_value(source, kind, label, fallback.end(), "||")
    if tail["mark"] == "=":
        return _read_value(source, kind, label, tail.end(), "=")
    verb = source.match(_VERB, end, 80, lower=True)
    if verb:
        return _read_value(source, kind, label, verb.end(), "is")
    first_of_line = source.text[max(0, start - 1) : start] in ("", "\n", " ", "\t", "(")
    before = source.text[max(0, start - 8) : start].lower()
    spoken = first_of_line and (not source.place.code or before.endswith(("#define ", "(def ")))
    if option or spoken or before.endswith("set(") or _is_keyword(source, start):
        return _read_value(source, kind, label, end, " ")
    return None


def _is_field(source: Source, start: int) -> bool:
    """Tell `:password: value` at the beginning of a line: a field of reStructuredText, an attribute of AsciiDoc."""
    return source.place.document and not source.text[max(0, start - 8) : start - 1].rpartition("\n")[2].strip()


def _is_keyword(source: Source, start: int) -> bool:
    """Tell `:password "value"` in Clojure and its relatives."""
    return source.place.suffix in LISPS and source.text[start - 1 : start] == ":"


def _is_first_argument(text: str, start: int) -> bool:
    """Tell `define('NAME', ...)` and `set :name, ...` from a list of names."""
    before = text[max(0, start - 16) : start]
    # buildConfigField("String", "NAME", "value")
    if before.endswith(" :") or _TYPE_BEFORE.search(before):
        return True
    opened = before.rstrip("\"'`: ")
    return opened.endswith("(") and len(opened) >= 2 and (opened[-2].isalnum() or opened[-2] == "_")


def _read_value(source: Source, kind: str, label: tuple[int, int], at: int, mark: str) -> Named | None:
    text = source.text
    place = source.place
    below = None
    if mark in (":", "：", "=") and not (place.code or place.quoted or place.line_values):
        below = source.match(_NEXT_LINE, at, 200)
    blanks = None if below else source.match(_BLANKS, at, 240)
    if below:
        at, mark = below.end(), "below"
    elif blanks:
        at = blanks.end()
    else:
        return None
    opened = source.match(_OPEN, at, 90)
    if opened:
        span = _quoted_span(source, opened)
        if span is None:
            return None
    else:
        bare = source.match(_BARE, at, _LONGEST_VALUE)
        if bare is None:
            return None
        span = bare.span()
    return Named(kind, text[label[0] : label[1]], label[0], *span, text[span[0] : span[1]], bool(opened), mark)


def _quoted_span(source: Source, opened: re.Match[str]) -> tuple[int, int] | None:
    """Return where the text in quotes is; None when the quotes do not close on this line."""
    quote = opened["quote"]
    closing = _CLOSERS.get(quote, quote)
    start = opened.end()
    limit = min(len(source.text), start + _LONGEST_VALUE)
    source.spent += limit - start
    end = source.text.find(closing, start, limit)
    while end > start and len(closing) == 1 and source.text[end - 1] == "\\":
        end = source.text.find(closing, end + 1, limit)
    if end <= start or "\n" in source.text[start:end]:
        return None
    return start, end
