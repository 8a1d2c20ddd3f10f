"""What nginx does with the files made for it: the real one, asked as visitors and as mischief would ask it."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from conftest import Exec
from corner import Corner

from shipper.config.load import parse_project
from shipper.config.target import Target
from shipper.render.nginx import SiteShape, nginx_files
from shipper.sandbox.server import Sandbox

ECHO = 'return 200, {"headers": HEADERS, "version"'
Site = Callable[[SiteShape, dict[str, str]], None]


def ask(url: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], str]:
    """Ask without following redirects; header names come back in lower case."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body or None, headers=named)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, found, answer.read().decode()


@pytest.fixture
def site(clean_server: Sandbox, sandbox_exec: Exec) -> Site:
    """A function that puts the files of a site and nginx's files for its shape on the server."""

    def make(shape: SiteShape, files: dict[str, str]) -> None:
        project = parse_project('name = "shop-two"\n[frontend]\npreset = "static"\n', "ship.toml")
        target = Target(host="127.0.0.1", domain="127.0.0.1")
        texts = nginx_files(project, target, shape, ipv6=True)
        content = {f"/srv/shop-two/current/site/{path}": text for path, text in files.items()}
        content["/etc/nginx/conf.d/shipper-shop-two.conf"] = texts["http"]
        content["/etc/nginx/shipper/shop-two.conf"] = texts["server"]
        for path, text in content.items():
            packed = base64.b64encode(text.encode()).decode()
            script = 'mkdir -p "$(dirname "$1")" && echo "$2" | base64 -d > "$1"'
            assert sandbox_exec(["sh", "-c", script, "sh", path, packed])[0] == 0
        code, output = sandbox_exec(["nginx", "-t"])
        assert code == 0, output
        assert "warn" not in output
        before = workers(sandbox_exec)
        assert sandbox_exec(["systemctl", "reload", "nginx"])[0] == 0
        deadline = time.monotonic() + 20
        while before & workers(sandbox_exec) or not workers(sandbox_exec):
            assert time.monotonic() < deadline, "the old workers go on accepting"

    return make


def workers(sandbox_exec: Exec) -> set[str]:
    """The workers that accept connections; one that is shutting down says so in its name."""
    lines = sandbox_exec(["ps", "-eo", "pid,args"])[1].splitlines()
    return {line.split()[0] for line in lines if line.rstrip().endswith("nginx: worker process")}


def test_an_export_of_folders(sandbox: Sandbox, site: Site) -> None:
    site(
        SiteShape(trailing_slash=True, not_found=True),
        {"index.html": "home", "a/b/index.html": "b", "404.html": "lost"},
    )
    assert ask(sandbox.url, "/a/b")[0:2][0] == 301
    assert ask(sandbox.url, "/a/b")[1]["location"] == "/a/b/"
    assert ask(sandbox.url, "/nope/")[::2] == (404, "lost")
    assert ask(sandbox.url, "/404.html")[0] == 404


# Switches releases as fast as it can, and asks for the script of a page that one of them had.
SWITCH_AND_ASK = """
import collections, http.client, multiprocessing, os
os.chdir("/srv/shop-two")

def switch():
    while True:
        for release in ("one", "two"):
            os.symlink(release, "next")
            os.replace("next", "current")

switching = multiprocessing.Process(target=switch, daemon=True)
switching.start()
connection, seen = http.client.HTTPConnection("127.0.0.1"), collections.Counter()
for _ in range(2000):
    connection.request("GET", "/assets/app-00000001.js")
    answer = connection.getresponse()
    seen[f"{answer.status} {answer.read().decode()}"] += 1
switching.terminate()
switching.join()
os.symlink("one", "last")
os.replace("last", "current")
print(dict(seen))
"""


def test_a_switch_between_the_look_for_an_asset_and_its_opening_is_not_seen(
    site: Site, sandbox: Sandbox, sandbox_exec: Exec
) -> None:
    shape = SiteShape(not_found=True, immutable=r"^/assets/.+-[A-Za-z0-9_-]{8}\.[A-Za-z0-9.]+$")
    site(shape, {"404.html": "lost", "assets/app-00000001.js": "one"})
    kept = "mkdir two assets && mv current one && ln -s one current && cp -a one/site/assets assets/"
    assert sandbox_exec(["sh", "-c", f"cd /srv/shop-two && {kept}"]) == (0, "")
    assert sandbox_exec(["python3", "-c", SWITCH_AND_ASK]) == (0, "{'200 one': 2000}\n")
    status, headers, text = ask(sandbox.url, "/assets/gone-00000001.js")
    assert (status, text) == (404, "lost")
    assert "cache-control" not in headers or "immutable" not in headers["cache-control"]


