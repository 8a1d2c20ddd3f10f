"""Finds URLs with a password in them, whatever the scheme: databases, queues, git remotes, proxies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.sighting import Sighting
from shipper.check.hygiene.source import Source
from shipper.check.hygiene.values import DEFAULT, Grade, grade, is_common_word, is_wordy
from shipper.findings import Severity

_RULE = "secret.url-password"
# RFC 3986, 3.2.1: user information ends at the last "@" before the path. People do not encode what they should, so
# anything but blanks, quotes and brackets is taken, up to the first "/".
_AUTHORITY = re.compile(
    r"(?P<user>[^\s:/@\"'`<>,|()\\]{0,100}):(?P<password>[^\s/\"'`<>|"
    r"\\]{1,300})@(?P<host>\[[0-9a-fA-F:]{2,40}\]|[\w.${}%*-]{1,200})"
)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,40}$")
# Parts of what people choose for a database on their own machine.
_MILD = re.compile(
    r"pass|^pw|(?<=[a-z_-])pw\d{0,4}[!@#]?$|secret|test|admin|root|user|dev|local|demo|postgres|mysql|mongo|redis|"
    r"change|example|your"
)
_IS_PUT_IN = re.compile(r"^%[sdvq]$|\$\{|\{\{|^\{.*\}$|[<>]")
_USUAL = re.compile(
    r"user(?:name)?|pass(?:word|wd)?|pw|pwd|secret|token|root|admin|postgres(?:ql)?|mysql|mariadb|mongo|redis|"
    r"guest|minio(?:admin)?|"
    r"rabbitmq|test|dev|local|demo|db|app|dbpass(?:word)?|db_?(?:pass(?:word)?|user)|my_?(?:pass(?:word)?|user|"
    r"secret)|p4ssw0rd|"
    r"changeme|default|sa|pa(?:ss)?|xxx+|\*+|\.+|x|y|p|u|abc|foo|bar|baz|hunter2|s3cr3t|s3cret|letmein|"
    r"user_?pass(?:word)?|test_?pass(?:word)?|the_?password|some_?password|credentials?|key|apikey|api_key|"
    r"oauth2|x-oauth-basic|"
    r"(?:user|pass|password|key|token|secret|test)[-_]?\d{1,4}"
)
_LOCAL = re.compile(
    r"localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|host\.docker\.internal|[\w-]+|.*\.(?:local|localhost|"
    r"test|internal|svc|cluster)|"
    r"(?:[\w-]+\.)*example\.(?:com|org|net)|(?:[\w-]+\.)*(?:example|invalid|domain\.com|yourdomain\.com|"
    r"mydomain\.com|foo\.com|host\.com|acme\.(?:com|org))"
)


def find_url_passwords(source: Source) -> Iterator[Sighting]:
    """Yield the passwords inside URLs. Default passwords of a local database are not worth a word."""
    text = source.text
    at = text.find("://")
    while at >= 0:
        sighting = _at(source, at)
        if sighting:
            yield sighting
        at = text.find("://", at + 3)


def _at(source: Source, at: int) -> Sighting | None:
    found = source.match(_AUTHORITY, at + 3, 500)
    if not found or not source.search_before(_SCHEME, at, 42):
        return None
    password = found["password"]
    # `://a:b@c,d:e@f` and `?next=x:y@z` begin something new.
    if any(mark in password for mark in "?#,;") and "@" in password:
        password = password.partition("@")[0]
    if "," in password and ":" in password:
        return None
    severity = _severity(source, unquote(found["user"]), unquote(password), found["host"])
    if severity is None:
        return None
    start = found.start("password")
    return Sighting(_RULE, severity, start, start + len(password), password, load_rules().texts[_RULE])


def _severity(source: Source, user: str, password: str, host: str) -> Severity | None:
    place = source.place
    worth = _worth(user, password, host)
    if worth == "none":
        return None
    local = bool(_LOCAL.fullmatch(host))
    mild = bool(_MILD.search(password.lower())) or is_common_word(password)
    if place.test or place.example or place.pipeline or source.shaped_only:
        strong = worth == "real" and not mild and not local
        return None if not strong else "warning" if place.test else "error"
    if worth == "real" and not (mild and local):
        return "error" if not place.code or not mild else "warning"
    return None if local or place.document or place.code else "warning"


def _worth(user: str, password: str, host: str) -> Grade:
    default = DEFAULT.fullmatch(password)
    password = default[1] if default else password
    lower = password.lower()
    if _IS_PUT_IN.search(password):
        return "none"
    if "example." in host and (_USUAL.fullmatch(lower) or is_wordy(password)):
        return "none"
    if password.isdigit() and (user.count(".") or not user or user.isdigit()):
        return "none"
    if _USUAL.fullmatch(lower) or lower == user.lower():
        return (
            "none"
            if _LOCAL.fullmatch(host) or "$" in host or "{" in host or lower in ("password", "pass", "user")
            else "word"
        )
    return grade(password, "password")
