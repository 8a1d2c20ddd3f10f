"""The `.env*` files that frontend tools read by themselves: which assignment of a name would win, and where it stands.

Only names, places and public values are of interest here; the files that shipper sends are read by
`shipper.config.envfile`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from shipper.build.presets import preset_of
from shipper.config.frontend import Frontend

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_QUOTED = re.compile(r"""^(["'`])(.*?)\1""")
_TRAILING_COMMENT = re.compile(r"\s+#.*$")
_MODE = re.compile(r"--mode[= ]([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Assignment:
    """One line of an env file: `name` is set to `value` in `file` (relative to the frontend) at `line`."""

    name: str
    value: str
    file: str
    line: int


def env_file_names(folder: Path, frontend: Frontend) -> list[str]:
    """Return the env files that the build of this frontend would read, strongest first, whether they exist or not."""
    mode = _build_mode(folder, frontend)
    return [name.format(mode=mode) for name in preset_of(frontend).env_files]


def winning_assignments(folder: Path, frontend: Frontend) -> dict[str, Assignment]:
    """Return for each name the assignment that would win among the env files; the process environment beats all."""
    winners: dict[str, Assignment] = {}
    for name in env_file_names(folder, frontend):
        # Within one file the last line wins, between files the stronger file.
        for assignment in reversed(read_assignments(folder / name)):
            winners.setdefault(assignment.name, assignment)
    return winners


def read_assignments(path: Path) -> list[Assignment]:
    """Return the assignments of one env file in order; none when the file is not there."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return []
    lines = enumerate(text.splitlines(), start=1)
    matches = ((number, _ASSIGNMENT.match(line)) for number, line in lines)
    return [Assignment(found[1], _plain(found[2]), path.name, number) for number, found in matches if found]


def _plain(value: str) -> str:
    quoted = _QUOTED.match(value)
    return quoted[2] if quoted else _TRAILING_COMMENT.sub("", value)


def _build_mode(folder: Path, frontend: Frontend) -> str:
    """`--mode staging` of Vite and Astro reads `.env.staging` in place of `.env.production`."""
    command = " ".join(frontend.command or ()) or _build_script(folder)
    found = _MODE.search(command)
    return found[1] if found and preset_of(frontend).env_object == "import.meta.env" else "production"


def _build_script(folder: Path) -> str:
    try:
        package = json.loads((folder / "package.json").read_text(encoding="utf-8-sig"))
        return str(package["scripts"]["build"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
