"""Settings by which an app knows its own address: what does not fit the target is found, and what fits is not."""

from __future__ import annotations

import pytest

from shipper.agent.environment import settings
from shipper.check.origins import origin_of, read_list
from shipper.check.web_settings import Source, check_web_settings
from shipper.config.backend import Backend
from shipper.config.frontend import Frontend
from shipper.config.project import Project
from shipper.config.target import Target

DJANGO = Backend(framework="django", app="config.asgi:application")
FASTAPI = Backend(app="main:app")
SITE = Frontend(preset="static")
HTTPS = Target(host="203.0.113.7", url="https://app.example.com")
PLAIN = Target(host="203.0.113.7", domain="app.example.com")
PORT = Target(host="203.0.113.7", url="http://app.example.com:8080")
APART = Target(host="203.0.113.7", url="https://app.example.com", api_url="https://api.example.com/v1")
BELOW = Target(host="203.0.113.7", url="https://app.example.com", api_url="/backend")
PRACTICE = Target(host="127.0.0.1", port=2222, url="http://127.0.0.1:8080")


def found(
    line: str, target: Target = HTTPS, backend: Backend = DJANGO, *, name: str = "production", site: bool = True
) -> list[tuple[str, str]]:
    values = dict(part.split("=", 1) for part in line.split(" & "))
    project = Project(name="shop", frontend=SITE if site else None, backend=backend)
    findings = check_web_settings(values, project, target, name, Source(".env.production", dict.fromkeys(values, 1)))
    for finding in findings:
        assert finding.fix and finding.why and finding.where == ".env.production:1"
    return [(finding.rule.removeprefix("env."), finding.severity) for finding in findings]


HOST = ("allowed-hosts", "error")
CSRF = ("csrf-origins", "warning")
CORS = ("cors-origins", "warning")
FRONTEND = ("frontend-url", "warning")
DEBUG = ("debug", "error")

