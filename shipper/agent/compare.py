"""In what two releases differ: files with sizes, packages, names of variables, lines of configuration, migrations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import environment, release, tree
from .contents import TREES, Contents, config_of, kinds_of_change, of_release, of_request, summary
from .layout import Layout
from .mask import Mask

# The folder of an installed package's facts, `<name>-<version>.dist-info`, where neither part holds a hyphen: PyPA,
# "Recording installed projects".
_PACKAGE = re.compile(r"([^/-]+)-([^/-]+)\.dist-info/")
# Django's and Prisma's folders are called migrations, Alembic's is versions.
_MIGRATION = re.compile(r"(?:^|/)(?:migrations/(?:.+/)?(?!__init__\.py$)[^/]+\.(?:py|sql)|versions/[^/_][^/]*\.py)$")
# What Compose runs is laid out like code; its text is configuration to people.
_COMPOSE = re.compile(r"(?:docker-)?compose\.(?:ya?ml|json)")

Change = dict[str, list[list[Any]]]


def compare(layout: Layout, request: Mapping[str, Any]) -> dict[str, Any]:
    """Compare `request["old"]` with `request["new"]`; each names a release, or is what a client would ship.

    Raises AgentError when there is no such release.
    """
    old, new = (_contents(layout, request[side]) for side in ("old", "new"))
    trees = {name: _files(name, old, new) for name in TREES}
    return {
        "old": summary(old.record),
        "new": summary(new.record),
        "kinds": kinds_of_change(old, new),
        "files": trees,
        "packages": packages(old.trees["dependencies"], new.trees["dependencies"]),
        "image": [str(side.record.get("image") or "") for side in (old, new)],
        "env": _variables(old.variables, new.variables),
        "config": _config(layout, old, new),
        "migrations": {
            how: [row[0] for row in rows if _MIGRATION.search(row[0])] for how, rows in trees["backend"].items()
        },
    }


def _contents(layout: Layout, wanted: Any) -> Contents:
    if isinstance(wanted, str):
        return of_release(layout, release.record(layout, wanted))
    return of_request(layout, wanted)


def _files(name: str, old: Contents, new: Contents) -> Change:
    """Return the files by what became of them, sorted: [path, bytes], for changed ones [path, bytes before, after]."""
    before, after = ({entry[0]: entry for entry in side.trees[name] if entry[1] != "directory"} for side in (old, new))
    changed = [path for path in before.keys() & after.keys() if list(before[path]) != list(after[path])]
    return {
        "added": [[path, new.size(name, after[path])] for path in sorted(after.keys() - before.keys())],
        "changed": [[path, old.size(name, before[path]), new.size(name, after[path])] for path in sorted(changed)],
        "removed": [[path, old.size(name, before[path])] for path in sorted(before.keys() - after.keys())],
    }


def packages(old: Iterable[tree.Entry], new: Iterable[tree.Entry]) -> Change:
    """Return the Python packages by what became of them: [name, version], for changed ones [name, before, after]."""
    before, after = _versions(old), _versions(new)
    both = sorted(before.keys() & after.keys())
    return {
        "added": [[name, after[name]] for name in sorted(after.keys() - before.keys())],
        "changed": [[name, before[name], after[name]] for name in both if before[name] != after[name]],
        "removed": [[name, before[name]] for name in sorted(before.keys() - after.keys())],
    }


def _versions(entries: Iterable[tree.Entry]) -> dict[str, str]:
    found = (_PACKAGE.match(entry[0]) for entry in entries)
    return {match[1]: match[2] for match in found if match}


def _variables(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        "added": sorted(new.keys() - old.keys()),
        "changed": sorted(name for name in old.keys() & new.keys() if old[name] != new[name]),
        "removed": sorted(old.keys() - new.keys()),
    }


def _config(layout: Layout, old: Contents, new: Contents) -> dict[str, list[str]]:
    """Return the lines of a unified diff for every text that differs; values of the environment become stars."""
    mask = Mask([*old.variables.items(), *new.variables.items(), *environment.read(layout.env).items()])
    before, after = {**config_of(old), **_compose_of(old)}, {**config_of(new), **_compose_of(new)}
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return {name: _lines(before.get(name, ""), after.get(name, ""), mask) for name in changed}


def _compose_of(contents: Contents) -> dict[str, str]:
    if not contents.record.get("image"):
        return {}
    paths = [path for path, kind, _ in contents.trees["backend"] if kind == "file" and _COMPOSE.fullmatch(path)]
    return {f"compose/{path}": contents.text(path) for path in paths}


def _lines(old: str, new: str, mask: Callable[[str], str]) -> list[str]:
    import difflib  # few requests compare anything, and every start would wait for it

    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))
    return [mask(line) for line in lines[2:]]
