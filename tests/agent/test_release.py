"""Releases on the server's disk: made whole or not at all, switched by one rename, pruned with care."""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from server import Client, KilledError, killed_at, make_layout

from shipper.agent import release, store
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout


def make(layout: Layout, number: int, state: str = "good", **files: bytes) -> str:
    """Make a release of these files (`__` in a name stands for `/`) and return its id."""
    release_id = f"202611200000{number:02}Z".replace("20261120", "20261120T") + "-abcdef1"
    contents = {name.replace("__", "/"): content for name, content in files.items()}
    keys = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    objects = [[keys[path], len(content)] for path, content in contents.items()]
    store.receive(layout, objects, [zlib.compress(b"".join(contents.values()))], Client().channel)
    site = [[path, "file", key] for path, key in keys.items()]
    immutable = [path for path in keys if path.startswith("assets/")]
    release.make(layout, {"id": release_id, "slot": ""}, site, immutable)
    release.mark(layout, release_id, state)
    return release_id


def test_switch_goes_through_one_rename_and_back(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    one, two = make(layout, 1, index=b"1"), make(layout, 2, index=b"2")
    for release_id in (one, two, one):
        release.switch(layout, release_id)
        assert release.live(layout) == release_id
        assert os.readlink(layout.current) == f"releases/{release_id}"
    release.switch(layout, "")
    assert release.live(layout) == ""
    assert not [name for name in os.listdir(layout.root) if name.startswith(".current")]


def test_a_bad_release_never_pushes_a_good_one_out(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    good = [make(layout, number, index=b"%d" % number) for number in range(1, 4)]
    bad = [make(layout, number, "bad", index=b"%d" % number) for number in range(4, 9)]
    release.switch(layout, good[-1])
    assert sorted(release.prune(layout, 3)) == bad
    assert sorted(os.listdir(layout.releases)) == good


def test_the_live_release_stays_however_old_it_is(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    made = [make(layout, number, index=b"%d" % number) for number in range(1, 7)]
    release.switch(layout, made[0])
    release.prune(layout, 2)
    assert sorted(os.listdir(layout.releases)) == [made[0], made[4], made[5]]


@pytest.mark.parametrize("number", range(1, 12))
def test_a_removal_that_is_cut_short_leaves_no_release_without_its_files(tmp_path: Path, number: int) -> None:
    layout = make_layout(tmp_path)
    made = [make(layout, each, index=b"%d" % each) for each in range(1, 4)]
    release.switch(layout, made[-1])
    whole = sorted(os.listdir(layout.release(made[-1])))
    with killed_at(number), suppress(KilledError):
        release.prune(layout, 1)
    for record in release.records(layout):
        assert sorted(os.listdir(layout.release(record["id"]))) == whole
    release.prune(layout, 1)
    assert os.listdir(layout.releases) == [made[-1]]


def test_assets_stay_reachable_as_long_as_their_release_is_kept_and_pages_never_do(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    make(layout, 1, index=b"1", assets__a1=b"a1", assets__shared=b"s")
    make(layout, 2, index=b"2", assets__a2=b"a2", assets__shared=b"s")
    live = make(layout, 3, index=b"3", assets__a3=b"a3", assets__shared=b"s")
    release.switch(layout, live)
    assert sorted(os.listdir(f"{layout.assets}/assets")) == ["a1", "a2", "a3", "shared"]
    assert os.listdir(layout.assets) == ["assets"]
    release.prune(layout, 2)
    assert sorted(os.listdir(f"{layout.assets}/assets")) == ["a2", "a3", "shared"]


@pytest.mark.parametrize("text", ["", "[]", '{"site": ['])
def test_while_a_list_of_files_is_damaged_no_asset_is_removed(tmp_path: Path, text: str) -> None:
    layout = make_layout(tmp_path)
    for number in (1, 2, 3):
        live = make(layout, number, index=b"i", **{f"assets__a{number}": b"a"})
    release.switch(layout, live)
    Path(layout.release(live), "manifest.json").write_text(text)
    release.prune(layout, keep=2)
    assert sorted(os.listdir(f"{layout.assets}/assets")) == ["a1", "a2", "a3"]
    assert release.live(layout) == live


def test_a_release_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    missing = [["index.html", "file", "0" * 64]]
    with pytest.raises(AgentError):
        release.make(layout, {"id": "20261120T000001Z-abcdef1", "slot": ""}, missing, [])
    assert os.listdir(layout.releases) == []


def test_a_release_that_is_half_made_is_none_and_is_removed(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    live = make(layout, 1, index=b"1")
    release.switch(layout, live)
    (Path(layout.releases) / "20261120T000002Z-abcdef1.77.partial" / "site").mkdir(parents=True)
    (Path(layout.releases) / "20261120T000003Z-abcdef1").mkdir()
    assert [entry["id"] for entry in release.records(layout)] == [live]
    release.prune(layout, 5)
    assert os.listdir(layout.releases) == [live]


def test_contents_of_removed_releases_are_freed_and_shared_ones_stay(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    make(layout, 1, index=b"x" * 1000, shared=b"s")
    live = make(layout, 2, index=b"y" * 1000, shared=b"s")
    release.switch(layout, live)
    release.prune(layout, 1)
    assert store.prune(layout) == 1000
    assert Path(layout.current, "site/shared").read_bytes() == b"s"


@pytest.mark.parametrize("name", ["../etc", "20261120T000001Z-abc/../..", "", "current", "20261120T000001Z-ABC\n"])
def test_a_name_that_is_no_release_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(AgentError, match="cannot be the name of a release"):
        make_layout(tmp_path).release(name)