FITTING = [
    ("ALLOWED_HOSTS=app.example.com", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=APP.Example.com", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=app.example.com.", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=localhost,127.0.0.1, app.example.com", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=localhost app.example.com", HTTPS, DJANGO),
    ('ALLOWED_HOSTS=["localhost", "app.example.com"]', HTTPS, DJANGO),
    ("ALLOWED_HOSTS=['app.example.com']", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=[app.example.com]", HTTPS, DJANGO),
    ('ALLOWED_HOSTS="app.example.com"', HTTPS, DJANGO),
    ("ALLOWED_HOSTS=*", HTTPS, DJANGO),
    ('ALLOWED_HOSTS=["*"]', HTTPS, FASTAPI),
    ("ALLOWED_HOSTS=.example.com", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=.app.example.com", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=*.example.com", HTTPS, FASTAPI),
    ("ALLOWED_HOSTS=app.example.com", PORT, DJANGO),
    ("ALLOWED_HOSTS=app.example.com", BELOW, DJANGO),
    ("ALLOWED_HOSTS=app.example.com,api.example.com", APART, DJANGO),
    ("ALLOWED_HOSTS=.example.com", APART, DJANGO),
    ("DJANGO_ALLOWED_HOSTS=app.example.com", HTTPS, DJANGO),
    ("ALLOWED_HOSTS=[::1]", Target(host="203.0.113.7", url="http://[::1]:8000"), DJANGO),
    ("NOT_ALLOWED_HOSTS_AT_ALL=elsewhere", HTTPS, DJANGO),
    ("CSRF_TRUSTED_ORIGINS=https://app.example.com", HTTPS, DJANGO),
    ("CSRF_TRUSTED_ORIGINS=https://*.example.com", HTTPS, DJANGO),
    ("CSRF_TRUSTED_ORIGINS=http://app.example.com", PLAIN, DJANGO),
    ("CSRF_TRUSTED_ORIGINS=http://app.example.com:8080", PORT, DJANGO),
    ("CSRF_TRUSTED_ORIGINS=", HTTPS, DJANGO),
    ("CSRF_TRUSTED_ORIGINS=http://localhost:3000,https://app.example.com", HTTPS, FASTAPI),
    ("CORS_ORIGINS=http://localhost:3000", HTTPS, FASTAPI),
    ("CORS_ORIGINS=http://localhost:3000", BELOW, FASTAPI),
    ("CORS_ORIGINS=https://app.example.com", APART, FASTAPI),
    ("CORS_ORIGINS=*", APART, FASTAPI),
    ('BACKEND_CORS_ORIGINS=["https://app.example.com"]', APART, FASTAPI),
    ('BACKEND_CORS_ORIGINS=["https://app.example.com/"]', APART, FASTAPI),
    ("CORS_ALLOWED_ORIGINS=http://localhost:5173, https://APP.example.com", APART, FASTAPI),
    ("CORS_ALLOWED_ORIGINS=http://localhost & CORS_ALLOW_ALL_ORIGINS=True", APART, FASTAPI),
    ("CORS_ALLOWED_ORIGINS=http://localhost & CORS_ALLOWED_ORIGIN_REGEXES=set", APART, FASTAPI),
    ("FRONTEND_URL=https://app.example.com", HTTPS, FASTAPI),
    ("FRONTEND_URL=https://app.example.com/", HTTPS, FASTAPI),
    ("FRONTEND_URL=https://app.example.com:443/welcome", HTTPS, FASTAPI),
    ("FRONTEND_URL=http://localhost:5173,https://app.example.com", HTTPS, FASTAPI),
    ("FRONTEND_URL=", HTTPS, FASTAPI),
    ("DEBUG=False", HTTPS, DJANGO),
    ("DEBUG=0", HTTPS, DJANGO),
    ("DEBUG=", HTTPS, DJANGO),
    ("DEBUG=app:*", HTTPS, FASTAPI),
    ("DEBUGGER=True", HTTPS, DJANGO),
    ("FRONTEND_URL=http://localhost:3000 & CORS_ORIGINS=https://x.example", PRACTICE, FASTAPI),
    ("CSRF_TRUSTED_ORIGINS=https://app.example.com", PRACTICE, DJANGO),
]


@pytest.mark.parametrize(
    ("line", "target", "backend"), FITTING, ids=[f"{i}-{case[0]}" for i, case in enumerate(FITTING)]
)
def test_what_fits_has_no_finding(line: str, target: Target, backend: Backend) -> None:
    assert found(line, target, backend) == []


WRONG = [
    ("ALLOWED_HOSTS=localhost,127.0.0.1", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=example.com", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=.app.example", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=www.app.example.com", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=https://app.example.com", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=app.example.com/", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=app.example.com:8080", PORT, DJANGO, HOST),
    ("ALLOWED_HOSTS=*.example.com", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=*.app.example.com", HTTPS, FASTAPI, HOST),
    ("ALLOWED_HOSTS=", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=[]", HTTPS, DJANGO, HOST),
    ("ALLOWED_HOSTS=", HTTPS, FASTAPI, ("allowed-hosts", "warning")),
    ("ALLOWED_HOSTS=https://other.example", HTTPS, FASTAPI, ("allowed-hosts", "warning")),
    ("ALLOWED_HOSTS=localhost", HTTPS, FASTAPI, HOST),
    ("ALLOWED_HOSTS=app.example.com", APART, DJANGO, ("allowed-hosts", "warning")),
    ("ALLOWED_HOSTS=api.example.com", APART, DJANGO, HOST),
    ("ALLOWED_HOSTS=app.example.com", PRACTICE, DJANGO, ("allowed-hosts", "note")),
    ("CSRF_TRUSTED_ORIGINS=app.example.com", HTTPS, DJANGO, ("csrf-origins", "error")),
    ("CSRF_TRUSTED_ORIGINS=https://app.example.com,*", HTTPS, DJANGO, ("csrf-origins", "error")),
    ("CSRF_TRUSTED_ORIGINS=app.example.com", HTTPS, FASTAPI, CSRF),
    ("CSRF_TRUSTED_ORIGINS=http://app.example.com", HTTPS, DJANGO, CSRF),
    ("CSRF_TRUSTED_ORIGINS=https://app.example.com/", HTTPS, DJANGO, CSRF),
    ("CSRF_TRUSTED_ORIGINS=http://app.example.com", PORT, DJANGO, CSRF),
    ("CSRF_TRUSTED_ORIGINS=https://*.example.org", HTTPS, DJANGO, CSRF),
    ("CSRF_TRUSTED_ORIGINS=", APART, DJANGO, CSRF),
    ("CORS_ORIGINS=http://localhost:3000", APART, FASTAPI, CORS),
    ("CORS_ORIGINS=", APART, FASTAPI, CORS),
    ("CORS_ORIGINS=https://app.example.com/", APART, FASTAPI, CORS),
    ("CORS_ORIGINS=app.example.com", APART, FASTAPI, CORS),
    ("CORS_ORIGINS=https://*.example.com", APART, FASTAPI, CORS),
    ("CORS_ALLOWED_ORIGINS=http://app.example.com", APART, DJANGO, CORS),
    ("CORS_ORIGIN_WHITELIST=https://api.example.com", APART, DJANGO, CORS),
    ('BACKEND_CORS_ORIGINS=["http://localhost:5173"]', APART, FASTAPI, CORS),
    ("ALLOWED_ORIGINS=https://app.example.com:443", APART, FASTAPI, CORS),
    ("FRONTEND_URL=http://localhost:3000", HTTPS, FASTAPI, FRONTEND),
    ("FRONTEND_URL=http://app.example.com", HTTPS, FASTAPI, FRONTEND),
    ("FRONTEND_URL=https://old.example.com", HTTPS, FASTAPI, FRONTEND),
    ("FRONTEND_HOST=app.example.com", HTTPS, FASTAPI, FRONTEND),
    ("FRONTEND_URL=http://app.example.com", PORT, FASTAPI, FRONTEND),
    ("DEBUG=True", HTTPS, DJANGO, DEBUG),
    ("DEBUG=1", PLAIN, FASTAPI, DEBUG),
    ("DJANGO_DEBUG=on", HTTPS, DJANGO, DEBUG),
    ("SQL_DEBUG=true", HTTPS, DJANGO, ("debug", "warning")),
    ("DEBUG=True", PRACTICE, DJANGO, ("debug", "note")),
]


@pytest.mark.parametrize(
    ("line", "target", "backend", "wanted"), WRONG, ids=[f"{i}-{case[0]}" for i, case in enumerate(WRONG)]
)
def test_what_does_not_fit_is_found(line: str, target: Target, backend: Backend, wanted: tuple[str, str]) -> None:
    assert found(line, target, backend) == [wanted]


def test_debug_mode_is_a_warning_where_the_target_is_not_meant_for_visitors() -> None:
    assert found("DEBUG=True", name="staging") == [("debug", "warning")]
    assert found("DEBUG=True", name="production-eu") == [("debug", "error")]
    assert found("DEBUG=True", name="developers-choice") == [("debug", "error")]


def test_django_in_debug_mode_lets_loopback_names_through_by_itself() -> None:
    assert found("ALLOWED_HOSTS= & DEBUG=True", PRACTICE) == [("debug", "note")]


def test_an_address_that_no_browser_could_open_is_another_rules_business() -> None:
    assert found("ALLOWED_HOSTS=x & DEBUG=True", Target(host="2001:db8::1")) == []


def test_without_a_site_of_ones_own_its_address_is_somebody_elses() -> None:
    assert found("FRONTEND_URL=https://elsewhere.example.com", site=False) == []
    assert found("CORS_ORIGINS=https://elsewhere.example.com", APART, site=False) == []
    assert found("FRONTEND_URL=http://localhost:3000", site=False) == [("frontend-url", "warning")]


def test_a_finding_says_what_is_wanted_and_shows_no_value() -> None:
    canary = "canary-" + "7d1f" * 3
    values = dict.fromkeys(("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "FRONTEND_URL"), f"https://{canary}.example")
    project = Project(name="shop", frontend=SITE, backend=DJANGO)
    findings = check_web_settings(values, project, APART, "production", Source())
    assert [finding.rule for finding in findings] == ["env.allowed-hosts", "env.csrf-origins", "env.frontend-url"]
    assert canary not in repr(findings)
    assert all(finding.message.startswith("On the server, ") for finding in findings)
    assert all("inv env.push --to production" in finding.fix for finding in findings)
    assert "app.example.com" in findings[0].message and "app.example.com" in findings[0].fix


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("https://app.example.com", "as an address, and wants the name alone"),
        ("app.example.com:443", "with a port, and wants the name alone"),
        ("*.example.com", "which Django writes as a leading dot"),
        ("localhost", "does not name app.example.com"),
    ],
)
def test_a_near_miss_of_a_host_is_explained(value: str, words: str) -> None:
    project = Project(name="shop", frontend=SITE, backend=DJANGO)
    (finding,) = check_web_settings({"ALLOWED_HOSTS": value}, project, HTTPS, "production", Source())
    assert words in finding.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("https://app.example.com/", "a slash or a path behind it, which no browser sends"),
        ("app.example.com", "without https://"),
        ("http://app.example.com", "with http://, and the site is at https://"),
        ("https://app.example.com:8443", "with another port"),
        ("https://app.example.com:443", "with its port, which no browser sends"),
        ("https://*.example.com", "covered by a star"),
        ("https://other.example.com", "does not name https://app.example.com"),
    ],
)
def test_a_near_miss_of_an_origin_is_explained(value: str, words: str) -> None:
    project = Project(name="shop", frontend=SITE, backend=FASTAPI)
    (finding,) = check_web_settings({"CORS_ORIGINS": value}, project, APART, "production", Source())
    assert words in finding.message


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        ("", ()),
        ("a", ("a",)),
        (" a , b ,", ("a", "b")),
        ("a b\tc", ("a", "b", "c")),
        ('["a", "b"]', ("a", "b")),
        ("['a','b',]", ("a", "b")),
        ("[a, b]", ("a", "b")),
        ("[]", ()),
        ("[::1]", ("[::1]",)),
        ("[::1], a", ("[::1]", "a")),
        ("'a','b'", ("a", "b")),
        ("[" * 200_000, ("[" * 199_999,)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_lists_are_read_in_every_form_that_people_write(value: str, entries: tuple[str, ...]) -> None:
    assert read_list(value) == entries


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://App.example.com:443/x", "https://app.example.com"),
        ("http://a:8080/", "http://a:8080"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("HTTP://a", "http://a"),
        ("a.example.com", "None"),
        ("ftp://a", "None"),
        ("https://a:no", "None"),
        ("https://", "None"),
    ],
)
def test_an_origin_is_written_as_a_browser_sends_it(url: str, text: str) -> None:
    assert str(origin_of(url)) == text


def test_the_server_tells_the_values_of_these_settings_and_of_nothing_else() -> None:
    names = {line.split("=")[0] for case in (*FITTING, *WRONG) for line in str(case[0]).split(" & ")} - {
        "NOT_ALLOWED_HOSTS_AT_ALL",
        "DEBUGGER",
    }
    assert set(settings(dict.fromkeys(names, "https://app.example.com"))) == names
    canary = "canary-" + "31c8" * 3
    hidden = {
        "SECRET_KEY": canary,
        "DATABASE_URL": f"postgres://me:{canary}@db/shop",
        "FRONTEND_URL": f"https://me:{canary}@app.example.com",
        "FRONTEND_URL_KEY": canary,
        "CORS_ALLOWED_ORIGIN_REGEXES": canary,
    }
    assert settings(hidden) == {"CORS_ALLOWED_ORIGIN_REGEXES": "set"}
