"""Where a frontend and a backend that were made for two ports do not fit onto one domain: known before the ship."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shipper.config.load import FILE_NAME
from shipper.detect.backends import FoundBackend
from shipper.detect.found import Found, Problem, join
from shipper.detect.frontends import FoundFrontend
from shipper.detect.repository import Repository
from shipper.detect.servers import ServerFiles

_DEFAULT_PREFIX = "/api/"
_SHOWN = 3
# Parts of a route's first word that nginx's configuration takes as they are.
_WORD = re.compile(r"[A-Za-z0-9._~-]+")
_JAVASCRIPT_HEALTH = re.compile(r"""\.(?:get|use)\(\s*["'`](?P<path>/[\w/.-]*(?:health\w*|ping|status))["'`]""")


def prefixes_of(backend: FoundBackend, frontend: FoundFrontend | None, servers: ServerFiles) -> tuple[Found, ...]:
    """Return what nginx passes on to the backend: what the team's own nginx does, or what its routes begin with."""
    if frontend is None:
        return (Found("/", backend.where),)
    static = static_url_of(backend)
    own = tuple(one for one in servers.prefixes if one.value != static)
    if own:
        return own
    found: dict[str, Found] = {}
    for route in backend.routes:
        word = route.path.strip("/").split("/")[0]
        # What has nothing behind its first word is no prefix: nginx would only pass on what has a slash there.
        if route.sure and _WORD.fullmatch(word) and "/" in route.path.removeprefix(f"/{word}"):
            found.setdefault(f"/{word}/", Found(f"/{word}/", route.where))
    found.pop(static, None)
    return tuple(found.values()) or (Found(_DEFAULT_PREFIX, "", sure=False),)


def usable_health(
    repository: Repository, backend: FoundBackend, prefixes: Sequence[Found], frontend: FoundFrontend | None
) -> Found:
    """Return the path that tells whether the backend works; not `sure` when it was not made for that."""
    if backend.health and _is_passed_on(backend.health.value, prefixes):
        return backend.health
    if backend.kind == "node":
        for path in repository.below(backend.path, ".js", ".ts", ".mjs", ".cjs"):
            text = repository.text(path)
            if found := _JAVASCRIPT_HEALTH.search(text):
                return Found(found["path"], f"{path}:{text.count(chr(10), 0, found.start()) + 1}", sure=False)
    plain = [route for route in backend.routes if route.is_plain and _is_passed_on(route.path, prefixes)]
    # A page that everybody may see, rather than one that wants a login.
    plain.sort(key=lambda route: (not re.search(r"login|docs|schema", route.path), len(route.path)))
    if plain:
        return Found(plain[0].path, plain[0].where, sure=False)
    if backend.health:
        return Found(backend.health.value, backend.health.where, sure=False)
    top = next((route for route in backend.routes if route.path == "/" and route.is_plain), None)
    if top:
        return Found("/", top.where, sure=False)
    return Found("/openapi.json" if backend.what == "FastAPI" else "/api/health", "", sure=False)


def find_conflicts(
    repository: Repository,
    frontend: FoundFrontend | None,
    backend: FoundBackend | None,
    prefixes: Sequence[Found],
    runtime: str,
) -> Iterator[Problem]:
    """Find what one of the two takes away from the other, and what a first ship would stumble over."""
    if frontend is None or backend is None:
        return
    yield from _unreachable(backend, prefixes)
    yield from _hidden_pages(repository, frontend, prefixes)
    if frontend.preset == "cra" and runtime == "systemd" and static_url_of(backend) == "/static/":
        where = backend.static_url.where if backend.static_url else backend.where
        what = "Django's files and those of Create React App both want /static/"
        yield Problem(where, what, 'Write STATIC_URL = "/django-static/", and the same into [backend.static] url.')


def _unreachable(backend: FoundBackend, prefixes: Sequence[Found]) -> Iterator[Problem]:
    outside = [route for route in backend.routes if route.sure and not _is_passed_on(route.path, prefixes)]
    outside = [route for route in outside if route.path != "/"]
    if not outside:
        return
    shown = ", ".join(dict.fromkeys(route.path for route in outside[:_SHOWN]))
    more = f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else ""
    fix = f"Give them a prefix such as /api (and write it into [backend] prefixes in {FILE_NAME})."
    if backend.what == "FastAPI":
        fix = (
            f'Write FastAPI(root_path="/api") at {backend.where}, and in {FILE_NAME}: prefixes = ["/api/"] under '
            '[backend], api_path = "/api" under [frontend].'
        )
    yield Problem(outside[0].where, f"{shown}{more}: beside the site, nothing would reach this", fix)


def _hidden_pages(repository: Repository, frontend: FoundFrontend, prefixes: Sequence[Found]) -> Iterator[Problem]:
    """Find pages of a file-routed frontend under what nginx passes on to the backend (field note N3)."""
    for prefix in prefixes:
        word = prefix.value.strip("/")
        for pages in ("app", "src/app", "pages", "src/pages"):
            folder = join(frontend.path, f"{pages}/{word}")
            page = next(repository.below(folder, ".tsx", ".jsx", ".js", ".ts", ".astro", ".mdx"), "")
            if word and page and not page.rpartition("/")[2].startswith("route."):
                what = f"this page is hidden by {prefix.value}, which goes to the backend ({prefix.where})"
                yield Problem(page, what, f"Mount the backend's {prefix.value} elsewhere, or take it out of prefixes.")
                break


def static_url_of(backend: FoundBackend) -> str:
    """Return Django's STATIC_URL with a slash at both ends, "" for other backends."""
    if backend.kind != "django":
        return ""
    return "/" + (backend.static_url.value if backend.static_url else "static/").strip("/") + "/"


def _is_passed_on(path: str, prefixes: Sequence[Found]) -> bool:
    return any(path.startswith(prefix.value) for prefix in prefixes)
