"""Odd trees of files, as hypothesis strategies: the names that people, tools and other systems really make."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hypothesis import strategies as st

ODD_NAMES = [
    "with space",
    " leading and trailing ",
    "-rf",
    "--help",
    "$d$id",
    "$(reboot)",
    "`id`",
    "quote'\"",
    "back\\slash",
    "new\nline",
    "tab\there",
    "*",
    "?",
    "#hash",
    "percent%20",
    "semi;colon",
    "a&b|c",
    ".hidden",
    "...",
    "한글",
    unicodedata.normalize("NFC", "보고서.html"),
    unicodedata.normalize("NFD", "보고서.html"),
    "emoji-🚢",
    "x" * 255,
    "가" * 85,  # 255 bytes
    b"latin-\xe9".decode("utf-8", "surrogateescape"),
]
names = st.one_of(
    st.sampled_from(ODD_NAMES),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
        lambda name: name not in (".", "..") and len(name.encode()) <= 255
    ),
)
contents = st.one_of(st.just(b""), st.binary(max_size=2000), st.binary(min_size=1, max_size=9).map(lambda b: b * 9999))
# A tree is a mapping: bytes are a file, a mapping is a folder, a text is a link to a name beside it.
trees = st.recursive(
    st.dictionaries(names, contents, max_size=4),
    lambda inner: st.dictionaries(names, st.one_of(contents, inner), max_size=4),
    max_leaves=12,
)
Tree = dict[str, "bytes | str | Tree"]


def write_tree(folder: Path, tree: Tree) -> None:
    """Make the tree on the disk."""
    folder.mkdir()
    for name, value in tree.items():
        if isinstance(value, dict):
            write_tree(folder / name, value)
        elif isinstance(value, str):
            (folder / name).symlink_to(value)
        else:
            (folder / name).write_bytes(value)


def read_back(folder: Path) -> Tree:
    """Read a tree from the disk in the same form."""
    found: Tree = {}
    for path in folder.iterdir():
        if path.is_symlink():
            found[path.name] = str(path.readlink())
        elif path.is_dir():
            found[path.name] = read_back(path)
        else:
            found[path.name] = path.read_bytes()
    return found