def test_an_export_of_html_files(sandbox: Sandbox, site: Site) -> None:
    site(SiteShape(trailing_slash=False), {"index.html": "home", "about.html": "about", "about/team.html": "team"})
    assert ask(sandbox.url, "/about")[2] == "about"
    assert ask(sandbox.url, "/about/team")[2] == "team"
    assert ask(sandbox.url, "/about/")[1]["location"] == "/about"
    assert ask(sandbox.url, "/nope")[0] == 404
    # A browser would take `/\\elsewhere.example` for the name of another site.
    for path in (
        "/%5Celsewhere.example/",
        "/\\elsewhere.example/",
        "//elsewhere.example/",
        "/%0D%0AX-Odd:1/",
        "/a%3Fb/",
    ):
        headers = ask(sandbox.url, path)[1]
        assert headers.get("location", "/elsewhere.example") == "/elsewhere.example"
        assert "x-odd" not in headers


def test_a_single_page_app(sandbox: Sandbox, site: Site) -> None:
    immutable = r"^/assets/.+-[A-Za-z0-9_-]{8}\.[A-Za-z0-9.]+$"
    files = {"index.html": "app", "assets/index-Ab3_9-xZ.js": "js", "assets/logo.png": "logo", ".env": "SECRET=1"}
    site(SiteShape(trailing_slash=True, single_page=True, immutable=immutable), files)
    assert ask(sandbox.url, "/orders/17")[2] == "app"
    assert ask(sandbox.url, "/")[1]["cache-control"] == "no-cache"
    assert "immutable" in ask(sandbox.url, "/assets/index-Ab3_9-xZ.js")[1]["cache-control"]
    assert ask(sandbox.url, "/assets/logo.png")[1]["cache-control"] == "no-cache"
    # A chunk that is gone must be a 404: the page in its place would be taken for a script.
    status, headers, _ = ask(sandbox.url, "/assets/gone-Ab3_9-xZ.js")
    assert (status, "cache-control" in headers) == (404, False)
    assert ask(sandbox.url, "/.env")[0] == 404
    assert ask(sandbox.url, "/assets/../.env")[0] == 404


@pytest.fixture
def echo(corner: Corner) -> Corner:
    """The small app, answering its health check with the headers it was asked with."""
    corner.edit("backend/main.py", 'return 200, {"version"', ECHO)
    corner.edit(
        "backend/main.py",
        "    status, answer =",
        '    global HEADERS\n    HEADERS = {n.decode(): v.decode() for n, v in scope["headers"]}\n    status, answer =',
    )
    return corner


def test_the_backend_is_told_the_truth_about_the_visitor(echo: Corner) -> None:
    echo.shipped()
    lies = {"X_Forwarded_For": "6.6.6.6", "X_Real_IP": "6.6.6.6", "X_Forwarded_Proto": "https"}
    status, _, text = ask(echo.url, "/api/health", **lies)
    assert status == 200
    told = json.loads(text)["headers"]
    assert "6.6.6.6" not in text
    assert told["x-forwarded-for"] == told["x-real-ip"]
    assert told["x-forwarded-proto"] == "http"
    assert told["host"] == urlsplit(echo.url).netloc
    assert "upgrade" not in told


def test_limits_and_websockets_are_what_ship_toml_says(echo: Corner) -> None:
    echo.edit(
        "ship.toml",
        'rate = "off"',
        'rate = "1r/s"\nburst = 3\nbody_size = "2k"\nread_timeout = 7\nwebsockets = ["/api/live/"]',
    )
    echo.edit("backend/main.py", 'if path == "/api/health"', 'if path.startswith(("/api/health", "/api/live/"))')
    echo.shipped()
    statuses = [ask(echo.url, "/api/health")[0] for _ in range(12)]
    assert 200 in statuses
    assert 429 in statuses
    assert ask(echo.url, "/")[0] == 200
    assert ask(echo.url, "/api/echo", "POST", b"x" * 3000)[0] == 413
    deadline = time.monotonic() + 10
    status = 429
    while status == 429:  # until the limit lets somebody in again
        assert time.monotonic() < deadline
        time.sleep(0.1)
        status, _, text = ask(echo.url, "/api/live/x", Upgrade="websocket", Connection="Upgrade")
    assert json.loads(text)["headers"]["upgrade"] == "websocket"
    assert json.loads(text)["headers"]["connection"] == "upgrade"


def test_a_page_under_a_proxied_prefix_blocks_the_ship(corner: Corner) -> None:
    corner.write("site/api/guide.html", "how to use the API")
    ended = corner.ship()
    assert ended.code == 3, ended.output
    assert "The prefix /api/ goes to the backend, but the frontend has pages there: /api/guide.html" in ended.output
    assert "nginx.prefix-hides-pages" in ended.output


@pytest.mark.live
def test_a_folder_that_nginx_may_not_enter_is_named(corner: Corner, sandbox_exec: Exec) -> None:
    live = corner.live()
    corner.edit("site/index.html", "one", "two")
    sandbox_exec(["chmod", "0750", "/srv"])
    try:
        ended = corner.ship()
    finally:
        sandbox_exec(["chmod", "0755", "/srv"])
    assert ended.code == 1, ended.output
    assert "www-data may not enter /srv" in ended.output
    assert "sudo chmod o+x /srv" in ended.output
    assert corner.live() == live
