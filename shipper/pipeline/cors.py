"""Asking the API as a browser does, where the site calls another origin than its own (field note S7).

It never rolls back. The switch is over when it is asked, and what it finds lies in the app's settings or in another
server's, which the old release shares: going back would rarely cure it, and take a good release away.
"""

from __future__ import annotations

import http.client
from urllib.parse import quote, urlsplit

from shipper.check.cors import Answer, check_mixed_content, judge_answer, judge_preflight, unreachable
from shipper.check.origins import Origin, origin_of
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.findings import Finding

_TIMEOUT_SECONDS = 5.0


def origins_across(project: Project, target: Target) -> tuple[Origin, Origin] | None:
    """Return the origins of the site and of the API that it calls, where they differ; None where nothing is asked."""
    site, api = origin_of(target.public_url), origin_of(target.baked_api_url)
    if project.frontend is None or site is None or api is None or site == api:
        return None
    return site, api


def check_cors(project: Project, target: Target) -> list[Finding]:
    """Ask the API for permission with the site's origin, then for an answer; return what a browser would object to.

    Asks nothing, and finds nothing, where the site calls its own origin.
    """
    origins = origins_across(project, target)
    if origins is None:
        return []
    site, api = origins
    if mixed := check_mixed_content(site, api):
        return mixed
    path = api_path(project, target)
    url = f"{api}{path}"
    asked = {"Origin": str(site), "User-Agent": "shipper", "Cache-Control": "no-cache"}
    permission = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "content-type"}
    try:
        found = judge_preflight(_ask(api, "OPTIONS", path, {**asked, **permission}), site, url)
        if any(finding.severity != "note" for finding in found):
            return found
        return [*found, *judge_answer(_ask(api, "GET", path, asked), site, url)]
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # UnicodeError: no such name can exist
        return [unreachable(url, site, f"{type(error).__name__}: {error}")]


def api_path(project: Project, target: Target) -> str:
    """Return the path to ask for: the health check's where it is below the API's address, else that address's."""
    base = quote(urlsplit(target.baked_api_url).path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    health = project.backend.health if project.backend else ""
    return health if health.startswith(f"{base}/") else f"{base}/"


def _ask(api: Origin, method: str, path: str, headers: dict[str, str]) -> Answer:
    maker = http.client.HTTPSConnection if api.scheme == "https" else http.client.HTTPConnection
    connection = maker(api.host, api.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, tuple(response.getheaders()))
    finally:
        connection.close()
