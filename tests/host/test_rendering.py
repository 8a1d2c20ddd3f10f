"""What is rendered, read by the programs it is for: the practice server's nginx and systemd."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator

import pytest
from conftest import Exec

from shipper.config.load import parse_project
from shipper.config.target import Target
from shipper.render.nginx import SiteShape, nginx_files
from shipper.render.systemd import backend_unit
from shipper.sandbox.server import Sandbox

Put = Callable[[str, str], None]
SITE = '[frontend]\npreset = "static"\n'
BACKEND = '[backend]\napp = "main:app"\n'
DJANGO = '[backend]\nframework = "django"\napp = "main:app"\n'
HASHED = r"^/assets/.+-[A-Za-z0-9_-]{8}\.[A-Za-z0-9.]+$"
SLOT = "0123456789ab"


@pytest.fixture
def put(clean_server: Sandbox, sandbox_exec: Exec) -> Iterator[Put]:
    """A function that writes a file on the server; what was installed is gone afterwards."""

    def write(path: str, text: str) -> None:
        packed = base64.b64encode(text.encode()).decode()
        script = 'mkdir -p "$(dirname "$1")" && echo "$2" | base64 -d > "$1"'
        assert sandbox_exec(["sh", "-c", script, "sh", path, packed])[0] == 0

    yield write
    sandbox_exec(["sh", "-c", "rm -rf /etc/nginx/conf.d/shipper-* /etc/nginx/shipper"])


@pytest.mark.parametrize(
    ("tables", "shape"),
    [
        (SITE, SiteShape(trailing_slash=False, not_found=True)),
        (SITE + BACKEND, SiteShape(single_page=True, immutable=HASHED)),
        (SITE + DJANGO + '[nginx]\nrate = "off"\nwebsockets = ["/ws/", "/api/"]\n', SiteShape(not_found=True)),
        (BACKEND, None),
        (BACKEND + 'prefixes = ["/"]\n', None),
        (DJANGO + 'prefixes = ["/", "/static/"]\n', None),
    ],
    ids=["pages", "single-page", "websockets", "backend-only", "backend-at-the-root", "static-proxied-too"],
)
@pytest.mark.parametrize("name", ["shop", "my-own-shop"])
def test_nginx_takes_every_shape_of_app_without_a_warning(
    put: Put, sandbox_exec: Exec, tables: str, shape: SiteShape | None, name: str
) -> None:
    project = parse_project(f'name = "{name}"\n{tables}', "ship.toml")
    texts = nginx_files(project, Target(host="203.0.113.7", domain="shop.example.com"), shape, ipv6=True)
    put(f"/etc/nginx/conf.d/shipper-{name}.conf", texts["http"])
    put(f"/etc/nginx/shipper/{name}.conf", texts["server"])
    code, output = sandbox_exec(["nginx", "-t"])
    assert code == 0, output
    assert "warn" not in output


WORDS = [
    *("a b", "%h %i %%", "$HOME ${HOME} $$", 'it\'s "q"', "back\\slash\\", "tab\there", "new\nline", "", ";", "-x"),
    *("한글", "{x}", "'", "#", "~", "*", "\\x41", "\\n"),
]
SHOW = "import json, sys, time; json.dump(sys.argv[2:], open('/srv/shop/shared/data/words', 'w')); time.sleep(60)"


def test_systemd_passes_the_words_of_a_command_on_as_they_are(put: Put, sandbox_exec: Exec) -> None:
    command = json.dumps(["python", "-c", SHOW, "{socket}", *WORDS])
    backend = parse_project(f'name = "shop"\n[backend]\ncommand = {command}\n', "ship.toml").backend
    assert backend is not None
    put("/etc/systemd/system/shop@.service", backend_unit("shop", backend, "/usr/bin/python3"))
    put(f"/srv/shop/slots/{SLOT}/backend/main.py", "")
    put("/srv/shop/shared/data/words", "")
    for argv in (
        ["useradd", "--system", "--user-group", "shop"],
        ["chown", "-R", "shop", "/srv/shop/shared/data"],
        ["systemctl", "daemon-reload"],
    ):
        code, output = sandbox_exec(argv)
        assert code == 0, output
    assert sandbox_exec(["systemd-analyze", "verify", f"shop@{SLOT}.service"]) == (0, "")
    code, output = sandbox_exec(["systemctl", "start", f"shop@{SLOT}.service"])
    assert code == 0, output
    deadline = time.monotonic() + 10
    while not (words := sandbox_exec(["cat", "/srv/shop/shared/data/words"])[1]):
        assert time.monotonic() < deadline, sandbox_exec(["systemctl", "status", f"shop@{SLOT}"])[1]
    assert json.loads(words) == WORDS
