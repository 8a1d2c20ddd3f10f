"""An ordinary day with a server: releases looked at and compared, the environment changed, a call across origins."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cleaning import clean
from corner import Corner, Ended, make_corner
from inside import run_inside

from shipper.config.load import find_workspace
from shipper.errors import ShipperError
from shipper.events import discard
from shipper.pipeline.cors import check_cors
from shipper.pipeline.edit import edit_environment
from shipper.sandbox.server import Sandbox
from shipper.tasks.job import find_job

# Two ships are shared by all tests of this module: one process runs them.
pytestmark = pytest.mark.xdist_group("daily")

CANARIES = tuple("canary-" + part * 4 for part in ("7d1f", "99e2", "31c8"))
ENVIRONMENT = f'SECRET_KEY="{CANARIES[0]}-long-enough-for-a-signing-key"\nOLD_TOKEN="{CANARIES[1]}"\nPAGE_SIZE=20\n'
# The backend of the corner lets the site's origin read its answers.
ALLOWING = """headers = [(b"content-type", b"application/json"),
        (b"access-control-allow-origin", b"SITE"), (b"access-control-allow-headers", b"content-type")]
    status = 200 if scope["method"] == "OPTIONS" else status"""
ADDING = f"""
import pathlib, sys
file = pathlib.Path(sys.argv[1])
text = file.read_text()
assert "{CANARIES[0]}" in text, "the editor did not get the environment"
file.write_text(text.replace('OLD_TOKEN="{CANARIES[1]}"\\n', "") + "NEW_TOKEN={CANARIES[2]}\\n")
"""


def typed(corner: Corner, *words: str, **environment: str) -> Ended:
    """Type a command; whatever it prints, no secret is in it."""
    ended = corner.shipper(*words, **environment)
    for canary in CANARIES:
        assert canary not in ended.output, f"{words} shows a secret"
    return ended


def answered(corner: Corner, *words: str) -> dict[str, Any]:
    ended = typed(corner, *words, "--json", "--to", "apart")
    assert ended.code == 0, ended.output
    answer: dict[str, Any] = json.loads(ended.output.splitlines()[-1])
    assert (answer["command"], answer["ok"], answer["exit_code"]) == (words[0], True, 0)
    return answer


def an_editor(folder: Path, program: str) -> str:
    """Make an editor of a program that gets the file; return it as people set it in EDITOR."""
    file = folder / "editor.py"
    file.write_text(program, encoding="utf-8")
    return f'"{sys.executable}" "{file}"'


def add_targets(corner: Corner) -> None:
    """Add `apart`, whose site calls another origin of the same server, and `public`, which has a name of its own."""
    access = corner.sandbox
    port = access.url.rpartition(":")[2]
    common = f"host = '127.0.0.1'\nport = {access.ssh_port}\nuser = 'deploy'\nkey = '{access.key_file}'\n"
    common += f"host_key = '{access.host_key_fingerprint}'\nenv_file = '.env.sandbox'\ndomain = '127.0.0.1'\n"
    text = (corner.root / "ship.toml").read_text(encoding="utf-8")
    text += f"\n[targets.apart]\n{common}url = '{access.url}'\napi_url = 'http://localhost:{port}'\n"
    corner.write("ship.toml", f"{text}\n[targets.public]\n{common}url = 'https://shop.example.com'\n")
    corner.git("commit", "--quiet", "--message", "targets")


def until(condition: Callable[[], bool]) -> None:
    """Ask again until it is so, for at most ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end


def answer_to_localhost(corner: Corner, more: str = "") -> None:
    """Give the app another server block, as an owner does for a second name; `more` stands in it, too."""
    block = f"server {{ listen 80; server_name localhost; include shipper/corner.conf; {more} }}"
    write = f"open('/etc/nginx/conf.d/shipper-second.conf', 'w').write({block!r})"
    for argv in (["python3", "-c", write], ["nginx", "-t"], ["systemctl", "reload", "nginx.service"]):
        code, output = run_inside(corner.sandbox.name, argv)
        assert code == 0, output


@pytest.fixture(scope="module")
def day(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Corner, dict[str, Ended]]:
    """Two releases with changes of every kind between them, and what the commands in between had to say."""
    clean(sandbox.name)
    folder = tmp_path_factory.mktemp("daily")
    corner = make_corner(folder / "corner", sandbox, environment=ENVIRONMENT)
    add_targets(corner)
    said = {"push": typed(corner, "env.push", "--to", "apart")}
    said["first"] = typed(corner, "ship", "--yes", "--to", "apart")
    answer_to_localhost(corner)
    corner.edit("backend/main.py", 'headers = [(b"content-type", b"application/json")]', ALLOWING)
    corner.edit("backend/main.py", 'b"SITE"', f'b"{corner.url}"')
    corner.write("site/menu.html", "<p>soup</p>")
    corner.write("backend/shop/migrations/0001_start.py", "")
    corner.edit("ship.toml", 'rate = "off"', 'rate = "off"\nbody_size = "21m"')
    corner.git("commit", "--all", "--quiet", "--message", "soup of the day")
    adding = an_editor(folder, ADDING)
    said["edit"] = typed(corner, "env.edit", "--yes", "--to", "apart", EDITOR=adding)
    said["stale"] = typed(corner, "env.diff", "--to", "apart")
    said["second"] = typed(corner, "ship", "--yes", "--to", "apart")
    for ended in said.values():
        assert ended.code == 0, ended.output
    return corner, said


