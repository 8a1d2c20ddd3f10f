"""A consignment: trees told as differences to older ones, with the contents that lack; and guesses that are wrong."""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from server import Client, make_layout
from trees import Tree as Files
from trees import read_back, trees, write_tree

from shipper.agent import delivery, release, store, tree
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout
from shipper.deliver.consignment import Consignment, Likeness, Presence, consign
from shipper.deliver.known import recall_tree, remember_tree
from shipper.deliver.manifest import Tree, read_tree
from shipper.deliver.upload import Counter, keys_of
from shipper.hashes import FileHashes

REQUEST = {
    **{"keep": 5, "slot": "", "image": "", "image_room": 0, "pieces": [], "compressed": False},
    "room": {"bytes": 0, "inodes": 0},
}
FIRST, SECOND = "20260101T000000Z-nogit", "20260101T000001Z-nogit"


class Shop:
    """A cache folder with builds here, and a server's layout there."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.cache.mkdir()
        self.layout = make_layout(folder)
        self._builds = 0

    def build(self, files: Files) -> Tree:
        self._builds += 1
        site = self.cache / f"build-{self._builds}"
        write_tree(site, files)
        with FileHashes.remember(self.cache / "index.json") as hashes:
            return read_tree(site, hashes, executable=())

    def deliver(self, consignment: Consignment, counter: Counter | None = None) -> list[str]:
        return consignment.named(self.take(consignment.stream(counter or Counter())))

    def take(self, frames: Iterable[bytes]) -> list[str | int]:
        return delivery.deliver(self.layout, dict(REQUEST), frames, Client().channel)

    def release(self, name: str, site: Tree) -> None:
        release.make(self.layout, {"id": name, "slot": ""}, tree.named(site.digest), [])

    def first(self, files: Files) -> Presence:
        """Ship a first release; return what is known of the server from then on."""
        site = self.build(files)
        everything = Presence(frozenset(keys_of([site])))
        assert self.deliver(consign({"site": site}, everything)) == []
        self.release(FIRST, site)
        remember_tree(self.cache, site)
        return self.knowing(site.digest)

    def knowing(self, digest: str) -> Presence:
        known = recall_tree(self.cache, digest)
        assert known
        return Presence(likes={"site": Likeness(FIRST, known)})

    def lacking(self, presence: Presence, site: Tree) -> Presence:
        there = presence.likes["site"].tree.keys
        return Presence(frozenset(keys_of([site])) - there, presence.likes)


@pytest.fixture(autouse=True)
def _no_units(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A systemd that runs nothing."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def page(title: str, script: str = "main-0a1b2c3d") -> bytes:
    words = " ".join(str(number * number) for number in range(2000))
    return f'<title>{title}</title><script src="/{script}.js"></script>{words}'.encode()


SITE: Files = {"index.html": page("home"), "about": {"index.html": page("about")}, "main-0a1b2c3d.js": page("script")}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(trees, trees)
def test_any_tree_arrives_as_a_difference_to_any_other_one(old: Files, new: Files) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        shop = Shop(Path(scratch))
        presence = shop.first(old)
        site = shop.build(new)
        assert shop.deliver(consign({"site": site}, shop.lacking(presence, site))) == []
        shop.release(SECOND, site)
        assert read_back(Path(shop.layout.release(SECOND)) / "site") == new


def test_a_change_of_every_page_travels_in_a_few_bytes(shop: Shop) -> None:
    presence = shop.first(SITE)
    changed: Files = {
        "index.html": page("home", "main-4e5f6071"),
        "about": {"index.html": page("about", "main-4e5f6071")},
        "main-4e5f6071.js": page("script") + b"!",
        "welcome.html": page("home", "main-4e5f6071"),
    }
    site = shop.build(changed)
    counter = Counter()
    consignment = consign({"site": site}, shop.lacking(presence, site))
    assert len(consignment.cargo.bases) == 3, "the script as well, under its new name"
    assert shop.deliver(consignment, counter) == []
    shop.release(SECOND, site)
    assert read_back(Path(shop.layout.release(SECOND)) / "site") == changed
    assert counter.sent < 400, "hashes of contents that come as deltas are found out there"


def test_a_base_that_is_gone_or_damaged_there_is_told_and_the_content_comes_whole(shop: Shop) -> None:
    presence = shop.first(SITE)
    base = presence.likes["site"].tree.entries["index.html"].value
    Path(store.path_of(shop.layout, base)).write_bytes(b"the disk was bad")
    site = shop.build({**SITE, "index.html": page("home 2")})
    wanted = next(entry.value for entry in site.files if entry.path == "index.html")
    first = consign({"site": site}, shop.lacking(presence, site))
    assert shop.deliver(first) == [wanted]
    assert shop.deliver(consign({"site": site}, Presence(frozenset([wanted])))) == []
    shop.release(SECOND, site)
    assert (Path(shop.layout.release(SECOND)) / "site/index.html").read_bytes() == page("home 2")


def test_a_content_that_the_server_lost_is_told(shop: Shop) -> None:
    presence = shop.first(SITE)
    kept = presence.likes["site"].tree.entries["about/index.html"].value
    os.unlink(store.path_of(shop.layout, kept))
    site = shop.build({**SITE, "index.html": page("home 2")})
    assert shop.deliver(consign({"site": site}, shop.lacking(presence, site))) == [kept]


def test_a_build_that_is_gone_here_is_no_base_and_its_files_come_whole(shop: Shop) -> None:
    presence = shop.first(SITE)
    shutil.rmtree(shop.cache / "build-1")
    site = shop.build({**SITE, "index.html": page("home 2")})
    consignment = consign({"site": site}, shop.lacking(presence, site))
    assert not consignment.cargo.bases
    assert shop.deliver(consignment) == []


def no_release(layout: Layout) -> None:
    shutil.rmtree(layout.release(FIRST))


def no_manifest(layout: Layout) -> None:
    (Path(layout.release(FIRST)) / "manifest.json").unlink()


def other_manifest(layout: Layout) -> None:
    site = json.dumps({"site": [["index.html", "file", "a" * 64]], "immutable": []})
    (Path(layout.release(FIRST)) / "manifest.json").write_text(site)


def broken_manifest(layout: Layout) -> None:
    (Path(layout.release(FIRST)) / "manifest.json").write_text('{"site": [["index.ht')


@pytest.mark.parametrize("harm", [no_release, no_manifest, other_manifest, broken_manifest])
def test_a_tree_that_is_not_what_was_remembered_stops_it_before_anything_is_changed(shop: Shop, harm: Any) -> None:
    presence = shop.first(SITE)
    harm(shop.layout)
    before = sorted(os.walk(shop.layout.root))
    site = shop.build({**SITE, "index.html": page("home 2")})
    with pytest.raises(AgentError) as refused:
        shop.deliver(consign({"site": site}, shop.lacking(presence, site)))
    assert refused.value.kind in ("stale", "host")
    assert sorted(os.walk(shop.layout.root)) == before
    without = Presence(frozenset(store.missing(shop.layout, keys_of([site]))))
    assert shop.deliver(consign({"site": site}, without)) == []


def test_an_upload_that_was_cut_is_known_until_a_release_was_made_of_it(shop: Shop) -> None:
    site = shop.build({f"{number}.bin": os.urandom(5000) for number in range(10)})
    everything = Presence(frozenset(keys_of([site])))
    stream = b"".join(consign({"site": site}, everything).stream(Counter()))
    assert not store.unfinished(shop.layout)
    with pytest.raises(AgentError, match="ended too early"):
        shop.take([stream[: len(stream) // 2]])
    assert store.unfinished(shop.layout)
    left = store.missing(shop.layout, keys_of([site]))
    assert 0 < len(left) < 10
    assert shop.deliver(consign({"site": site}, Presence(frozenset(left)))) == []
    store.settle(shop.layout)
    assert not store.unfinished(shop.layout)


def hostile() -> dict[str, bytes]:
    def told(document: object, length: int | None = None) -> bytes:
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        return struct.pack(">I", len(text) if length is None else length) + text

    site = {"name": "site", "digest": "0" * 64, "like": "", "was": "", "gone": []}
    return {
        "no document": b"",
        "a document of four gigabytes": told(b"{}", 0xFFFFFFFF),
        "a document that ends early": told(b"{}", 100),
        "no JSON": told(b"{" * 50),
        "JSON of another form": told([1, 2, 3]),
        "columns of another form": told({"trees": [site], "columns": [["x"]]}),
        "columns of other lengths": told({"trees": [site], "columns": [[0, 0], ["a"], ["file"], ["b"], [1], [None]]}),
        "a row of no tree": told({"trees": [], "columns": [[0], ["a"], ["file"], ["a" * 64], [None], [None]]}),
        "a path that is gone and was never there": told({"trees": [{**site, "gone": ["x"]}], "columns": [[]] * 6}),
        "a base that was never there": told(
            {"trees": [site], "columns": [[0], ["a"], ["file"], ["a" * 64], [5], ["b"]]}
        ),
        "a release that is a path": told({"trees": [{**site, "like": "../../etc"}], "columns": [[]] * 6}),
        "a key that is a path": told({"trees": [site], "columns": [[0], ["a"], ["file"], ["../../x"], [5], [None]]}),
        "a content that is no place": told({"trees": [site], "columns": [[0], ["a"], ["file"], [7], [None], [None]]}),
        "a digest of something else": told(
            {"trees": [site], "columns": [[0], ["a"], ["file"], ["a" * 64], [None], [None]]}
        ),
    }


@pytest.mark.parametrize("stream", hostile().values(), ids=hostile())
def test_a_document_that_nobody_made_is_refused_and_nothing_is_changed(shop: Shop, stream: bytes) -> None:
    before = sorted(os.walk(shop.layout.root))
    with pytest.raises(AgentError):
        shop.take([zlib.compress(stream)])
    assert sorted(os.walk(shop.layout.root)) == before


def test_what_does_not_fit_is_refused_before_its_first_byte_is_written(shop: Shop) -> None:
    site = shop.build({"film.bin": b"1"})
    key = keys_of([site])[0]
    columns = [[0], ["film.bin"], ["file"], [key], [1 << 60], [None]]
    told = {"name": "site", "digest": site.digest, "like": "", "was": "", "gone": []}
    document = json.dumps({"trees": [told], "columns": columns})
    with pytest.raises(AgentError, match="does not fit"):
        shop.take([zlib.compress(struct.pack(">I", len(document)) + document.encode() + b"1")])
    assert not store.unfinished(shop.layout)
