"""Sources from beyond the folder of a build's inputs: what imports, style sheets and configurations there lead to.

A tolerant scan for relative paths in quotes. One that nothing reads costs a build too many; one that was overlooked
would leave an old site in place of a new one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from shipper.build.source_tree import is_source, list_sources

_CODE = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".astro")
_STYLES = (".css", ".scss", ".sass", ".less", ".styl")
_ENDINGS = (*_CODE, ".d.ts", ".json", *_STYLES)
_SUFFIXES = frozenset([*_CODE, *_STYLES, ".html", ".mdx"])
# Compilers' paths and references, packages by `file:`.
_CONFIGURATIONS = ("package.json", "*config*.json")
# A larger file is a copied library, not somebody's source.
_LARGEST_BYTES = 1_000_000

# "../shared/api", "./colours", "file:../shared"
_QUOTED = re.compile(r"""["'`](?:(?:file|link|portal):)?(\.{1,2}/[^"'`\r\n]*)""")
# url(../shared/logo.svg), `--input=../backend/openapi.json` in a script
_WORD = re.compile(r"""[\s=(](\.\./[^"'`()\s]*)""")
# A style sheet's paths need no dots: @use "colours"
_IN_SHEET = re.compile(r"""["'(]([^"'`()\s:]+)""")
# "..", "shared", as it is handed to path.resolve
_PIECES = re.compile(r"""(?:["']\.\.["']\s*,\s*)+(?:["'][^"'\r\n]+["']\s*,?\s*)+""")
_PIECE = re.compile(r"""["']([^"']+)["']""")
# From here on it is a pattern, or put together only when it runs.
_OPEN = re.compile(r"[*{\[]|\$")
_QUERY = re.compile(r"[?#].*")
# TypeScript imports its own files by the names that they will have.
_SCRIPT = re.compile(r"\.[mc]?jsx?$")


def paths_out_of(root: Path, files: Iterable[str], folder: Path) -> list[str]:
    """Return the paths in the texts of `files` that lead out of `root`; both are relative to it.

    They are meant from the file's own folder, or from `folder`, where the build runs. Nothing says that they exist.
    """
    inside = f"{root}{os.sep}"  # nearly all of them are
    found = {path for file in files for path in _paths_in(root / file, folder) if not path.startswith(inside)}
    return sorted(os.path.relpath(path, root) for path in found if _is_beside(Path(path), root))


def sources_outside(root: Path, paths: Iterable[str], folder: Path, project: Path) -> list[str]:
    """Return the files that `paths` lead to, and those that these lead to; all are relative to `root`, with slashes.

    Of a folder, that is all sources in it. What is outside of `project` as well is none of its sources.
    """
    found: set[Path] = set()
    waiting = list(paths)
    while waiting:
        for file in _files_at(Path(os.path.normpath(root / waiting.pop()))):
            if file not in found and file.is_relative_to(project) and is_source(file.relative_to(project).as_posix()):
                found.add(file)
                waiting += paths_out_of(root, [str(file)], folder)
    return sorted(Path(os.path.relpath(file, root)).as_posix() for file in found)


def _paths_in(file: Path, folder: Path) -> Iterator[str]:
    """Yield the relative paths in the text of a file, made absolute."""
    text = _read(file)
    written = {
        *_QUOTED.findall(text),
        *_WORD.findall(text),
        *(_IN_SHEET.findall(text) if file.suffix in _STYLES else ()),
    }
    written |= {"/".join(_PIECE.findall(match[0])) for match in _PIECES.finditer(text)}
    for path in written:
        plain = _OPEN.split(path, maxsplit=1)[0]
        if plain != path:
            plain = plain.rpartition("/")[0]
        for base in {file.parent, folder}:
            yield os.path.normpath(f"{base}/{plain}")


def _read(file: Path) -> str:
    if file.suffix not in _SUFFIXES and not any(fnmatch(file.name, name) for name in _CONFIGURATIONS):
        return ""
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # gone meanwhile, or a folder with such a name
        return ""


def _is_beside(path: Path, root: Path) -> bool:
    """Whether a path is neither in `root` nor one of the folders that `root` is in: those are named as limits."""
    return not path.is_relative_to(root) and not root.is_relative_to(path)


def _files_at(path: Path) -> Iterator[Path]:
    """Yield the files that an import of a path may mean: itself, one with an ending, all sources of a folder."""
    name = _QUERY.sub("", path.name)
    names = [path.name, name, *(f"{name}{ending}" for ending in _ENDINGS)]
    names += [f"{_SCRIPT.sub('', name)}{ending}" for ending in _CODE] if _SCRIPT.search(name) else []
    names += [f"_{name}{ending}" for ending in _STYLES]  # Sass: a part of other sheets
    yield from filter(os.path.isfile, [path.with_name(one) for one in dict.fromkeys(filter(None, names))])
    if os.path.isdir(path):  # noqa: PTH112 - Path's own raises an error for what is too long for a name
        yield from filter(os.path.isfile, [path / one for one in list_sources(path)])
