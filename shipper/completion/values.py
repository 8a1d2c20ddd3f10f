"""The values of options, for a shell that completes: targets from ship.toml, releases from what was seen last.

Asked at every Tab, so it imports next to nothing, reads two small files, and asks no server.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from shipper.completion.known import known_releases

_TARGET = ("--to", "-t")
_RELEASE = ("--release", "-r")
_SIDES = ("--old", "--new", "-o", "-n")
# shipper.pipeline.releases has them, too, and takes long to import.
_SIDE_WORDS = ("live", "previous", "here")
# There -t and -r are other options.
_WITHOUT_TARGET = frozenset({"check", "init"})
_SANDBOX = "sandbox"


def complete_values(words: Sequence[str], folder: Path) -> list[str] | None:
    """Return what may stand in place of the last of `words` (all words after the program's name; the last one is the
    one that is being typed, "" when it is not begun).

    None when it is no value of ours: a task, an option, or a value that only its owner knows.
    """
    task = words[0] if len(words) > 1 else ""
    # Bash takes `--to=x` apart into three words.
    rest = [word for word in words[1:-1] if word != "="]
    typed = "" if words[-1:] == ["="] else (words or [""])[-1]
    option = rest[-1] if rest else ""
    prefix = ""
    if typed.startswith("--") and "=" in typed:
        option, _, typed = typed.partition("=")
        prefix = f"{option}="
    if option in _TARGET and task not in _WITHOUT_TARGET:
        found = _targets(folder)
    elif task == "rollback" and (option in _RELEASE or (_is_place(rest, 1) and not typed.startswith("-"))):
        found = _releases(folder, rest)
    elif task == "diff" and (option in _SIDES or (_is_place(rest, 2) and not typed.startswith("-"))):
        found = [*_SIDE_WORDS, *_releases(folder, rest, with_live=True)]
    else:
        return None
    return [prefix + name for name in found if name.startswith(typed)]


def _targets(folder: Path) -> list[str]:
    _, table = _project(folder)
    return sorted({*_names(table), _SANDBOX})


def _is_place(rest: Sequence[str], places: int) -> bool:
    """Whether the next word stands in one of the first places behind the task, with no option before it."""
    return len(rest) < places and not any(word.startswith("-") for word in rest)


def _releases(folder: Path, rest: Sequence[str], with_live: bool = False) -> list[str]:
    root, table = _project(folder)
    if root is None:
        return []
    words = [part for word in rest for part in word.split("=", 1)]
    named = next((value for option, value in pairwise(words) if option in _TARGET), "")
    names = _names(table)
    default = table.get("default_target") or (names[0] if len(names) == 1 else "" if names else _SANDBOX)
    return known_releases(root / ".shipper", named or str(default), with_live)


def _names(table: dict[str, Any]) -> list[str]:
    targets = table.get("targets")
    return list(targets) if isinstance(targets, dict) else []


def _project(folder: Path) -> tuple[Path | None, dict[str, Any]]:
    """Return the project's folder and its ship.toml, as far as it can be read: nobody wants errors after Tab."""
    for place in (folder, *folder.parents):
        try:
            return place, tomllib.loads((place / "ship.toml").read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            if (place / ".git").exists():
                break
        except (OSError, ValueError):
            return place, {}
    return None, {}
