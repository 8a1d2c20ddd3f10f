"""The example as its visitors see it: shipped for real, opened in a real browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chromium import Tab, open_tab
from cleaning import clean

from shipper.config.envfile import EnvFile, render_env
from shipper.sandbox.server import Sandbox

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("quality")

EXAMPLE = Path(__file__).parents[2] / "examples" / "quality"


@dataclass(frozen=True)
class Quality:
    """The example in a repository of its own, live on the practice server."""

    root: Path
    url: str

    def shipper(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "shipper", *words],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fetch(self, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


@pytest.fixture(scope="module")
def quality(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Quality:
    clean(sandbox.name)
    root = tmp_path_factory.mktemp("browser") / "quality"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns("node_modules", ".next", "out", ".shipper"))
    values = {
        "SECRET_KEY": "a-test-has-no-secret-worth-keeping-but-django-wants-fifty-characters-of-it",
        "ALLOWED_HOSTS": "127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": sandbox.url,
        "DATABASE_PATH": "/srv/quality/shared/data/quality.sqlite3",
    }
    (root / ".env.sandbox").write_text(render_env(EnvFile("test", values)), encoding="utf-8")
    who = ["-c", "user.name=Kim", "-c", "user.email=kim@example.com"]
    for words in (["init", "-q"], ["add", "--all"], [*who, "commit", "-qm", "the example"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    made = Quality(root, sandbox.url)
    made.shipper("env.push")
    made.shipper("ship", "--yes")
    return made


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with open_tab(tmp_path / "profile") as opened:
        yield opened


def test_the_page_asks_the_baked_address_and_shows_the_answer(quality: Quality, tab: Tab) -> None:
    tab.open(quality.url + "/inspections/")
    tab.wait_for("document.querySelectorAll('table tbody tr').length >= 5")
    assert [url for url in tab.requests if url.startswith(f"{quality.url}/api/inspections")]
    assert all(url.startswith(quality.url) for url in tab.requests), tab.requests
    assert set(tab.answers.values()) <= {200, 304}, tab.answers


def test_sign_in_says_that_the_api_answers(quality: Quality, tab: Tab) -> None:
    tab.open(quality.url + "/login/")
    tab.wait_for("document.body.innerText.includes('API ok')")
    assert tab.answers[f"{quality.url}/api/health"] == 200


def test_admin_pages_of_the_frontend_and_the_admin_of_the_backend_live_side_by_side(quality: Quality, tab: Tab) -> None:
    tab.open(quality.url + "/admin/users/")
    assert tab.evaluate("location.pathname") == "/admin/users/"
    assert tab.answers[quality.url + "/admin/users/"] == 200
    assert "Who may do what." in tab.text()
    tab.open(quality.url + "/django-admin/")
    assert "Django administration" in tab.text()
    styles = {url: status for url, status in tab.answers.items() if "/static/" in url}
    assert styles
    assert set(styles.values()) == {200}


def chunks_of(page: str) -> set[str]:
    return {part.split('"')[0] for part in page.split('src="')[1:] if part.startswith("/_next/static/")}


def test_an_open_tab_goes_on_after_two_more_releases(quality: Quality, tab: Tab) -> None:
    tab.open(quality.url + "/")
    old = chunks_of(quality.fetch("/inspections/")[1].decode())
    component = quality.root / "frontend/components/inspection-table.tsx"
    text = component.read_text(encoding="utf-8")
    assert "Nothing recorded yet." in text
    for number in (1, 2):
        component.write_text(text.replace("Nothing recorded yet.", f"Nothing yet, {number}."), encoding="utf-8")
        quality.shipper("ship", "--yes")
    gone = old - chunks_of(quality.fetch("/inspections/")[1].decode())
    assert gone, "no chunk has another name, so there is nothing to prove"
    for chunk in gone:
        headers, _ = quality.fetch(chunk)
        assert "immutable" in headers["cache-control"]
    tab.evaluate("document.querySelector('a[href=\"/inspections/\"]').click()")
    tab.wait_for("location.pathname === '/inspections/' && document.querySelectorAll('table tbody tr').length >= 5")
    assert 404 not in tab.answers.values(), tab.answers


def test_pages_are_asked_for_anew_and_compressed(quality: Quality) -> None:
    headers, _ = quality.fetch("/", **{"Accept-Encoding": "gzip"})
    assert headers["cache-control"] == "no-cache"
    assert headers["content-encoding"] == "gzip"
    assert "etag" in headers
    script = sorted(chunks_of(quality.fetch("/")[1].decode()))[0]
    headers, _ = quality.fetch(script, **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/nothing/here/"])
def test_what_is_not_there_is_a_404_with_the_sites_own_page(quality: Quality, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        quality.fetch(path)
    assert caught.value.code == 404
    assert b"There is no page here." in caught.value.read()


def test_a_route_without_its_slash_is_led_to_the_right_one_on_the_same_port(quality: Quality) -> None:
    with urllib.request.urlopen(quality.url + "/admin/users", timeout=10) as answer:
        assert answer.url == quality.url + "/admin/users/"


def test_nothing_secret_was_built_into_the_site(quality: Quality) -> None:
    found = subprocess.run(["grep", "-rl", "a-test-has-no-secret", ".shipper"], cwd=quality.root, capture_output=True)
    assert (found.returncode, found.stdout) == (1, b"")
