"""The example in containers, as a team has it: shipped as it is, and under load without losing a request or a row."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Sequence

import pytest
from cleaning import clean
from inside import run_inside
from load import Visitors, Wish
from music import EXAMPLE, Music, make_music

from shipper.sandbox.server import Sandbox

# What its tests share is dear to make: one process runs them all.
pytestmark = pytest.mark.xdist_group("music")

SHIPS, ROLLBACKS = 10, 3
COMPOSE = "docker-compose.yml"
MOTTO = "매일 조금씩, 천천히, 끝까지."
# Ships with an odd number change the backend.
VERSIONS = [f"1.0.{number}" for number in range(SHIPS // 2 + 1)]
SESSION = {"song_id": 1, "player": "서연", "minutes": 5, "day": "2026-11-20", "note": "합주 · once more from the top"}
MIGRATION = '''"""Who listens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("practice_sessions", sa.Column("teacher", sa.String(60)))
'''


@pytest.fixture(scope="module")
def first_ship(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Music, str]:
    """The example after its first ship to a clean server, and what that printed."""

    def run(argv: Sequence[str]) -> tuple[int, str]:
        return run_inside(sandbox.name, argv)

    clean(sandbox.name)
    music = make_music(tmp_path_factory.mktemp("music") / "music", sandbox, run)
    pushed = music.shipper("env.push")
    assert pushed.code == 0, pushed.output
    ended = music.ship()
    assert ended.code == 0, ended.output
    assert music.password not in pushed.output + ended.output
    return music, ended.output


@pytest.fixture
def music(first_ship: tuple[Music, str]) -> Music:
    return first_ship[0]


def test_it_is_shipped_as_it_is(first_ship: tuple[Music, str]) -> None:
    music, output = first_ship
    assert "Not run on the server: frontend" in output
    assert re.findall(r"Running upgrade .*-> (\w+)", output) == ["0001", "0002", "0003"]
    status, text = music.get("/api/songs")
    assert status == 200
    assert {"아리랑", "Clair de lune"} <= {song["title"] for song in json.loads(text)}
    names = music.run(["docker", "ps", "--format", "{{.Names}}"])[1].split()
    assert sorted(re.sub(r"-[0-9a-f]{12}-", "-", name) for name in names) == ["music-backend-1", "music-db"]
    ports = music.run(["docker", "ps", "--format", "{{.Ports}}"])[1]
    assert "0.0.0.0" not in ports and ":::" not in ports, "only the server itself reaches them"


def test_the_site_asks_the_api_at_its_own_address_and_every_path_of_it_is_a_page(music: Music) -> None:
    assert f'"{music.url}"' in script_of(music)
    for path in ("/", "/songs", "/statistics"):
        assert '<div id="root">' in music.get(path)[1], path
    question = urllib.request.Request(f"{music.url}/api/songs", headers={"Origin": music.url})
    with urllib.request.urlopen(question, timeout=10) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == music.url


def test_only_who_knows_the_password_gets_into_the_database(music: Music) -> None:
    assert not music.refused("SELECT 1", music.password)
    assert music.refused("SELECT 1", "not-the-password")


def test_no_request_and_no_row_is_lost_in_ten_ships_and_three_rollbacks(music: Music) -> None:
    music.write("ship.toml", (music.root / "ship.toml").read_text(encoding="utf-8") + '\n[nginx]\nrate = "off"\n')
    music.shipped()
    database, [rows] = music.database_container(), music.query("SELECT count(*) FROM practice_sessions")
    with Visitors(music.url, wishes()) as visitors:
        for number in range(1, SHIPS + 1):
            change(music, number)
            music.shipped()
            assert json.loads(music.get("/api/health")[1])["version"] == VERSIONS[(number + 1) // 2]
            assert motto(number) in script_of(music)
        for _ in range(ROLLBACKS):
            ended = music.shipper("rollback", "--yes")
            assert ended.code == 0, ended.output
    tally = visitors.tally
    assert tally.failures == []
    assert tally.idle_closes == 0
    assert set(marks()) <= set(tally.answers), "every version of the backend was seen"
    back = SHIPS - ROLLBACKS
    assert json.loads(music.get("/api/health")[1])["version"] == VERSIONS[(back + 1) // 2]
    assert motto(back) in script_of(music)

    assert music.database_container() == database, "made once, started once"
    acknowledged = [json.loads(text)["id"] for text in tally.kept]
    assert len(acknowledged) > 500
    assert set(map(str, acknowledged)) <= set(music.query("SELECT id FROM practice_sessions"))
    count = int(rows) + len(acknowledged)
    assert json.loads(music.get("/api/sessions?limit=1")[1])["count"] == count
    assert json.loads(music.get("/api/statistics")[1])["sessions"] == count
    assert music.query("SELECT version_num FROM alembic_version") == ["0004"]
    assert music.query("SELECT count(teacher) FROM practice_sessions") == ["0"]
    assert (music.root / COMPOSE).read_bytes() == (EXAMPLE / COMPOSE).read_bytes()
    assert music.git("status", "--porcelain", COMPOSE) == ""


def change(music: Music, number: int) -> None:
    """Change a line of the backend, or a text of the site; once, add a migration."""
    if number % 2:
        before, after = VERSIONS[number // 2], VERSIONS[number // 2 + 1]
        music.edit("backend/app/main.py", f'VERSION = "{before}"', f'VERSION = "{after}"')
    else:
        music.edit("frontend/src/texts.ts", motto(number - 2), motto(number))
    if number == 5:
        music.write("backend/alembic/versions/0004_teacher.py", MIGRATION)


def motto(number: int) -> str:
    """Return the text at the end of every page after a ship; only even ones change it."""
    return MOTTO if number < 2 else f"{MOTTO} ({number - number % 2})"


def script_of(music: Music) -> str:
    """Return the site's script as a visitor gets it who comes now."""
    found = re.search(r'src="(/assets/[^"]+\.js)"', music.get("/")[1])
    assert found
    status, text = music.get(found[1])
    assert status == 200
    return text


def marks() -> tuple[str, ...]:
    """Return what the health of each version says."""
    return tuple(f'"version":"{version}"' for version in VERSIONS)


def wishes() -> list[Wish]:
    asked = [
        Wish(method, path, keep, found, body, status)
        for method, path, found, body, status in (
            ("GET", "/", ('<div id="root">',), "", 200),
            ("GET", "/api/health", marks(), "", 200),
            ("POST", "/api/sessions", ('"song":"아리랑"',), json.dumps(SESSION), 201),
        )
        for keep in (True, False)
    ]
    return [*asked, Wish("GET", "/api/songs", True, ('"아리랑"',))]
