"""What the team's own nginx and systemd files say about the server: domain, prefixes, sizes, user."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipper.detect.found import Found, place
from shipper.detect.repository import Repository

_SERVER_NAME = re.compile(r"^\s*server_name\s+([^;#]+);", re.MULTILINE)
_LOCATION = re.compile(r"^\s*location\s+(?:\^~\s+|=\s+)?(?P<path>/[^\s{~]*)\s*\{(?P<body>[^{}]*)\}", re.MULTILINE)
_BODY_SIZE = re.compile(r"^\s*client_max_body_size\s+(\d+[kmgKMG])\s*;", re.MULTILINE)
_TIMEOUT = re.compile(r"\bproxy_read_timeout\s+(\d+)(s|m)?\s*;")
_TLS = re.compile(r"^\s*(?:listen\s+[^;]*\b443\b|ssl_certificate\s)[^;]*;", re.MULTILINE)
_UPGRADE = re.compile(r"proxy_set_header\s+Upgrade\b", re.IGNORECASE)
_DOMAIN = re.compile(r"^(?=.{4,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$")
_EXAMPLE = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net)|your-?domain\.\w+|domain\.com|localhost)$", re.IGNORECASE)
_USER = re.compile(r"^\s*User\s*=\s*(\S+)", re.MULTILINE)
_HOME = re.compile(r"/home/([a-z_][a-z0-9_-]*)/")
# Users that a service runs as, not those that people log in as.
_SERVICE_USERS = frozenset("root www-data nginx nobody http apache".split())


@dataclass(frozen=True)
class ServerFiles:
    """What nginx's and systemd's files say; None and empty where they do not."""

    domain: Found | None = None
    https: bool = False
    prefixes: tuple[Found, ...] = ()
    websockets: tuple[Found, ...] = ()
    body_size: Found | None = None
    read_timeout: Found | None = None
    user: Found | None = None
    files: tuple[str, ...] = ()


def read_server_files(repository: Repository) -> ServerFiles:
    """Read every nginx and unit file of the repository, those nearest to the top first."""
    nginx = [path for path in _nginx_files(repository) if re.search(r"\bserver\s*\{", repository.text(path))]
    units = repository.named("*.service")
    texts = {path: _without_comments(repository.text(path)) for path in (*nginx, *units)}
    return ServerFiles(
        domain=_domain({path: texts[path] for path in nginx}) or _cname(repository),
        https=any(_TLS.search(texts[path]) for path in nginx),
        prefixes=tuple(_prefixes({path: texts[path] for path in nginx})),
        websockets=tuple(_prefixes({path: texts[path] for path in nginx}, only_websockets=True)),
        body_size=_first({path: texts[path] for path in nginx}, _BODY_SIZE),
        read_timeout=_timeout({path: texts[path] for path in nginx}),
        user=_user({path: texts[path] for path in (*units, *nginx)}),
        files=(*nginx, *units),
    )


def _nginx_files(repository: Repository) -> list[str]:
    named = repository.named("*.conf", "*.conf.template", "*.nginx", "nginx", "nginx.txt")
    sites = [path for path in repository.files if "/sites-" in f"/{path}"]
    return list(dict.fromkeys([*named, *sites]))


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)#.*$", lambda found: " " * len(found[0]), text)


def is_real_domain(name: str) -> bool:
    """Say whether a name is a domain that somebody has, and no example's."""
    return bool(_DOMAIN.match(name)) and not _EXAMPLE.search(name)


def _domain(texts: dict[str, str]) -> Found | None:
    for path, text in texts.items():
        for found in _SERVER_NAME.finditer(text):
            names = [name for name in found[1].split() if is_real_domain(name)]
            if names:
                # The name without www is what people type.
                return Found(
                    min(names, key=lambda name: (name.startswith("www."), len(name))), place(path, text, found.start(1))
                )
    return None


def _cname(repository: Repository) -> Found | None:
    """Return the domain that GitHub's pages were given."""
    for path in repository.named("CNAME"):
        name = repository.text(path).strip()
        if is_real_domain(name):
            return Found(name, path, sure=False)
    return None


def _prefixes(texts: dict[str, str], *, only_websockets: bool = False) -> list[Found]:
    found: dict[str, Found] = {}
    for path, text in texts.items():
        for location in _LOCATION.finditer(text):
            prefix = location["path"] if location["path"].endswith("/") else location["path"] + "/"
            body = location["body"]
            wanted = "proxy_pass" in body and prefix != "/" and re.fullmatch(r"/[A-Za-z0-9._~/-]*/", prefix)
            if wanted and "//" not in prefix and (not only_websockets or _UPGRADE.search(body)):
                found.setdefault(prefix, Found(prefix, place(path, text, location.start("path"))))
    return list(found.values())


def _first(texts: dict[str, str], pattern: re.Pattern[str]) -> Found | None:
    for path, text in texts.items():
        if found := pattern.search(text):
            return Found(found[1], place(path, text, found.start(1)))
    return None


def _timeout(texts: dict[str, str]) -> Found | None:
    """Return the longest time that nginx waits for the backend, in seconds."""
    longest: Found | None = None
    for path, text in texts.items():
        for found in _TIMEOUT.finditer(text):
            seconds = int(found[1]) * (60 if found[2] == "m" else 1)
            if 60 < seconds <= 3600 and (longest is None or seconds > int(longest.value)):
                longest = Found(str(seconds), place(path, text, found.start(1)))
    return longest


def _user(texts: dict[str, str]) -> Found | None:
    """Return who logs in on the server: a unit's user who is a person, or whose home things are in."""
    for pattern in (_USER, _HOME):
        for path, text in texts.items():
            for found in pattern.finditer(text):
                if found[1] not in _SERVICE_USERS and re.fullmatch(r"[a-z_][a-z0-9_.-]*", found[1]):
                    return Found(found[1], place(path, text, found.start(1)), sure=False)
    return None
