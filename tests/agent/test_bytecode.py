"""Compiled files of a slot: the interpreter really uses them, and equal sources are compiled once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zlib
from pathlib import Path

from server import Client, make_layout

from shipper.agent import bytecode, store, tree
from shipper.agent.layout import Layout

SOURCES = {"main.py": b"import inner.part\n", "inner/part.py": b"ANSWER = 42\n", "broken.py": b"def (:\n"}


def make_slot(layout: Layout, name: str) -> Path:
    """Lay the sources out with their compiled files, as a slot has them."""
    keys = {path: hashlib.sha256(content).hexdigest() for path, content in SOURCES.items()}
    if store.missing(layout, keys.values()):
        objects = [[keys[path], len(content)] for path, content in SOURCES.items()]
        store.receive(layout, objects, [zlib.compress(b"".join(SOURCES.values()))], Client().channel)
    entries = [[path, "file", key] for path, key in keys.items()]
    folder = Path(layout.slots, name)
    folder.mkdir()
    tree.lay(layout, entries, str(folder / "backend"))
    bytecode.add(layout, sys.executable, str(folder), {"backend": entries})
    return folder / "backend"


def test_the_interpreter_starts_from_the_compiled_files(tmp_path: Path) -> None:
    backend = make_slot(make_layout(tmp_path), "one")
    done = subprocess.run([sys.executable, "-v", "-c", "import main"], cwd=backend, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for module in ("main", "inner/part"):
        folder, name = os.path.split(module)
        cached = backend / folder / "__pycache__" / f"{name}.{sys.implementation.cache_tag}.pyc"
        assert f"code object from '{cached}'" in done.stderr


def test_a_source_that_does_not_compile_is_left_as_it_is(tmp_path: Path) -> None:
    backend = make_slot(make_layout(tmp_path), "one")
    assert (backend / "broken.py").read_bytes() == SOURCES["broken.py"]
    assert not list(backend.glob("__pycache__/broken*"))


def test_the_second_slot_shares_what_was_compiled_for_the_first(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    one, two = (sorted(make_slot(layout, name).rglob("*.pyc")) for name in ("one", "two"))
    assert len(one) == 2
    assert [os.stat(path).st_ino for path in one] == [os.stat(path).st_ino for path in two]
