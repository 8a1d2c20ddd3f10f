"""Hosts and origins as people write them into settings, against those that a browser sends."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_IPV6 = re.compile(r"\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]")
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of an address, in lower case; the port is the scheme's own when none is said."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As a browser sends it: without the scheme's own port and without a slash at the end (RFC 6454, 6.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != _DEFAULT_PORTS[self.scheme] else "")


def origin_of(url: str) -> Origin | None:
    """Return the origin of an http(s) address; None when it is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname:
        return None
    scheme = parts.scheme.lower()
    return Origin(scheme, parts.hostname.rstrip("."), port or _DEFAULT_PORTS[scheme])


def is_loopback(host: str) -> bool:
    """Whether a host is this machine to whoever asks, or a name that is reserved for that: RFC 6761, section 6.3."""
    return bool(_LOOPBACK.fullmatch(host)) or host.endswith(".localhost")


def read_list(value: str) -> tuple[str, ...]:
    """Return the entries of a setting that holds several: between commas or blanks, or a JSON or Python list."""
    text = value.strip()
    if text.startswith("[") and not _IPV6.match(text):
        listed = _literal(text)
        if isinstance(listed, list | tuple):
            return tuple(entry for one in listed if (entry := str(one).strip()))
        text = text.removeprefix("[").removesuffix("]")  # a shell or Compose may have eaten the quotes
    return tuple(entry for part in re.split(r"[,\s]+", text) if (entry := part.strip("\"'")))


def _literal(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def allows_host(entry: str, host: str, *, django: bool) -> bool:
    """Whether an entry of ALLOWED_HOSTS lets a host through.

    Django: `*`, the name itself, or `.example.com` for it and all below it (ref/settings, ALLOWED_HOSTS). Starlette's
    TrustedHostMiddleware writes the latter `*.example.com`, which means nothing to Django.
    """
    entry, host = entry.lower().strip("[]").removesuffix("."), host.lower()
    if entry in ("*", host):
        return True
    if entry.startswith("."):
        return host == entry[1:] or host.endswith(entry)
    return entry.startswith("*.") and not django and host.endswith(entry[1:])


def host_mistake(entry: str, host: str) -> str:
    """Say, in words that follow the setting's name, why an entry that was meant for a host does not let it through."""
    origin = origin_of(entry)
    if origin and origin.host == host:
        return f"has {host} as an address, and wants the name alone"
    bare = entry.lower().split("/")[0]
    if bare.partition(":")[0] == host and bare.count(":") <= 1:
        return f"has {host} with {'a port' if ':' in bare else 'a slash'}, and wants the name alone"
    if entry.startswith("*.") and host.endswith(entry[1:].lower()):
        return f"has {host} covered by a star, which Django writes as a leading dot"
    return ""


def allows_origin(entry: str, origin: Origin) -> bool:
    """Whether an entry of CSRF_TRUSTED_ORIGINS lets an origin through: by its text, or as `https://*.example.com`."""
    entry = entry.lower()
    if entry == str(origin):
        return True
    scheme, star, parent = entry.partition("://*.")
    if not star or scheme != origin.scheme:
        return False
    rest = str(origin).partition("://")[2]
    return rest == parent or rest.endswith(f".{parent}")


def names_origin(entry: str, origin: Origin) -> bool:
    """Whether an entry of a list for CORS lets an origin through: it is compared letter by letter, or it is `*`."""
    return entry.lower() in ("*", str(origin))


def origin_mistake(entry: str, origin: Origin) -> str:
    """Say, in words that follow the setting's name, why an entry that was meant for an origin does not allow it."""
    meant = origin_of(entry)
    if "*" in entry:
        parent = entry.lower().rpartition("*")[2].split(":")[0].rstrip("/")
        return f"has {origin.host} covered by a star, and lists of origins are compared letter by letter" * bool(
            parent.startswith(".") and origin.host.endswith(parent)
        )
    if meant is None:
        bare = origin_of(f"{origin.scheme}://{entry}") if "://" not in entry else None
        return f"has {origin.host} without {origin.scheme}://" if bare and bare.host == origin.host else ""
    if meant.host != origin.host:
        return ""
    if meant.scheme != origin.scheme:
        return f"has {origin.host} with {meant.scheme}://, and the site is at {origin.scheme}://"
    if meant.port != origin.port:
        return f"has {origin.host} with another port"
    if urlsplit(entry).path:
        return f"has {origin} with a slash or a path behind it, which no browser sends"
    return f"has {origin} with its port, which no browser sends"
