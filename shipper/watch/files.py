"""Which files count, and what is in them: a ship is wanted when a content changed, whatever was written to the disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath

from shipper.build.presets import output_folder
from shipper.build.source_tree import list_sources
from shipper.config.project import Workspace
from shipper.hashes import FileHashes

# Nothing in them is anybody's source; they are not even listened to.
SKIPPED_FOLDERS = frozenset(
    """
    .git .hg .svn .shipper node_modules .next .turbo .nuxt .svelte-kit .astro .cache .parcel-cache __pycache__
    .pytest_cache .mypy_cache .ruff_cache .tox .nox .venv venv .idea .vscode
    """.split()
)
# What editors write beside a file while they save it: vim (4913, *.sw?), Emacs (#x#, .#x), JetBrains, Kate, GNOME,
# macOS, and every `name~` and `name.tmp`.
_TEMPORARY = re.compile(
    r"4913|#.*#|\.#.*|.*~|.*\.sw[a-z]|.*___jb_(?:tmp|old)___|.*\.kate-swp|\.goutputstream-.*|.*\.sb-[0-9a-f]{8}-\w+"
    r"|.*\.tmp(?:\.[\w-]+)*|.*\.(?:part|crdownload|bak)|\.DS_Store|Thumbs\.db|desktop\.ini",
    re.DOTALL,
)

Contents = Mapping[str, str]


def may_count(path: PurePath) -> bool:
    """Whether a path, relative to the project, could be one of its sources: a cheap look at its words alone."""
    return SKIPPED_FOLDERS.isdisjoint(path.parts) and not _TEMPORARY.fullmatch(path.name)


def read_contents(workspace: Workspace) -> Contents:
    """Return the project's files that count, as POSIX paths relative to it, with a hash of what is in each.

    These are those that git tracks or would take, without temporary files and the build's output folder.
    """
    root, frontend = workspace.root, workspace.project.frontend
    output = output_folder(frontend) if frontend else ""
    inside = f"{frontend.path}/{output}" if frontend and output else ""
    found = {}
    with FileHashes.remember(workspace.cache / "hashes" / "watch.json") as hashes:
        for path in list_sources(root, PurePath(inside).as_posix() if inside else ""):
            if may_count(PurePath(path)):
                found[path] = _content(root / path, hashes)
    return found


def _content(path: Path, hashes: FileHashes) -> str:
    try:
        return f"-> {path.readlink()}" if path.is_symlink() else hashes.of(path)
    except OSError:  # it is being replaced just now; then there is another event in a moment
        return ""


def changed_paths(before: Contents, after: Contents) -> list[str]:
    """Return the paths whose content is another one, that are new, or that are gone."""
    return sorted({path for path, _ in before.items() ^ after.items()})
