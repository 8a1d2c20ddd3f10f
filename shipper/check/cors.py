"""What a browser makes of the answers of an API on another origin: the rules of the Fetch standard, as findings (S7).

Nothing is asked here: the answers are data (shipper.pipeline.cors asks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipper.check.origins import Origin, is_loopback
from shipper.findings import Finding

_SHOWN_LETTERS = 160
_NO_CORS = "Blocked by CORS policy: "
_TWICE = (
    "Two places answer for CORS. Leave it to the app, and remove the lines `add_header Access-Control-...` from the "
    "nginx server block of {host} (or the other way round)."
)


@dataclass(frozen=True)
class Answer:
    """An answer of the API: the status, and all headers in their order, a repeated one as often as it came."""

    status: int
    headers: Sequence[tuple[str, str]] = ()

    def every(self, name: str) -> list[str]:
        """Return the values of a header, whatever the case of its name."""
        return [value.strip() for key, value in self.headers if key.lower() == name.lower()]

    def words(self, name: str) -> set[str]:
        """Return the entries of a header that holds a list, in lower case."""
        return {word.strip().lower() for value in self.every(name) for word in value.split(",") if word.strip()}


def judge_preflight(answer: Answer, site: Origin, url: str) -> list[Finding]:
    """Return what a browser finds wrong with the answer to a preflight for a GET with a JSON content type.

    Fetch standard, "CORS-preflight fetch": no redirect, an origin that fits, a status from 200 to 299, and the header
    among the allowed ones. The method needs no permission: GET, HEAD and POST never do.
    """
    if 300 <= answer.status < 400:
        place = next(iter(answer.every("Location")), "")
        said = f"Redirect is not allowed for a preflight request ({_shown(place) or 'to nowhere'})."
        return [_blocked(url, site, said, "Set `api_url` in the target to the address that answers by itself.")]
    wrong = _judge_origin(answer, site, url, "Response to preflight request doesn't pass access control check: ")
    if wrong:
        return wrong
    if not 200 <= answer.status < 300:
        said = f"Response to preflight request doesn't have HTTP ok status: it has {answer.status}."
        fix = "Let the app answer OPTIONS: its CORS middleware goes before login and routes."
        return [_blocked(url, site, said, fix)]
    if not {"content-type", "*"} & answer.words("Access-Control-Allow-Headers"):
        said = "Request header field content-type is not allowed by Access-Control-Allow-Headers."
        return [_blocked(url, site, said, "Allow the header Content-Type in the app's CORS settings (allow_headers).")]
    star = answer.every("Access-Control-Allow-Origin") == ["*"]
    if star and "true" in answer.words("Access-Control-Allow-Credentials"):
        why = "Browsers refuse `*` for a request with cookies, whatever Access-Control-Allow-Credentials says."
        fix = f"Name the site in the app's list of allowed origins instead of `*`: {site}"
        return [Finding("cors.star-with-cookies", "note", f"{url} allows every origin, and cookies.", why, fix)]
    return []


def judge_answer(answer: Answer, site: Origin, url: str) -> list[Finding]:
    """Return what a browser finds wrong with the answer to the request itself.

    An answer of a server in trouble is left alone: many frameworks leave the header out there, and it says nothing of
    the others.
    """
    return [] if answer.status >= 500 else _judge_origin(answer, site, url, "")


def check_mixed_content(site: Origin, api: Origin) -> list[Finding]:
    """Return a finding where a page with TLS calls an address without: browsers do not even ask then."""
    if (site.scheme, api.scheme) != ("https", "http") or is_loopback(api.host):
        return []
    why = "A page that came with TLS may not load anything without: Mixed Content, blocked by the browser."
    fix = "Give the API a certificate, and set `api_url` in the target to its https:// address."
    return [Finding("cors.mixed-content", "warning", f"The site at {site} calls {api}.", why, fix)]


def unreachable(url: str, site: Origin, why: str) -> Finding:
    """Return the finding for an API that did not answer at all."""
    what = f"The API that the site at {site} calls gives no answer: {url}"
    fix = "Check its DNS record, its port in the firewall, and its certificate; or `api_url` in the target."
    return Finding("cors.unreachable", "warning", what, why, fix)


def _judge_origin(answer: Answer, site: Origin, url: str, prefix: str) -> list[Finding]:
    """Judge as the CORS check of the Fetch standard: exactly one header, which says `*` or exactly the origin."""
    values = answer.every("Access-Control-Allow-Origin")
    joined = ", ".join(values)
    header = "'Access-Control-Allow-Origin' header"
    if not values:
        return [_blocked(url, site, f"{prefix}No {header} is present on the requested resource.", _name_site(site))]
    if "," in joined:
        said = f"{prefix}The {header} contains multiple values '{_shown(joined)}', but only one is allowed."
        return [_blocked(url, site, said, _TWICE.format(host=url.split("/")[2]), rule="cors.twice")]
    if joined not in ("*", str(site)):
        said = f"{prefix}The {header} has a value '{_shown(joined)}' that is not equal to the supplied origin."
        return [_blocked(url, site, said, _name_site(site))]
    return []


def _name_site(site: Origin) -> str:
    return (
        f"Put {site} into the backend's list of allowed origins (Django: CORS_ALLOWED_ORIGINS; FastAPI: CORS_ORIGINS "
        "or BACKEND_CORS_ORIGINS), then: inv env.push, inv ship"
    )


def _blocked(url: str, site: Origin, said: str, fix: str, rule: str = "cors.blocked") -> Finding:
    message = f"Browsers will not let the site at {site} read {url}."
    return Finding(rule, "warning", message, _NO_CORS + said, fix)


def _shown(value: str) -> str:
    """Return what another server said, short, and as nothing that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in value[:_SHOWN_LETTERS])
