"""What two releases differ in, computed on the server from manifests and records; no value of an environment leaves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from server import make_layout

from shipper.agent import compare, contents, environment, release, shapes
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout

CANARY = "canary-" + "7d1f" * 4
OTHER = "canary-" + "99e2" * 4
NGINX = {"http": "server { listen 80; }\n", "server": "root /srv/shop;\ncharset utf-8;\n"}
Files = dict[str, bytes]


def key(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def laid_out(folder: Path, files: Files) -> list[list[str]]:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return [[path, "file", key(content)] for path, content in files.items()]


def make_slot(layout: Layout, name: str, code: Files, packages: Files, env: str) -> None:
    folder = Path(layout.slot(name))
    manifest = {"code": laid_out(folder / "backend", code), "dependencies": laid_out(folder / "deps", packages)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "env").write_text(env)


def make_release(layout: Layout, number: int, site: Files, slot: str = "", state: str = "good", **record: Any) -> str:
    release_id = f"20261120T0000{number:02}Z-abcdef1"
    folder = Path(layout.release(release_id))
    manifest = {"site": laid_out(folder / "site", site), "immutable": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    made = {"id": release_id, "slot": slot, "state": state, "who": "kim@laptop", "nginx": NGINX, **record}
    (folder / "release.json").write_text(json.dumps(made))
    return release_id


def package(name: str, version: str) -> Files:
    return {f"{name}/__init__.py": version.encode(), f"{name}-{version}.dist-info/METADATA": b"x"}


@pytest.fixture
def shop(tmp_path: Path) -> Layout:
    """A server with two good releases that differ in everything, and a failed one after them."""
    layout = make_layout(tmp_path)
    code = {"main.py": b"one", "shop/migrations/__init__.py": b"", "shop/migrations/0001_start.py": b"m"}
    old = {**package("django", "5.1"), **package("typing_extensions", "4.0"), **package("left", "1")}
    make_slot(layout, "a" * 12, code, old, f'SECRET_KEY="{CANARY}"\nOLD="1"\nSAME="{OTHER}"\n')
    newer = {**code, "main.py": b"longer", "shop/migrations/0002_more.py": b"mm", "alembic/versions/a1b2.py": b"v"}
    new = {**package("django", "5.2"), **package("typing_extensions", "4.0"), **package("uvicorn", "0.3")}
    make_slot(layout, "b" * 12, newer, new, f'SECRET_KEY="{CANARY}x"\nNEW="1"\nSAME="{OTHER}"\n')
    one = make_release(layout, 1, {"index.html": b"<p>", "old.html": b"gone"}, "a" * 12, subject="the first")
    changed = {**NGINX, "server": f"root /srv/shop;\n# {OTHER}\n"}
    two = make_release(
        layout, 2, {"index.html": b"<p>more", "new/a b.html": b"hello"}, "b" * 12, nginx=changed, unit="[Service]\n"
    )
    make_release(layout, 3, {"index.html": b"<p>"}, "b" * 12, "bad")
    release.switch(layout, two)
    environment.replace(layout, f'SECRET_KEY="{CANARY}x"\nNEW="2"\nSAME="{OTHER}"\n')
    assert release.live(layout) == two and one < two
    return layout


def ids(layout: Layout) -> list[str]:
    return sorted(entry["id"] for entry in release.records(layout))


def test_files_packages_names_configuration_and_migrations_are_told_apart(shop: Layout) -> None:
    one, two, _ = ids(shop)
    difference = compare.compare(shop, {"old": one, "new": two})
    assert difference["files"]["site"] == {
        "added": [["new/a b.html", 5]],
        "changed": [["index.html", 3, 7]],
        "removed": [["old.html", 4]],
    }
    assert difference["files"]["backend"]["changed"] == [["main.py", 3, 6]]
    assert difference["packages"] == {
        "added": [["uvicorn", "0.3"]],
        "changed": [["django", "5.1", "5.2"]],
        "removed": [["left", "1"]],
    }
    assert difference["env"] == {"added": ["NEW"], "changed": ["SECRET_KEY"], "removed": ["OLD"]}
    assert difference["migrations"] == {
        "added": ["alembic/versions/a1b2.py", "shop/migrations/0002_more.py"],
        "changed": [],
        "removed": [],
    }
    assert set(difference["config"]) == {"nginx/server", "systemd/unit"}
    assert "-charset utf-8;" in difference["config"]["nginx/server"]
    assert difference["kinds"] == ["site", "backend", "dependencies", "env", "nginx", "systemd"]


def test_no_value_of_an_environment_is_in_a_comparison_or_a_list(shop: Layout) -> None:
    one, two, _ = ids(shop)
    told = json.dumps([compare.compare(shop, {"old": one, "new": two}), contents.releases(shop)])
    described = json.dumps(shapes.describe(shop, {"SECRET_KEY": CANARY, "MINE": OTHER}))
    for secret in (CANARY, OTHER):
        assert secret not in told + described
    assert "# ********" in told, "a value that stands in a configuration is not hidden"


def test_a_release_compared_with_itself_differs_in_nothing(shop: Layout) -> None:
    _, two, _ = ids(shop)
    difference = compare.compare(shop, {"old": two, "new": two})
    assert difference["kinds"] == [] and difference["config"] == {}
    assert not any(rows for files in difference["files"].values() for rows in files.values())


def test_what_a_client_would_ship_is_compared_with_the_environment_that_it_would_get(shop: Layout) -> None:
    _, two, _ = ids(shop)
    built = {
        "record": {"id": "here", "slot": "c" * 12, "nginx": NGINX},
        "trees": {"site": [["index.html", "file", key(b"<p>here")]], "backend": [], "dependencies": []},
        "sizes": {key(b"<p>here"): 1234},
        "texts": {},
    }
    difference = compare.compare(shop, {"old": two, "new": built})
    assert difference["files"]["site"]["changed"] == [["index.html", 7, 1234]]
    assert difference["env"] == {"added": [], "changed": ["NEW"], "removed": []}
    assert difference["new"]["id"] == "here"


def test_what_compose_runs_is_configuration(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    for number, image in enumerate(("gig:one", "gig:two"), 1):
        text = json.dumps({"services": {"web": {"image": image}}}, indent=1).encode()
        make_slot(layout, str(number) * 12, {"compose.json": text}, {}, "")
        make_release(layout, number, {"index.html": b""}, str(number) * 12, image=image, services={"text": "db"})
    one, two = ids(layout)
    difference = compare.compare(layout, {"old": one, "new": two})
    assert difference["image"] == ["gig:one", "gig:two"]
    assert [line for line in difference["config"]["compose/compose.json"] if line[0] in "+-"] == [
        '-   "image": "gig:one"',
        '+   "image": "gig:two"',
    ]


def test_the_list_says_what_changed_and_what_each_release_brought(shop: Layout) -> None:
    bad, two, one = contents.releases(shop)
    assert [entry["state"] for entry in (bad, two, one)] == ["bad", "good", "good"]
    assert [entry["live"] for entry in (bad, two, one)] == [False, True, False]
    assert (one["subject"], one["against"]) == ("the first", "")
    assert two["against"] == one["id"] and "env" in two["changed"]
    assert bad["against"] == two["id"] and bad["changed"] == ["site", "nginx", "systemd"]
    old = [b"<p>", b"gone", b"one", b"", b"m"]
    old += [
        c for each in (("django", "5.1"), ("typing_extensions", "4.0"), ("left", "1")) for c in package(*each).values()
    ]
    assert one["bytes"] == sum(map(len, old))
    # Contents that an older release has exist once, so they weigh nothing.
    assert bad["own_bytes"] == 0 < two["own_bytes"] < two["bytes"]


def test_a_release_that_somebody_removed_half_is_still_listed_and_compared(shop: Layout) -> None:
    one, two, _ = ids(shop)
    (Path(shop.slot("a" * 12)) / "manifest.json").unlink()
    (Path(shop.release(one)) / "site" / "old.html").unlink()
    assert len(contents.releases(shop)) == 3
    difference = compare.compare(shop, {"old": one, "new": two})
    assert difference["files"]["site"]["removed"] == [["old.html", 0]]
    assert difference["packages"]["removed"] == []


def test_a_release_that_is_not_there_is_an_error(shop: Layout) -> None:
    with pytest.raises(AgentError, match="There is no release"):
        compare.compare(shop, {"old": "20250101T000000Z-abcdef1", "new": ids(shop)[0]})
    with pytest.raises(AgentError, match="cannot be the name"):
        compare.compare(shop, {"old": "../../etc", "new": ids(shop)[0]})


def test_the_names_that_the_running_backend_does_not_have_yet_are_told(shop: Layout) -> None:
    described = shapes.describe(shop, {"NEW": "2", "MINE": "x"})
    assert described["stale"] == ["NEW"]
    assert (described["missing"], described["equal"]) == (["MINE"], ["NEW"])
    assert described["extra"] == ["SAME", "SECRET_KEY"]


@pytest.mark.parametrize(
    ("name", "value", "shape"),
    [
        ("DEBUG", "True", "switch, 4 characters"),
        ("PAGE_SIZE", "20", "number, 2 characters"),
        ("FRONTEND_URL", "https://a.example", "address, 17 characters"),
        ("DATABASE_PATH", "/srv/shop/db", "path, 12 characters"),
        ("ALLOWED_HOSTS", "a.example, b.example", "list of 2, 20 characters"),
        ("CORS", '["https://a"]', "list of 1, 13 characters"),
        ("TITLE", "가게", "text, 2 characters"),
        ("X", "a", "text, 1 character"),
        ("TITLE", "", "empty"),
        ("SECRET_KEY", "x" * 50, "secret, 32 or more characters"),
        ("SECRET_KEY", "x" * 12, "secret, 8 to 31 characters"),
        ("DB_PASSWORD", "abc", "secret, fewer than 8 characters"),
        ("DATABASE_URL", "postgres://me:pw@db/shop", "secret, 8 to 31 characters"),
        ("TOKEN_EXPIRE_MINUTES", "30", "number, 2 characters"),
        ("PEM", "-----BEGIN " + "PRIVATE KEY-----", "secret, 8 to 31 characters"),
    ],
)
def test_of_a_value_only_its_kind_and_length_are_told_and_of_a_secret_less(name: str, value: str, shape: str) -> None:
    assert shapes.shape(name, value) == shape
