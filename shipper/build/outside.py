"""Sources from beyond the folder of a build's inputs: what imports, style sheets and aliases there lead to.

A tolerant scan for relative paths in quotes. One that nothing reads costs a build too many; one that was overlooked
would leave an old site in place of a new one. Only sources of the project's repository count, so nothing that git
ignores: what a build writes is none of its inputs.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path, PurePosixPath

from shipper.build.source_tree import CODE_SUFFIXES, list_sources, never_in_a_browser, read_source

_STYLES = (".css", ".scss", ".sass", ".less", ".styl", ".pcss")
_ENDINGS = (*CODE_SUFFIXES, ".d.ts", ".json", *_STYLES)
_SUFFIXES = frozenset([*CODE_SUFFIXES, *_STYLES, ".html", ".mdx"])
_COMPILERS = ("tsconfig*.json", "jsconfig*.json")
_CONFIGURATIONS = ("*.config.*", "config-overrides.js", *_COMPILERS)

# "../shared/api", "./colours", "..", __dirname + "/../shared"
_QUOTED = re.compile(r"""["'`](?:\$\{__dirname\})?/?(\.{1,2}(?:/[^"'`\r\n]*)?)(?=["'`])""")
# url(../shared/logo.svg)
_URL = re.compile(r"""\(\s*(\.\./[^"'`()\s]*)\)""")
# A style sheet's paths need no dots: @use "colours"
_IN_SHEET = re.compile(r"""["'(]([^"'`()\s:]+)""")
# "..", "shared", as it is handed to path.resolve
_PIECES = re.compile(r"""(?:["'`]\.\./?["'`]\s*,\s*)+(?:["'`][^"'`\r\n]+["'`]\s*,?\s*)+""")
_PIECE = re.compile(r"""["'`]([^"'`]+)["'`]""")
_PACKAGE = re.compile(r'"(?:file|link|portal):(\.\./[^"\r\n]*)"')
_BASE_URL = re.compile(r'"baseUrl"\s*:\s*"([^"\r\n]+)"')
_STRING = re.compile(r'"([^"\r\n]+)"')
# Entries of a configuration that say where something is written: outDir: resolve(__dirname, "../static")
_WRITTEN = re.compile(
    r"""\b(?:out\w*|dist\w*|dest\w*|filename|declarationDir|tsBuildInfoFile)["'`]?\s*:\s*"""
    r"""(?:[\w.]+\((?:[^()]|\([^()]*\))*\)|["'`][^"'`\r\n]*["'`])""",
    re.IGNORECASE,
)
# From here on it is a pattern, or put together only when it runs.
_OPEN = re.compile(r"[*{\[]|\$|[?@!+]\(")
_QUERY = re.compile(r"[?#].*")
# TypeScript imports its own files by the names that they will have.
_SCRIPT = re.compile(r"\.[mc]?jsx?$")
# These take paths from the folder in which the build runs.
_FROM_FOLDER = re.compile(r"\bcwd\(|\breaddir|\breadFile|\bglob\(")


def paths_out_of(root: Path, files: Iterable[str], folder: Path) -> list[str]:
    """Return the paths in the texts of `files` that lead out of `root`; both are relative to it.

    They are meant from the file's own folder; some also from `folder`, where the build runs. Nothing says that they
    exist. Tests are not looked at.
    """
    looked_at = [file for file in files if _is_configuration(file) or not never_in_a_browser(PurePosixPath(file))]
    return _paths_out_of(root, [root / file for file in looked_at], folder)


def sources_outside(root: Path, paths: Iterable[str], folder: Path, project: Path) -> list[str]:
    """Return the files that `paths` lead to, and those that these lead to; all are relative to `root`, with slashes.

    Of a folder, that is all sources in it. Those of `project` count, the folder of a repository.
    """
    waiting, seen, found = list(paths), set(paths), set[str]()
    listed = list_sources(project) if waiting else []
    known = frozenset(listed)
    while waiting:
        path = PurePosixPath(Path(os.path.relpath(os.path.normpath(root / waiting.pop()), project)).as_posix())
        new = [file for file in (*_named(path, known), *_in_folder(path, listed)) if file not in found]
        found.update(new)
        further = [one for one in _paths_out_of(root, [project / file for file in new], folder) if one not in seen]
        seen.update(further)
        waiting += further
    readable = [project / file for file in found if os.access(project / file, os.R_OK)]
    return sorted(Path(os.path.relpath(file, root)).as_posix() for file in readable)


def _paths_out_of(root: Path, files: Iterable[Path], folder: Path) -> list[str]:
    inside = f"{root}{os.sep}"  # nearly all of them are
    found = {path for file in files for path in _paths_in(file, folder) if not path.startswith(inside)}
    return sorted(os.path.relpath(path, root) for path in found if _is_beside(Path(path), root))


def _paths_in(file: Path, folder: Path) -> Iterator[str]:
    """Yield the relative paths in the text of a file, made absolute."""
    text = _read(file)
    bases = {file.parent, folder} if _FROM_FOLDER.search(text) else {file.parent}
    written = {*_QUOTED.findall(text), *_URL.findall(text)}
    written |= {"/".join(_PIECE.findall(match[0])) for match in _PIECES.finditer(text)}
    if file.suffix in _STYLES:
        written.update(_IN_SHEET.findall(text))
    if file.name == "package.json":
        written = set(_PACKAGE.findall(text))
    if any(fnmatch(file.name, name) for name in _COMPILERS):
        bases.update(file.parent / base for base in _BASE_URL.findall(text))
        written.update(_STRING.findall(text))
    for path in written:
        plain = _OPEN.split(path, maxsplit=1)[0]
        if plain != path:
            plain = plain.rpartition("/")[0]
        for base in bases:
            yield os.path.normpath(f"{base}/{plain}")


def _read(file: Path) -> str:
    is_configuration = _is_configuration(file.name)
    if file.suffix not in _SUFFIXES and not is_configuration:
        return ""
    text = read_source(file)
    return _WRITTEN.sub("", text) if is_configuration else text


def _is_configuration(path: str) -> bool:
    name = PurePosixPath(path).name
    return name == "package.json" or (
        any(fnmatch(name, one) for one in _CONFIGURATIONS) and not never_in_a_browser(PurePosixPath(name))
    )


def _is_beside(path: Path, root: Path) -> bool:
    """Whether a path is neither in `root` nor one of the folders that `root` is in: those are named as limits."""
    return not path.is_relative_to(root) and not root.is_relative_to(path)


def _named(path: PurePosixPath, known: frozenset[str]) -> list[str]:
    """Return those of the `known` files that an import of a path may mean: itself, or one with an ending."""
    name = _QUERY.sub("", path.name)
    names = [path.name, name, *(f"{name}{ending}" for ending in _ENDINGS)]
    names += [f"{_SCRIPT.sub('', name)}{ending}" for ending in CODE_SUFFIXES] if _SCRIPT.search(name) else []
    names += [f"_{name}{ending}" for ending in _STYLES]  # Sass: a part of other sheets
    return [file for file in dict.fromkeys(f"{path.parent}/{one}".removeprefix("./") for one in names) if file in known]


def _in_folder(path: PurePosixPath, listed: list[str]) -> Iterator[str]:
    """Return those of the sorted files that are in the folder `path`."""
    start = f"{path}/"
    return takewhile(lambda file: file.startswith(start), listed[bisect_left(listed, start) :])
