"""What a browser makes of an API on another origin: asked over a real connection, judged as browsers do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shipper.check.cors import Answer, check_mixed_content, judge_answer, judge_preflight
from shipper.check.origins import Origin, origin_of
from shipper.config.backend import Backend
from shipper.config.frontend import Frontend
from shipper.config.project import Project
from shipper.config.target import Target
from shipper.pipeline.cors import api_path, check_cors

SITE = Origin("https", "app.example.com", 443)
URL = "https://api.example.com/api/health"
BACKEND = Backend(app="main:app", health="/api/health")
PROJECT = Project(name="shop", frontend=Frontend(preset="static"), backend=BACKEND)

ALLOW = "Access-Control-Allow-Origin"
HEADERS = ("Access-Control-Allow-Headers", "Authorization, Content-Type")
COOKIES = ("Access-Control-Allow-Credentials", "true")
OWN = (ALLOW, "https://app.example.com")
Headers = Sequence[tuple[str, str]]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, [OWN, HEADERS]),
        (204, [OWN, HEADERS]),
        (204, [(ALLOW.lower(), OWN[1]), ("access-control-allow-headers", "content-type")]),
        (200, [(ALLOW, "*"), ("Access-Control-Allow-Headers", "*")]),
        (200, [OWN, HEADERS, COOKIES]),
        (200, [OWN, ("Access-Control-Allow-Headers", "X-One"), ("Access-Control-Allow-Headers", "CONTENT-TYPE")]),
    ],
)
def test_a_preflight_that_browsers_accept_has_no_finding(status: int, headers: Headers) -> None:
    assert judge_preflight(Answer(status, headers), SITE, URL) == []


@pytest.mark.parametrize(
    ("status", "headers", "rule", "words"),
    [
        (200, [HEADERS], "cors.blocked", "No 'Access-Control-Allow-Origin' header is present"),
        (405, [], "cors.blocked", "No 'Access-Control-Allow-Origin' header is present"),
        (
            200,
            [(ALLOW, "https://old.example.com"), HEADERS],
            "cors.blocked",
            "'https://old.example.com' that is not equal",
        ),
        (200, [(ALLOW, "https://app.example.com/"), HEADERS], "cors.blocked", "that is not equal"),
        (200, [(ALLOW, "null"), HEADERS], "cors.blocked", "'null' that is not equal"),
        (200, [(ALLOW, "*"), OWN, HEADERS], "cors.twice", "multiple values '*, https://app.example.com'"),
        (200, [(ALLOW, "*, https://app.example.com"), HEADERS], "cors.twice", "multiple values"),
        (200, [OWN, OWN, HEADERS], "cors.twice", "multiple values"),
        (401, [OWN, HEADERS], "cors.blocked", "doesn't have HTTP ok status: it has 401"),
        (301, [("Location", "https://api.example.com/api/health/")], "cors.blocked", "Redirect is not allowed"),
        (200, [OWN], "cors.blocked", "content-type is not allowed by Access-Control-Allow-Headers"),
        (
            200,
            [(ALLOW, "*"), HEADERS, ("Access-Control-Allow-Credentials", "true")],
            "cors.star-with-cookies",
            "cookies",
        ),
    ],
)
def test_what_a_browser_would_say_is_told_with_the_fix(status: int, headers: Headers, rule: str, words: str) -> None:
    (finding,) = judge_preflight(Answer(status, headers), SITE, URL)
    assert finding.rule == rule
    assert words in finding.why
    assert URL in finding.message and finding.fix
    assert finding.severity == ("note" if rule == "cors.star-with-cookies" else "warning")


def test_two_places_that_answer_for_cors_are_told_apart_from_one_that_is_wrong() -> None:
    (finding,) = judge_answer(Answer(200, [(ALLOW, "*"), OWN]), SITE, URL)
    assert "nginx server block of api.example.com" in finding.fix


def test_an_answer_of_a_server_in_trouble_says_nothing_about_cors() -> None:
    assert judge_answer(Answer(502, []), SITE, URL) == []
    assert [finding.rule for finding in judge_answer(Answer(404, []), SITE, URL)] == ["cors.blocked"]


def test_what_another_server_says_cannot_command_the_terminal() -> None:
    (finding,) = judge_preflight(Answer(200, [(ALLOW, "\x1b[2Jevil" + "x" * 9000)]), SITE, URL)
    assert "\x1b" not in finding.why
    assert len(finding.why) < 500


def test_a_page_with_tls_may_not_call_an_address_without() -> None:
    assert [one.rule for one in check_mixed_content(SITE, Origin("http", "api.example.com", 80))] == [
        "cors.mixed-content"
    ]
    assert check_mixed_content(Origin("http", "app.example.com", 80), SITE) == []
    assert check_mixed_content(SITE, Origin("http", "localhost", 8000)) == []


@pytest.mark.parametrize(
    ("api_url", "path"),
    [
        ("https://api.example.com", "/api/health"),
        ("https://api.example.com/api", "/api/health"),
        ("https://api.example.com/v1/", "/v1/"),
    ],
)
def test_the_health_check_is_asked_for_where_it_is_below_the_apis_address(api_url: str, path: str) -> None:
    assert api_path(PROJECT, Target(host="203.0.113.7", api_url=api_url)) == path


@contextmanager
def an_api(preflight: Headers, answer: Headers, status: int = 204) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve an API on a port of this machine; yield its address and the requests that it gets."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, code: int, headers: Headers) -> None:
            seen.append({"method": self.command, "path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
            self.send_response(code)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_OPTIONS(self) -> None:
            self._answer(status, preflight)

        def do_GET(self) -> None:
            self._answer(200, answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def target(api_url: str, url: str = "http://site.example.com") -> Target:
    return Target(host="203.0.113.7", url=url, api_url=api_url)


def test_the_api_is_asked_as_a_browser_does_first_for_permission_then_for_the_answer() -> None:
    own = (ALLOW, "http://site.example.com")
    with an_api([own, HEADERS], [own]) as (url, seen):
        assert check_cors(PROJECT, target(url)) == []
    assert [(one["method"], one["path"], one["origin"]) for one in seen] == [
        ("OPTIONS", "/api/health", "http://site.example.com"),
        ("GET", "/api/health", "http://site.example.com"),
    ]
    assert seen[0]["access-control-request-method"] == "GET"
    assert seen[0]["access-control-request-headers"] == "content-type"


def test_a_server_in_front_that_adds_the_header_again_is_found_in_the_answer_itself() -> None:
    own = (ALLOW, "http://site.example.com")
    with an_api([own, HEADERS], [(ALLOW, "*"), own]) as (url, _):
        (finding,) = check_cors(PROJECT, target(url))
    assert finding.rule == "cors.twice"
    assert "'*, http://site.example.com'" in finding.why


def test_after_a_refused_preflight_the_answer_is_not_asked_for() -> None:
    with an_api([], [], status=403) as (url, seen):
        (finding,) = check_cors(PROJECT, target(url))
    assert finding.rule == "cors.blocked"
    assert [one["method"] for one in seen] == ["OPTIONS"]


def test_nothing_is_asked_where_the_site_calls_its_own_origin() -> None:
    with an_api([], []) as (url, seen):
        assert check_cors(PROJECT, target(url, url)) == []
        assert check_cors(PROJECT, target(f"{url}/v1", f"{url}/")) == []
        assert check_cors(PROJECT, Target(host="203.0.113.7", url=url, api_url="/backend")) == []
        assert check_cors(Project(name="shop", backend=BACKEND), target(url)) == []
    assert seen == []


def test_an_api_that_gives_no_answer_is_told() -> None:
    with an_api([], []) as (url, _):
        pass
    (finding,) = check_cors(PROJECT, target(url))
    assert (finding.rule, finding.severity) == ("cors.unreachable", "warning")
    assert str(origin_of(url)) in finding.message
