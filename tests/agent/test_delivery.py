"""From a folder here to the same folder there: manifest, compressed stream, store, hard links; and what is refused."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from server import Client, make_layout
from trees import ODD_NAMES, Tree, read_back, trees, write_tree

from shipper.agent import delivery, store, tree
from shipper.agent.errors import AgentError
from shipper.agent.layout import Layout
from shipper.deliver.manifest import read_tree
from shipper.deliver.upload import Counter, choose, compress, keys_of
from shipper.errors import BuildError
from shipper.hashes import FileHashes

KEY = "a" * 64


def deliver(source: Path, layout: Layout, target: str) -> int:
    """Bring a folder to the server as a ship does; return how many contents travelled."""
    with FileHashes.remember(source.with_name("index.json")) as hashes:
        manifest = read_tree(source, hashes, executable=())
    cargo = choose([manifest], store.missing(layout, keys_of([manifest])))
    client = Client()
    store.receive(layout, cargo.wire, compress(cargo, Counter()), client.channel)
    tree.lay(layout, manifest.wire, target)
    return len(cargo.entries)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees)
@example({name: b"content of " + str(number).encode() for number, name in enumerate(ODD_NAMES)})
@example({name: {} for name in ODD_NAMES})
@example({"a": {"real": b"1", "link": "real", "up": "../b"}, "b": b"2", "gone": "nowhere"})
@example({})
def test_a_tree_arrives_as_it_was(wanted: Tree) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source, layout = Path(scratch) / "source", make_layout(Path(scratch))
        write_tree(source, wanted)
        target = f"{layout.root}/arrived"
        deliver(source, layout, target)
        assert read_back(Path(target)) == wanted
        assert deliver(source, layout, f"{layout.root}/again") == 0
        for folder, _, files in os.walk(target):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o755
            for name in files:
                found = os.lstat(os.path.join(folder, name))
                assert stat.S_ISLNK(found.st_mode) or stat.S_IMODE(found.st_mode) == 0o644


def test_equal_contents_travel_once_and_renamed_files_not_at_all(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    write_tree(tmp_path / "one", {"a.js": b"same", "b.js": b"same", "c.js": b"other"})
    assert deliver(tmp_path / "one", layout, f"{layout.root}/one") == 2
    write_tree(tmp_path / "two", {"renamed.js": b"same", "deeper": {"c.js": b"other"}})
    assert deliver(tmp_path / "two", layout, f"{layout.root}/two") == 0
    one, two = os.stat(f"{layout.root}/one/a.js"), os.stat(f"{layout.root}/two/renamed.js")
    assert one.st_ino == two.st_ino


def test_modes_are_ours_whatever_the_uploader_had(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    write_tree(tmp_path / "site", {"private.html": b"1", "open.html": b"2", "folder": {"x": b"3"}})
    (tmp_path / "site/private.html").chmod(0o600)
    (tmp_path / "site/open.html").chmod(0o777)
    (tmp_path / "site/folder").chmod(0o700)
    before = os.umask(0o077)
    try:
        deliver(tmp_path / "site", layout, f"{layout.root}/site")
    finally:
        os.umask(before)
    modes = {
        name: stat.S_IMODE(os.stat(f"{layout.root}/site/{name}").st_mode) for name in os.listdir(tmp_path / "site")
    }
    assert modes == {"private.html": 0o644, "open.html": 0o644, "folder": 0o755}


def test_equal_content_has_the_same_time_everywhere_and_other_content_another(tmp_path: Path) -> None:
    times = []
    for number in (1, 2):
        layout = make_layout(tmp_path / str(number))
        write_tree(tmp_path / f"site{number}", {"a": b"same size 1", "b": b"same size 2"})
        deliver(tmp_path / f"site{number}", layout, f"{layout.root}/site")
        times.append([os.stat(f"{layout.root}/site/{name}").st_mtime for name in "ab"])
    assert times[0] == times[1]
    assert times[0][0] != times[0][1]


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "a/../../outside", "..", ""])
def test_a_link_that_leaves_the_tree_is_refused_on_both_sides(tmp_path: Path, target: str) -> None:
    site = tmp_path / "site"
    site.mkdir()
    if target:
        (site / "link").symlink_to(target)
        with (
            FileHashes.remember(tmp_path / "index.json") as hashes,
            pytest.raises(BuildError, match="outside of the tree"),
        ):
            read_tree(site, hashes)
    with pytest.raises(AgentError, match="outside of the tree"):
        tree.lay(make_layout(tmp_path), [["link", "link", target]], str(tmp_path / "laid"))
    assert not (tmp_path / "laid").exists()


def test_a_folder_is_never_called_readable_for_a_user_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="no such user"):
        tree.first_unreadable(str(tmp_path), "nobody-of-that-name")


def test_two_links_that_only_together_leave_the_tree_are_refused_on_both_sides(tmp_path: Path) -> None:
    write_tree(tmp_path / "site", {"a": {"b": {"up": "../.."}}, "out": "a/b/up/../../secret"})
    with FileHashes.remember(tmp_path / "index.json") as hashes, pytest.raises(BuildError, match="'out' points to"):
        read_tree(tmp_path / "site", hashes)
    entries = [["a/b/up", "link", "../.."], ["out", "link", "a/b/up/../../secret"]]
    with pytest.raises(AgentError, match="'out' points to"):
        tree.lay(make_layout(tmp_path), entries, str(tmp_path / "laid"))


@pytest.mark.parametrize(
    "entries",
    [
        [["../x", "file", KEY]],
        [["/etc/x", "file", KEY]],
        [["a/../../x", "file", KEY]],
        [["a/./x", "file", KEY]],
        [["a//x", "file", KEY]],
        [["", "file", KEY]],
        [["a\0b", "file", KEY]],
        [["x" * 256, "file", KEY]],
        [["a", "file", KEY], ["a", "directory", ""]],
        [["a", "file", KEY], ["a/b", "file", KEY]],
        [["a", "link", "b"], ["a/c", "file", KEY]],
        [["a", "device", ""]],
        [["a", "file", "../../etc/passwd"]],
        [["a", "file", KEY + "\n"]],
    ],
    ids=repr,
)
def test_a_manifest_that_cannot_be_right_is_refused_before_anything_is_kept(
    tmp_path: Path, entries: list[list[str]]
) -> None:
    with pytest.raises(AgentError):
        tree.lay(make_layout(tmp_path), entries, str(tmp_path / "laid"))
    assert not (tmp_path / "laid").exists()


def test_pipes_and_sockets_are_refused_here(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(site / "socket"))
    with FileHashes.remember(tmp_path / "index.json") as hashes, pytest.raises(BuildError, match="neither a file"):
        read_tree(site, hashes)
    listener.close()


def packed(*contents: bytes) -> tuple[list[list[object]], bytes]:
    import hashlib

    objects: list[list[object]] = [[hashlib.sha256(content).hexdigest(), len(content)] for content in contents]
    return objects, zlib.compress(b"".join(contents))


def test_content_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    objects, stream = packed(b"one", b"two")
    objects[1][0] = KEY
    with pytest.raises(AgentError, match="damaged"):
        store.receive(layout, objects, [stream], Client().channel)
    assert store.missing(layout, [str(objects[0][0]), KEY]) == [KEY]


def test_what_arrived_whole_before_the_stream_broke_off_is_kept(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    contents = [os.urandom(5000) for _ in range(10)]
    objects, stream = packed(*contents)
    with pytest.raises(AgentError, match="ended too early"):
        store.receive(layout, objects, [stream[: len(stream) // 2]], Client().channel)
    left = store.missing(layout, [str(key) for key, _ in objects])
    assert 0 < len(left) < 10
    assert not [name for name in os.listdir(layout.store) if name.startswith("incoming")]
    store.prune(layout, left)


def test_prune_keeps_what_an_upload_will_go_on_with(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    objects, stream = packed(b"wanted", b"unwanted")
    store.receive(layout, objects, [stream], Client().channel)
    wanted, unwanted = (str(key) for key, _ in objects)
    assert store.prune(layout, [wanted]) == len(b"unwanted")
    assert store.missing(layout, [wanted, unwanted]) == [unwanted]


NEW_RELEASE = {"keep": 5, "slot": "", "image": "", "image_room": 0, "room": {"bytes": 0, "inodes": 0}}


def test_what_may_be_of_an_image_that_is_still_compressed_stays_unless_it_is_damaged_or_in_the_way(
    tmp_path: Path,
) -> None:
    layout = make_layout(tmp_path)
    objects, stream = packed(b"first", b"second", b"third")
    store.receive(layout, objects, [stream], Client().channel)
    first, second, third = (str(key) for key, _ in objects)
    Path(store.path_of(layout, second)).write_bytes(b"broken")
    delivery.make_room(layout, {**NEW_RELEASE, "pieces": [], "compressed": True}, [], {})
    assert store.missing(layout, [first, second, third]) == [second]

    too_large = [[KEY, 1 << 60]]
    with pytest.raises(AgentError, match="does not fit"):
        delivery.make_room(layout, {**NEW_RELEASE, "pieces": too_large, "compressed": True}, [], {})
    assert store.missing(layout, [first, third]) == [first, third]

    store.receive(layout, objects, [stream], Client().channel)
    delivery.make_room(layout, {**NEW_RELEASE, "pieces": [[first, 5]], "compressed": False}, [], {})
    assert store.missing(layout, [first, third]) == [third], "all of the image is known"


@pytest.mark.parametrize("surplus", [zlib.compress(b"onetwo"), b"this is not zlib at all"], ids=["surplus", "garbage"])
def test_a_stream_that_is_not_what_was_announced_is_refused(tmp_path: Path, surplus: bytes) -> None:
    objects, _ = packed(b"one")
    with pytest.raises(AgentError):
        store.receive(make_layout(tmp_path), objects, [surplus], Client().channel)


def test_a_file_that_changes_while_it_is_sent_is_noticed(tmp_path: Path) -> None:
    write_tree(tmp_path / "site", {"a.js": b"before"})
    with FileHashes.remember(tmp_path / "index.json") as hashes:
        manifest = read_tree(tmp_path / "site", hashes)
    (tmp_path / "site/a.js").write_bytes(b"after!")
    with pytest.raises(BuildError, match=r"a\.js was changed while it was being sent"):
        list(compress(choose([manifest], keys_of([manifest])), Counter()))


def test_the_agent_tells_how_much_has_arrived(tmp_path: Path) -> None:
    contents = [os.urandom(3_000_000)]
    objects, stream = packed(*contents)
    client = Client()
    store.receive(make_layout(tmp_path), objects, [stream], client.channel)
    told = [message["event"] for message in client.said]
    assert [event["total"] for event in told] == [3_000_000] * len(told)
    assert told == sorted(told, key=lambda event: event["done"])
    assert len(told) >= 2
