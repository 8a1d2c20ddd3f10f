"""Decides what a value behind a secret's name means in the kind of file where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.check.hygiene.assignments import LISPS, Named, find_named
from shipper.check.hygiene.labels import kind_of_label
from shipper.check.hygiene.place import Place
from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import Grade, grade, is_common_word, is_wordy
from shipper.findings import Severity

# How far back a line is read to tell a text or a comment from an expression.
_LOOK_BACK = 240
_COMMENT = re.compile(r"(?:^|[\s;{}(,])(?:#|//|/\*|<!--|--[ ])|^\s{0,40}\*")
# Where the next setting of a connection string or a query begins, or the line of a text inside a text ends.
_NEXT_SETTING = re.compile(r"[;&,](?=[\w.\[\]-]{1,60}(?: \w{1,20}){0,2}=)|;$|\\[nrt\"'\\]|&amp;|&quot;")
_STOPS = re.compile(r"[\"'`<>|“”]")
_SECOND = re.compile(r"[*_`]{0,3} ?/ ?[*_`]{0,3}([!-~]{4,80})")
_EXPRESSION = re.compile(
    r"(?:new |await )|[A-Za-z_][\w.]{0,80}\(|[A-Za-z_]\w{0,40}(?:\.[A-Za-z_]\w{0,40}){1,6}$|[A-Za-z_]\w{0,40}\["
)
# Letters, digits and a mark that no prose has in the middle or at the end of a word.
_STRONG = re.compile(
    r"(?=[!-~]{0,60}[0-9])(?=[!-~]{0,60}[A-Za-z])(?=[!-~]{0,60}[!@#$%^&*~?])"
    r"[A-Za-z0-9!@#$%^&*~?_+-]{8,60}"
)
_UNIT = re.compile(
    r" ?(?:자리?|글자|회|번|개|일|분|초|시간|characters?|chars?|bits?|bytes?|digits?|days?|hours?|minutes?)(?![a-z])"
)
_GOES_ON = re.compile(r",? [A-Za-z]")
_STAND_IN = re.compile(r"test|marker|insecure|postgres|mysql|root|dummy|ci[-_]|[-_]ci|local|secret|password|pass")
# RFC 1123: a label, as Kubernetes names its objects.
_NAME_OF_A_SECRET = re.compile(r"(?:[a-z0-9]{1,20}-){0,6}secrets?(?:-[a-z0-9]{1,8}){0,3}")
# Languages in which `storePassword 'value'` is a call.
_CALLS = frozenset(["gradle", "groovy", "rb", "ru", "conf", "cnf", ""])
# What stands before a name and a value with nothing but a blank between them.
_DECLARE = frozenset(
    "env arg export setenv setx set set( define #define (def fastcgi_param uwsgi_param scgi_param "
    "proxy_set_header".split()
)
# What nginx passes a request to.
_UPSTREAMS = frozenset(["proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"])
_SPACED = frozenset(["", "conf", "cnf", "cfg", "netrc", "pgpass", "rc", "ovpn", "txt", "md"])
_SEED = re.compile(
    r"(?:^|[/._-])(?:seeds?|seeders?|factory|factories|storybook)(?:$|[/._-])|(?:^|/)(?:demos?|examples?|"
    r"samples?|tutorials?)/",
    re.IGNORECASE,
)


def find_named_secrets(source: Source) -> Iterator[Sighting]:
    """Yield the values that a name announces and that are no placeholder, no reference and no description."""
    texts = load_rules().texts
    for named in find_named(source):
        value = _own_value(source, named)
        if value is None:
            continue
        severity = _severity(source, named, value)
        if severity:
            start = source.text.find(value, named.start, named.end + 90)
            start = named.start if start < 0 else start
            yield Sighting(f"secret.{named.kind}", severity, start, start + len(value), value, texts[named.kind])


def _own_value(source: Source, named: Named) -> str | None:
    """Return the value without what only follows it, or None when it is an expression or part of a sentence."""
    place = source.place
    # psql(1) puts a variable in for `:'name'`.
    is_put_in = place.suffix == "sql" and source.text[named.start - 2 : named.start] == ":'"
    if is_put_in or _is_in_template(source, named.at):
        return None
    if named.quoted:
        # "Pass `x=True` to it": a verb.
        spoken = (place.document or place.suffix in _CALLS) and named.label.lower() not in ("pass", "key")
        called = named.label.startswith("-") or spoken or place.suffix in LISPS or _is_declared(source, named)
        # Spring Security writes the encoding before the password; this one is none.
        return named.value.removeprefix("{noop}") if named.mark != " " or called else None
    if not _is_where_bare_values_are(source, named):
        return None
    value = _cut(source, named)
    if _EXPRESSION.match(value) and not place.line_values:
        return None
    if place.quoted and not value.isdigit() and not _is_text(source, named) and not _is_exported(source, named):
        return None
    end = named.start + len(value)
    if _UNIT.match(source.text[end : end + 12]):
        return None
    # ID / PW: admin / x
    is_pair = "/" in source.text[max(0, named.at - 3) : named.at]
    second = source.match(_SECOND, end, 90) if is_pair else None
    return second[1].rstrip("*_`|,.)") if second else value


def _is_where_bare_values_are(source: Source, named: Named) -> bool:
    """Tell whether a value without quotes can be one here, by what stands between it and its name."""
    place, mark = source.place, named.mark
    if mark in ("(", "{", "||", ","):
        return False
    if mark == " ":
        return _is_spaced(source, named)
    if mark == "|":
        return place.document and _is_whole_cell(source, named)
    if mark == "below" and "=" in named.value[:-2]:
        return False
    # $password = expression, in PHP, Perl and PowerShell
    if (mark == "::" and not place.document) or (mark in ("=", "=>") and source.text[named.at - 1 : named.at] == "$"):
        return False
    return not place.code or mark == "cell" or not named.label.isascii() or _is_text(source, named)


def _is_spaced(source: Source, named: Named) -> bool:
    """Tell `--password x`, `ENV DB_PASSWORD x` and the lines of files that part names and values by a blank."""
    if named.label.startswith("-"):
        return not source.place.code or _is_text(source, named)
    if not source.text[named.at + len(named.label)].isspace() or named.label.lower() in _UPSTREAMS:
        return False
    if source.place.document and _is_spoken(source, named):
        return True
    return _is_declared(source, named) or (
        source.place.suffix in _SPACED and _begins_line(source, named) and not named.value.startswith("(")
    )


def _cut(source: Source, named: Named) -> str:
    value = named.value
    if named.mark == ">":
        return value.partition("</")[0] if "</" in value else ""
    inside = source.text[max(0, named.at - 60) : named.at]
    if named.mark in (":-", ":", "?=", "=") and "${" in inside and "}" not in inside.rpartition("${")[2]:
        return value.partition("}")[0] if named.mark != ":" or not value.startswith(("?", "+")) else ""
    stop = _NEXT_SETTING.search(value)
    value = value[: stop.start()] if stop else value
    if not source.place.line_values or _is_text(source, named):
        stop = _STOPS.search(value)
        value = value[: stop.start()] if stop else value
        value = value.rstrip(".,;:*_\\")
        for closing, opening in (")(", "][", "}{"):
            while value.endswith(closing) and value.count(opening) < value.count(closing):
                value = value[:-1].rstrip(".,;:*_")
    # ID/PW: admin/x, but not s/PW=.*/PW=$new/, which is sed(1).
    if "/" in value and "=" not in value and source.text[named.at - 1 : named.at] == "/" and not value.startswith("/"):
        return value.partition("/")[2]
    return value


def _is_in_template(source: Source, at: int) -> bool:
    """Tell what stands inside `{{ ... }}`: an expression of Helm, Ansible or Jinja."""
    before = source.text[max(0, at - _LOOK_BACK) : at].rpartition("\n")[2]
    return before.rfind("{{") > before.rfind("}}")


def _is_whole_cell(source: Source, named: Named) -> bool:
    cell = source.text[named.start : named.start + 200].partition("\n")[0].partition("|")[0]
    return " " not in cell.strip().replace(" / ", "/")


def _is_text(source: Source, named: Named) -> bool:
    """Tell whether a label is inside a text in quotes or in a comment, by the beginning of its line."""
    text, at, length = source.text, named.at, len(named.label)
    if text[at - 1 : at] in ("'", '"', "`") and text[at + length : at + length + 1] == text[at - 1 : at]:
        at -= 1
    begin = max(text.rfind("\n", max(0, at - _LOOK_BACK), at) + 1, at - _LOOK_BACK, 0)
    before = text[begin:at]
    source.spent += len(before)
    odd = any((before.count(quote) - before.count("\\" + quote)) % 2 for quote in "\"'`")
    return odd or bool(_COMMENT.search(before))


def _is_declared(source: Source, named: Named) -> bool:
    before = source.text[max(0, named.at - 40) : named.at].rpartition("\n")[2]
    first, *options = before.lower().split() or [""]
    return first in _DECLARE and all(option.startswith("-") for option in options)


def _is_exported(source: Source, named: Named) -> bool:
    """Tell the line of a shell in a text that goes over many lines."""
    return source.text[max(0, named.at - 7) : named.at] == "export "


def _is_spoken(source: Source, named: Named) -> bool:
    """Tell `(password x)`, `the API key x`, in a text, where nothing but what x looks like says that it is one."""
    value = named.value.rstrip(").,;:*`")
    if named.kind == "password":
        return bool(_STRONG.fullmatch(value))
    return len(value) >= 24 and grade(value, named.kind) == "real"


def _begins_line(source: Source, named: Named) -> bool:
    before = source.text[max(0, named.at - 40) : named.at].rpartition("\n")[2]
    # .netrc has all of a machine in one line; other files begin a line with the name.
    return not before.strip() or " login " in before or before.startswith("login ")


def _severity(source: Source, named: Named, value: str) -> Severity | None:
    place = source.place
    strict = (
        not named.quoted
        and named.kind == "password"
        and (place.document or place.code or named.mark in ("is", "below"))
    )
    worth = grade(value, "phrase" if strict and named.mark != "=" else _kind_of_value(named, place))
    if worth == "none" or _means_itself(named, value, place):
        return None
    if worth == "real" and _may_name_a_secret(named, value, place):
        return "warning"
    if worth == "word" and place.code and (not named.quoted or not named.label.isascii()):
        return None
    if worth == "word" and not named.quoted and "_" in value and kind_of_label(value):
        return None
    if worth == "word" and place.line_values and _is_commented(source, named):
        return None
    if worth == "word" and not named.quoted and _GOES_ON.match(source.text, named.start + len(value)):
        return None
    if worth != "real" and named.mark in ("is", "below", "(", " ", "->", "==", "==="):
        return "warning" if worth == "common" and not place.test and not place.example else None
    return severity_of(worth, named.kind, value, place)


def _is_commented(source: Source, named: Named) -> bool:
    return source.text[max(0, named.at - _LOOK_BACK) : named.at].rpartition("\n")[2].lstrip().startswith(("#", ";"))


def _may_name_a_secret(named: Named, value: str, place: Place) -> bool:
    """Tell what in YAML is the name of a Secret of Kubernetes (`app-secret-v2`), or a weak value: nobody can say."""
    return (
        named.kind == "secret"
        and not named.quoted
        and place.suffix in ("yml", "yaml", "tpl")
        and bool(_NAME_OF_A_SECRET.fullmatch(value))
    )


def _kind_of_value(named: Named, place: Place) -> str:
    """Return what to judge the value as: an NPM_TOKEN in a config is a credential even when it is a UUID."""
    bare = named.label.lower().strip("-_.")
    return "key" if named.kind == "token" and bare != "token" and not (place.code or place.quoted) else named.kind


def _means_itself(named: Named, value: str, place: Place) -> bool:
    """Tell `password: "password"` in code, `PASSWORD1 = "password1"`: names of fields, not secrets."""
    lower = value.lower()
    label = named.label.lower().lstrip("-")
    # "Password", "Passwort": what is written beside a field.
    if value.istitle() and value.isalpha() and kind_of_label(value):
        return True
    if (place.code or place.quoted) and (
        lower == label
        or (
            lower.strip("-_0123456789") in ("password", "newpassword", "new_password", "id_password")
            and len(lower) - len(lower.rstrip("0123456789")) <= 1
            and lower[-1].isdigit()
        )
    ):
        return True
    if label.endswith("salt") and (place.code or place.quoted):
        return True
    # secretKey: password, in a manifest: the name of a key inside a Secret.
    reference = named.label.endswith("Key") and place.suffix in ("yml", "yaml", "json", "tpl")
    if reference and lower.replace("-", "").isalpha() and kind_of_label(value):
        return True
    return (named.kind == "token" and "public" in label) or (
        named.kind in ("token", "key") and label.startswith(("next_public", "vite_", "react_app"))
    )


def severity_of(worth: Grade, kind: str, value: str, place: Place) -> Severity | None:
    """Return how bad a value of this worth is in this kind of file, or None when it is none of our business."""
    if worth == "none" or (place.texts and not _is_no_text(worth, value)):
        return None
    wordy = is_wordy(value) or bool(_STAND_IN.search(value.lower()))
    if place.test or (kind == "password" and _SEED.search(place.path)):
        return "warning" if worth == "real" and not wordy else None
    if place.example:
        return "error" if worth == "real" and not wordy else None
    if place.pipeline and (worth != "real" or wordy):
        return None
    if place.document:
        return _severity_in_documents(worth, kind, value)
    if worth in ("real", "common"):
        return "error"
    # `secret: ca-certs` is the name of a Secret.
    if place.code or place.quoted or (kind == "secret" and not place.line_values):
        return "warning" if is_common_word(value) else None
    return "warning"


def _is_no_text(worth: Grade, value: str) -> bool:
    """Tell what nobody shows to a person: a key among the texts of an app."""
    return worth == "real" and len(value) >= 16 and not value.isalpha() and not is_wordy(value)


def _severity_in_documents(worth: Grade, kind: str, value: str) -> Severity | None:
    if worth == "word" or (kind == "secret" and is_wordy(value)):
        return None
    return "error" if worth == "real" else "warning"
