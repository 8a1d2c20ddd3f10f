"""Rules about the settings by which a Django or FastAPI app knows its own address (field note S7).

No value of a setting is in a finding: only what is wanted, and in which form it was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shipper.check.origins import (
    Origin,
    allows_host,
    allows_origin,
    host_mistake,
    is_loopback,
    names_origin,
    origin_mistake,
    origin_of,
    read_list,
)
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.findings import Finding, Severity

# What templates of projects put in front of such a name. The agent lets the values of exactly these names through
# (shipper.agent.environment).
_FRONT = r"(?:DJANGO_|BACKEND_|APP_|FASTAPI_|FLASK_)?"
_HOSTS = re.compile(_FRONT + r"(?:ALLOWED_HOSTS|TRUSTED_HOSTS)")
_CSRF = re.compile(_FRONT + r"CSRF_TRUSTED_ORIGINS")
# CORS_ORIGIN_WHITELIST is what django-cors-headers called it before version 3.5; BACKEND_CORS_ORIGINS is the name in
# FastAPI's own project template.
_CORS = re.compile(_FRONT + r"(?:CORS_(?:ALLOWED_|ALLOW_)?ORIGINS|CORS_ORIGIN_WHITELIST|ALLOWED_ORIGINS)")
_CORS_OTHERWISE = re.compile(_FRONT + r"CORS_(?:.*REGEX.*|ALLOW_ALL_ORIGINS|ORIGIN_ALLOW_ALL)")
_FRONTEND = re.compile(_FRONT + r"(?:FRONTEND_(?:URL|HOST|ORIGIN|BASE_URL))")
_DEBUG = re.compile(_FRONT + r"DEBUG")
_SOME_DEBUG = re.compile(r"(?:[A-Z0-9]+_)*DEBUG")
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_TRIED_OUT = re.compile(r"(?:^|-)(?:staging|stage|dev|develop|test|testing|preview|qa|demo|sandbox)(?:$|-|\d)")

_Verdict = tuple[str, str, Severity, str, str, str]


@dataclass(frozen=True)
class Source:
    """Where settings were read: an env file here with the lines of its names, or, with "", the server."""

    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _App:
    """The app as browsers see it: `api` is the origin that its site calls.

    `practice` is whether it is on the practice server, `tried_out` whether the target's name says that it is not meant
    for visitors.
    """

    site: Origin
    api: Origin
    has_site: bool
    django: bool
    practice: bool
    tried_out: bool

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.site.host, self.api.host) if self.has_site else (self.site.host,)))

    @property
    def crosses(self) -> bool:
        """Whether the site calls another origin than its own, so that the browser asks for permission."""
        return self.has_site and self.api != self.site


def check_web_settings(
    values: Mapping[str, str], project: Project, target: Target, target_name: str, source: Source
) -> list[Finding]:
    """Return what in these settings does not fit the target's address.

    Errors, because the app would answer nobody or show its insides: ALLOWED_HOSTS without the target's host, an entry
    of CSRF_TRUSTED_ORIGINS that Django refuses to start with, debug mode. Warnings, because code may add to these:
    the other lists of origins, and FRONTEND_URL. On a loopback address, the practice server's, there are only notes.
    """
    app = _app(project, target, target_name)
    if app is None:
        return []
    upper = {name.upper(): value for name, value in values.items()}
    verdicts = [
        verdict
        for name, value in values.items()
        for rule in (_hosts, _csrf, _cors, _frontend_url, _debug)
        for verdict in rule(name, value, app, upper)
    ]
    return [_finding(verdict, app, target, target_name, source) for verdict in verdicts]


def fitting_value(name: str, value: str, project: Project, target: Target) -> str | None:
    """Return what such a setting has to be for this target, written as `value` is; None for any other variable."""
    app, upper = _app(project, target, ""), name.upper()
    if app is None:
        return None
    if _DEBUG.fullmatch(upper):
        return value if app.practice or value.strip().lower() not in _TRUE else "False"
    if _FRONTEND.fullmatch(upper):
        return str(app.site) if app.has_site else None
    if _HOSTS.fullmatch(upper):
        return _written(value, app.hosts)
    if _CSRF.fullmatch(upper) or (_CORS.fullmatch(upper) and app.has_site):
        return _written(value, [str(app.site)])
    return None


def _written(value: str, entries: Iterable[str]) -> str:
    return json.dumps(list(entries)) if value.strip().startswith("[") else ",".join(entries)


def _app(project: Project, target: Target, target_name: str) -> _App | None:
    """Return the app as browsers see it; None without a backend, or an address that no browser could open."""
    site = origin_of(target.public_url)
    if project.backend is None or site is None:
        return None
    return _App(
        site=site,
        api=origin_of(target.baked_api_url) or site,
        has_site=project.frontend is not None,
        django=project.backend.framework == "django",
        practice=is_loopback(site.host),
        tried_out=bool(_TRIED_OUT.search(target_name)),
    )


def _finding(verdict: _Verdict, app: _App, target: Target, target_name: str, source: Source) -> Finding:
    name, rule, severity, message, why, setting = verdict
    push = f"inv env.push --to {target_name}"
    if source.file:
        fix, where = f"In {source.file}: {setting}", ""
    else:
        fix, where = f"In {target.env_file}: {setting}   (then: {push})", "On the server, "
    severity = "note" if app.practice else severity
    return Finding(rule, severity, f"{where}{name} {message}", why, fix, source.file, source.lines.get(name))


def _hosts(name: str, value: str, app: _App, others: Mapping[str, str]) -> Iterator[_Verdict]:
    if not _HOSTS.fullmatch(name.upper()):
        return
    entries = read_list(value)
    lacking = [host for host in app.hosts if not any(allows_host(one, host, django=app.django) for one in entries)]
    # ref/settings, ALLOWED_HOSTS: with DEBUG and an empty list Django lets loopback names through.
    if not lacking or (not entries and all(map(is_loopback, lacking)) and _debugs(others)):
        return
    # Without Django the name may stand for a list of origins, and an API at another host may be somebody else's.
    named = app.django or (bool(entries) and not any("://" in entry for entry in entries))
    severity: Severity = "error" if named and app.site.host in lacking else "warning"
    mistakes = [said for host in lacking for entry in entries if (said := host_mistake(entry, host))]
    message = f"{mistakes[0]}." if mistakes else f"does not name {' or '.join(lacking)}."
    why = "The backend answers a request for a host that is not in it with 400 Bad Request."
    yield name, "env.allowed-hosts", severity, message, why, f"{name} with {_joined(value, lacking)}"


def _csrf(name: str, value: str, app: _App, _: Mapping[str, str]) -> Iterator[_Verdict]:
    if not _CSRF.fullmatch(name.upper()) or app.practice:
        return
    entries = read_list(value)
    setting = f"{name} with {_joined(value, [str(app.site)])}"
    if any("://" not in entry for entry in entries):
        why = "Since version 4 Django wants the scheme, and stops every command without it (its check 4_0.E001)."
        severity: Severity = "error" if app.django else "warning"
        yield name, "env.csrf-origins", severity, "has an entry without a scheme.", why, setting
    elif (entries or app.crosses) and not any(allows_origin(entry, app.site) for entry in entries):
        why = "A form or a request with a session is refused with 403 when the origin of its page is not trusted."
        yield name, "env.csrf-origins", "warning", _lacks(entries, app.site), why, setting


def _cors(name: str, value: str, app: _App, others: Mapping[str, str]) -> Iterator[_Verdict]:
    if not _CORS.fullmatch(name.upper()) or app.practice or not app.crosses:
        return
    entries = read_list(value)
    if any(_CORS_OTHERWISE.fullmatch(other) and value.strip() for other, value in others.items()):
        return
    # FastAPI's project template takes the slash away itself.
    own = [entry.rstrip("/") if name.upper().startswith("BACKEND_") else entry for entry in entries]
    if any(names_origin(entry, app.site) for entry in own):
        return
    why = f"The site at {app.site} calls {app.api}, and browsers keep the answers from it without that permission."
    setting = f"{name} with {_joined(value, [str(app.site)])}"
    yield name, "env.cors-origins", "warning", _lacks(entries, app.site), why, setting


def _frontend_url(name: str, value: str, app: _App, _: Mapping[str, str]) -> Iterator[_Verdict]:
    entries = read_list(value)
    if not _FRONTEND.fullmatch(name.upper()) or app.practice or not entries:
        return
    origins = [origin_of(entry) for entry in entries]
    if app.site in origins:
        return
    elsewhere = all(origin and not is_loopback(origin.host) for origin in origins)
    if elsewhere and not app.has_site:  # the site is somebody else's, and so is its address
        return
    if any(origin and is_loopback(origin.host) for origin in origins):
        message = "leads to the machine of whoever follows it (localhost)."
    else:
        message = _lacks(entries, app.site)
    where = f"{name}={app.site}" if app.has_site else f"{name} with the address of the site"
    why = "Links in mails, and redirects after a login or a payment, are made of it."
    yield name, "env.frontend-url", "warning", message, why, where


def _debug(name: str, value: str, app: _App, _: Mapping[str, str]) -> Iterator[_Verdict]:
    if not _SOME_DEBUG.fullmatch(name.upper()) or value.strip().lower() not in _TRUE:
        return
    whole = bool(_DEBUG.fullmatch(name.upper())) and not app.tried_out
    why = "Error pages would show settings and code to visitors."
    yield name, "env.debug", "error" if whole else "warning", "switches debug mode on.", why, f"{name}=False"


def _debugs(values: Mapping[str, str]) -> bool:
    return any(_DEBUG.fullmatch(name) and value.strip().lower() in _TRUE for name, value in values.items())


def _lacks(entries: Iterable[str], origin: Origin) -> str:
    """Say what is wrong with a list that does not let an origin through, in words that follow the setting's name."""
    mistakes = [said for entry in entries if (said := origin_mistake(entry, origin))]
    return f"{mistakes[0]}." if mistakes else f"does not name {origin}."


def _joined(value: str, wanted: Iterable[str]) -> str:
    """Return what has to be in a list, in the form in which the list is written, and that it has to be there."""
    quoted = value.strip().startswith("[")
    return ", ".join(f'"{one}"' if quoted else one for one in wanted) + " in it"