def test_what_a_browser_would_say_of_another_origin_is_told_after_the_switch(
    day: tuple[Corner, dict[str, Ended]],
) -> None:
    corner, said = day
    first, second = said["first"].output, said["second"].output
    assert "is live at" in first and "cors.blocked" in first
    assert "No 'Access-Control-Allow-Origin' header is present" in first
    assert f"Put {corner.url} into the backend's list of allowed origins" in first
    assert "cors." not in second and "browsers let the site read the API's answers" in second


def test_a_header_that_nginx_adds_to_the_apps_own_is_found(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    workspace = find_workspace(corner.root)
    target = workspace.project.targets["apart"]
    answer_to_localhost(corner, "add_header Access-Control-Allow-Origin * always;")

    def rules() -> list[str]:
        return [finding.rule for finding in check_cors(workspace.project, target)]

    # Workers of before the reload may still answer: what is wanted is that it comes to this.
    until(lambda: rules() == ["cors.twice"])
    answer_to_localhost(corner)
    until(lambda: rules() == [])


def test_an_edit_shows_keys_sends_them_and_says_what_has_to_follow(day: tuple[Corner, dict[str, Ended]]) -> None:
    edit = day[1]["edit"].output
    assert "+ NEW_TOKEN=********" in edit and "- OLD_TOKEN=********" in edit
    assert "SECRET_KEY=" not in edit and "PAGE_SIZE=" not in edit
    assert "-> inv ship --to apart" in edit
    assert ".env.sandbox here says something else of NEW_TOKEN, OLD_TOKEN" in edit
    stale = day[1]["stale"].output
    assert "The running backend does not have NEW_TOKEN, OLD_TOKEN of it yet." in stale


def test_releases_are_listed_with_what_changed(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    (server,) = answered(corner, "releases")["servers"]
    new, old = server["releases"]
    assert (new["live"], new["state"], new["subject"]) == (True, "good", "soup of the day")
    assert set(new["changed"]) == {"site", "backend", "env", "nginx"}
    assert old["against"] == "" and 0 < new["own_bytes"] < new["bytes"]
    text = typed(corner, "releases", "--to", "apart").output
    assert corner.live() in text and "soup of the day" in text and "the oldest that is kept" in text


def test_two_releases_are_compared_in_everything_but_values(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    text = typed(corner, "diff", "--to", "apart").output
    for words in (
        "+ menu.html",
        "~ main.py",
        "+ NEW_TOKEN",
        "- OLD_TOKEN",
        "0001_start.py",
        "+client_max_body_size 21m;",
    ):
        assert words in text
    (server,) = answered(corner, "diff", "previous", "live")["servers"]
    assert server["files"]["site"]["added"] == [["menu.html", 11]]
    assert server["env"] == {"added": ["NEW_TOKEN"], "changed": [], "removed": ["OLD_TOKEN"]}
    assert server["migrations"]["added"] == ["shop/migrations/0001_start.py"]
    short = typed(corner, "diff", "--stat", "--to", "apart").output
    assert "site          1 added" in short and "menu.html" not in short


def test_what_is_built_here_is_compared_with_what_is_live(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    assert "No difference" in typed(corner, "diff", "here", "--to", "apart").output
    menu = corner.root / "site" / "menu.html"
    menu.write_text("<p>stew of the day</p>", encoding="utf-8")
    (server,) = answered(corner, "diff", "live", "here")["servers"]
    menu.write_text("<p>soup</p>", encoding="utf-8")
    assert server["kinds"] == ["site"]
    assert server["files"]["site"]["changed"] == [["menu.html", 11, 22]]


def test_a_release_that_is_not_there_is_named_also_to_programs(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    ended = typed(corner, "diff", "nonsense", "--json", "--to", "apart")
    assert ended.code == 2
    answer = json.loads(ended.output.splitlines()[-1])
    assert (answer["ok"], answer["exit_code"]) == (False, 2)
    assert corner.live() in answer["error"]["why"]


def test_environments_are_compared_by_key_with_kind_and_length(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    (corner.root / ".env.example").write_text("SECRET_KEY=\nPAGE_SIZE=10\nWANTED=\n", encoding="utf-8")
    (server,) = answered(corner, "env.diff")["servers"]
    assert (server["file"], server["example"], server["stale"]) == (".env.sandbox", ".env.example", [])
    states = {one["name"]: (one["state"], one["server"], one["file"]) for one in server["variables"]}
    assert states == {
        "NEW_TOKEN": ("only there", "secret, 8 to 31 characters", ""),
        "OLD_TOKEN": ("only here", "", "secret, 8 to 31 characters"),
        "PAGE_SIZE": ("equal", "number, 2 characters", "number, 2 characters"),
        "SECRET_KEY": ("equal", "secret, 32 or more characters", "secret, 32 or more characters"),
        "WANTED": ("only in the example", "", ""),
    }


def test_a_text_that_cannot_be_right_is_refused_and_changes_nothing(
    day: tuple[Corner, dict[str, Ended]], tmp_path: Path
) -> None:
    corner, _ = day
    before = answered(corner, "env.diff")["servers"]
    for line, code, words in (
        ("no assignment", 2, "expected NAME=value"),
        ("DB_PASSWORD=change-me", 3, "env.placeholder"),
    ):
        program = f"import pathlib, sys\npathlib.Path(sys.argv[1]).open('a').write('{line}\\n')\n"
        ended = typed(corner, "env.edit", "--yes", "--to", "apart", EDITOR=an_editor(tmp_path, program))
        assert (ended.code, words in ended.output) == (code, True), ended.output
    ended = typed(corner, "env.edit", "--yes", "--to", "apart", EDITOR=an_editor(tmp_path, "raise SystemExit(1)\n"))
    assert ended.code == 2, ended.output
    assert answered(corner, "env.diff")["servers"] == before


def test_what_somebody_else_sent_meanwhile_is_not_overwritten(
    day: tuple[Corner, dict[str, Ended]], tmp_path: Path
) -> None:
    corner, _ = day
    program = f"""
import pathlib, subprocess, sys
subprocess.run([sys.executable, "-m", "shipper", "env.push", "--to", "apart"], check=True, capture_output=True)
pathlib.Path(sys.argv[1]).write_text("SECRET_KEY={CANARIES[2]}-long-enough-for-a-signing-key\\n")
"""
    ended = typed(corner, "env.edit", "--yes", "--to", "apart", EDITOR=an_editor(tmp_path, program))
    assert ended.code == 2, ended.output
    assert "Somebody else changed the environment meanwhile" in ended.output
    states = [one["state"] for one in answered(corner, "env.diff")["servers"][0]["variables"] if one["file"]]
    assert set(states) == {"equal"}


def test_a_text_that_could_not_be_sent_is_opened_again_as_it_was_left(
    day: tuple[Corner, dict[str, Ended]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corner, _ = day
    opened = tmp_path / "opened"
    program = f"""
import pathlib, sys
text = pathlib.Path(sys.argv[1])
with pathlib.Path({str(opened)!r}).open("a") as seen:
    seen.write(str("LONG_THOUGHT=of" in text.read_text()) + "\\n")
if "LONG_THOUGHT=of" not in text.read_text():
    text.open("a").write("LONG_THOUGHT=of\\n")
"""
    monkeypatch.chdir(corner.root)
    monkeypatch.setenv("EDITOR", an_editor(tmp_path, program))
    assert typed(corner, "lock.take", "--to", "apart", "--reason", "counting").code == 0
    errors: list[ShipperError] = []

    def again(error: ShipperError) -> bool:
        errors.append(error)
        return typed(corner, "lock.release", "--to", "apart").code == 0

    edited = edit_environment(find_job("apart"), discard, again, lambda *_: True)
    assert edited.sent and edited.difference["missing"] == ["LONG_THOUGHT"]
    assert [error.exit_code for error in errors] == [5]
    assert opened.read_text(encoding="utf-8").split() == ["False", "True"]


def test_settings_that_do_not_fit_a_public_address_stop_the_plan_and_the_push(
    day: tuple[Corner, dict[str, Ended]], tmp_path: Path
) -> None:
    corner, _ = day
    lines = "DEBUG=True\\nALLOWED_HOSTS=localhost\\n"
    program = f"import pathlib, sys\npathlib.Path(sys.argv[1]).open('a').write('{lines}')\n"
    edited = typed(corner, "env.edit", "--yes", "--to", "apart", EDITOR=an_editor(tmp_path, program))
    assert edited.code == 0 and edited.output.count("note") >= 2, edited.output
    planned = typed(corner, "plan", "--to", "public")
    assert planned.code == 3, planned.output
    assert "On the server, DEBUG switches debug mode on." in planned.output
    assert "On the server, ALLOWED_HOSTS does not name shop.example.com." in planned.output
    file = corner.root / ".env.sandbox"
    file.write_text(ENVIRONMENT + "ALLOWED_HOSTS=shop.example.com:443\n", encoding="utf-8")
    pushed = typed(corner, "env.push", "--to", "public")
    assert pushed.code == 3 and "with a port, and wants the name alone" in pushed.output, pushed.output


def test_the_address_is_printed_where_there_is_no_browser(day: tuple[Corner, dict[str, Ended]]) -> None:
    corner, _ = day
    without = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
    assert typed(corner, "open", "--to", "apart", **without).output == f"{corner.url}\n"
