"""What this machine remembers of what it shipped, and which old file a new one is told by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipper.deliver.bases import choose_bases
from shipper.deliver.known import KnownTree, recall_tree, remember_tree
from shipper.deliver.manifest import Entry, Tree, read_tree
from shipper.hashes import FileHashes


def built(cache: Path, name: str, files: dict[str, bytes]) -> Tree:
    for path, content in files.items():
        (cache / name / path).parent.mkdir(parents=True, exist_ok=True)
        (cache / name / path).write_bytes(content)
    with FileHashes.remember(cache / "hashes.json") as hashes:
        return read_tree(cache / name, hashes, executable=())


def remembered(cache: Path, tree: Tree) -> KnownTree:
    remember_tree(cache, tree)
    known = recall_tree(cache, tree.digest)
    assert known
    return known


def script(seed: str) -> bytes:
    return "".join(f"function {seed}{number}(){{return {number * number}}}\n" for number in range(500)).encode()


def bases(new: Tree, old: KnownTree) -> dict[str, str]:
    paths = [entry.path for entry in new.entries]
    wanted = [entry for entry in new.files if entry.value not in old.keys]
    return {path: base.path for path, base in choose_bases(wanted, paths, old).items()}


def test_a_tree_is_remembered_with_everything_it_has(tmp_path: Path) -> None:
    tree = built(tmp_path, "one", {"index.html": b"1", "deep/er/한글 $d$id.txt": b"2"})
    known = remembered(tmp_path, tree)
    assert list(known.entries.values()) == list(tree.entries)
    assert known.keys == {entry.value for entry in tree.files}
    assert recall_tree(tmp_path, "0" * 64) is None
    assert recall_tree(tmp_path, "") is None


def test_sources_outside_of_the_cache_are_remembered_without_a_place_because_people_edit_them(tmp_path: Path) -> None:
    tree = built(tmp_path / "project", "backend", {"main.py": b"1"})
    known = remembered(tmp_path / "cache", tree)
    assert known.entries["main.py"] == Entry("main.py", "file", tree.entries[0].value, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99, "entries": []}', '{"format": 1, "entries": [["a"]]}'])
def test_a_damaged_memory_is_none(tmp_path: Path, text: str) -> None:
    tree = built(tmp_path, "one", {"index.html": text.encode()})
    remember_tree(tmp_path, tree)
    (tmp_path / "trees" / f"{tree.digest}.json").write_text(text, encoding="utf-8")
    assert recall_tree(tmp_path, tree.digest) is None


def test_only_the_newest_trees_are_remembered(tmp_path: Path) -> None:
    trees = [built(tmp_path, f"build-{number}", {"index.html": str(number).encode()}) for number in range(30)]
    for age, tree in enumerate(reversed(trees)):
        remember_tree(tmp_path, tree)
        file = tmp_path / "trees" / f"{tree.digest}.json"
        if file.exists():
            os.utime(file, (1_000_000 - age, 1_000_000 - age))
    remember_tree(tmp_path, trees[-1])
    kept = {file.stem for file in (tmp_path / "trees").iterdir()}
    assert len(kept) == 24
    assert {tree.digest for tree in trees[-20:]} <= kept


def test_a_new_file_is_told_by_the_one_of_its_path_or_of_its_name_up_to_the_hash(tmp_path: Path) -> None:
    old = built(
        tmp_path,
        "old",
        {
            "index.html": b"old page" * 10,
            "assets/index-n0a6AzRt.js": script("a"),
            "assets/vendor-Bq8sW2xK.js": script("b"),
            "_next/static/a1B2c3D4e5F6g7H8i9J0k/_buildManifest.js": script("c"),
        },
    )
    new = built(
        tmp_path,
        "new",
        {
            "index.html": b"new page" * 10,
            "assets/index-CuiVq5gH.js": script("a") + b"more",
            "assets/vendor-Zz9yX8wV.js": script("b") + b"more",
            "_next/static/z1Y2x3W4v5U6t7S8r9Q0p/_buildManifest.js": script("c") + b"more",
            "assets/other.css": b"new" * 100,
        },
    )
    assert bases(new, remembered(tmp_path, old)) == {
        "index.html": "index.html",
        "assets/index-CuiVq5gH.js": "assets/index-n0a6AzRt.js",
        "assets/vendor-Zz9yX8wV.js": "assets/vendor-Bq8sW2xK.js",
        "_next/static/z1Y2x3W4v5U6t7S8r9Q0p/_buildManifest.js": "_next/static/a1B2c3D4e5F6g7H8i9J0k/_buildManifest.js",
    }


def test_of_many_names_that_are_all_hash_the_most_like_one_is_taken_or_none(tmp_path: Path) -> None:
    chunks = {f"chunks/0{letter}cgnhoq6sxmc.js": script(letter) for letter in "abcdef"}
    known = remembered(tmp_path, built(tmp_path, "old", chunks))
    new = {
        "chunks/1xxxxxxxxxxxx.js": script("d").replace(b"return 9", b"return 10"),
        "chunks/2yyyyyyyyyyyy.js": os.urandom(len(script("a"))),
    }
    assert bases(built(tmp_path, "new", new), known) == {"chunks/1xxxxxxxxxxxx.js": "chunks/0dcgnhoq6sxmc.js"}


def test_a_file_that_is_still_called_so_is_nobody_elses_base(tmp_path: Path) -> None:
    files = {"assets/index-n0a6AzRt.js": script("a")}
    known = remembered(tmp_path, built(tmp_path, "old", files))
    assert bases(built(tmp_path, "new", {**files, "assets/index-CuiVq5gH.js": script("a") + b"!"}), known) == {}


def test_a_base_that_is_gone_or_another_length_now_is_none(tmp_path: Path) -> None:
    known = remembered(tmp_path, built(tmp_path, "old", {"a.js": script("a"), "b.js": script("b")}))
    (tmp_path / "old/a.js").unlink()
    (tmp_path / "old/b.js").write_bytes(b"short")
    assert bases(built(tmp_path, "new", {"a.js": script("c"), "b.js": script("d")}), known) == {}
