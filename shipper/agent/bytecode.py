"""Python's compiled files for a slot, so that every start is a quick one: made once for each source, kept in the store.

A slot is read-only for the app, so Python could never write them itself, and importing Django from source costs more
than a second at every start. They are "unchecked" (PEP 552): the sources of a slot never change.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Mapping, Sequence

from . import programs, store
from .layout import Layout
from .tree import Entry, link

_COMPILE_SECONDS = 600.0
# Runs with the Python that will run the app. Prints its cache tag; a source that does not compile is left alone.
_COMPILE = """
import json, py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for source, target in json.load(sys.stdin):
    try:
        py_compile.compile(source, target, doraise=True, invalidation_mode=unchecked)
    except (py_compile.PyCompileError, ValueError):
        pass
"""


def add(layout: Layout, python: str, folder: str, trees: Mapping[str, Sequence[Entry]]) -> None:
    """Put the compiled file of every `*.py` of `trees` (laid out in `folder` by their names) where `python` looks."""
    tag_line = programs.run([python, "-I", "-c", "import sys; print(sys.implementation.cache_tag)"], timeout=30)
    if not tag_line.ok:
        return
    tag = tag_line.lines[-1]
    wanted = [
        (os.path.join(folder, name, path), _cached(layout, tag, key), _beside(folder, name, path, tag))
        for name, entries in trees.items()
        for path, kind, key in entries
        if kind == "file" and path.endswith(".py")
    ]
    lacking = {cached: source for source, cached, _ in wanted if not os.path.exists(cached)}
    if lacking:
        for parent in {os.path.dirname(path) for path in lacking}:
            os.makedirs(parent, mode=0o755, exist_ok=True)
        pairs = json.dumps([[source, cached] for cached, source in lacking.items()]).encode()
        programs.run([python, "-I", "-c", _COMPILE], timeout=_COMPILE_SECONDS, stdin=pairs)
    for _, cached, beside in wanted:
        if os.path.exists(cached) and not os.path.exists(beside):
            os.makedirs(os.path.dirname(beside), mode=0o755, exist_ok=True)
            link(cached, beside)


def _cached(layout: Layout, tag: str, key: str) -> str:
    content = store.path_of(layout, key)
    return f"{content}.{tag}.pyc"


def _beside(folder: str, name: str, path: str, tag: str) -> str:
    parent, file = posixpath.split(path)
    return os.path.join(folder, name, parent, "__pycache__", f"{file[:-3]}.{tag}.pyc")
