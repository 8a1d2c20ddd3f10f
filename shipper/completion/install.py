"""Tells a shell about the completion: one file of ours, and for bash and zsh one line in the file they begin with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from shipper.errors import ConfigError

SHELLS = ("bash", "zsh", "fish")
_MARK = "# shipper: completion"


@dataclass(frozen=True)
class Place:
    """Where the completion of a shell is: the script, and the file whose line reads it (None: none is needed)."""

    shell: str
    script: Path
    start_file: Path | None

    @property
    def line(self) -> str:
        """The line of the start file."""
        return f'[ -r "{self.script}" ] && . "{self.script}"  {_MARK}'


def choose_shell(named: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the shell that is meant: the one named, else the user's. Raises ConfigError for one that is not known."""
    shell = named or Path(environment.get("SHELL", "")).name
    if shell not in SHELLS:
        raise ConfigError(
            f"There is no completion for {shell or 'an unknown shell'}.",
            why=f"There is one for {', '.join(SHELLS)}." + ("" if named else " The shell is taken from $SHELL."),
            fix="shipper completion.install --shell bash",
        )
    return shell


def place_of(shell: str, home: Path, environment: Mapping[str, str] = os.environ) -> Place:
    """Return where the completion of a shell belongs, as the shells' manuals say."""
    if shell == "fish":
        config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return Place(shell, config / "fish" / "conf.d" / "shipper.fish", None)
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    folder = Path(environment.get("ZDOTDIR") or home) if shell == "zsh" else home
    return Place(shell, data / "shipper" / f"completion.{shell}", folder / f".{shell}rc")


def script_of(shell: str) -> str:
    """Return the text that a shell reads."""
    return resources.files("shipper.completion").joinpath(f"shipper.{shell}").read_text(encoding="utf-8")


def install(place: Place) -> list[Path]:
    """Write the script and the line; return the files that were changed, none when all was as it should be."""
    changed = []
    if not place.script.is_file() or place.script.read_text(encoding="utf-8") != script_of(place.shell):
        place.script.parent.mkdir(parents=True, exist_ok=True)
        place.script.write_text(script_of(place.shell), encoding="utf-8", newline="\n")
        changed.append(place.script)
    if place.start_file:
        lines = _lines(place.start_file)
        if place.line not in lines:
            _write(place.start_file, [*(line for line in lines if _MARK not in line), place.line])
            changed.append(place.start_file)
    return changed


def remove(place: Place) -> list[Path]:
    """Take away what `install` wrote; return the files that were changed."""
    changed = []
    if place.script.is_file():
        place.script.unlink()
        changed.append(place.script)
    if place.start_file and any(_MARK in line for line in _lines(place.start_file)):
        _write(place.start_file, [line for line in _lines(place.start_file) if _MARK not in line])
        changed.append(place.start_file)
    return changed


def _lines(file: Path) -> list[str]:
    # Bytes that are no UTF-8 in somebody's start file come back as they were.
    if not file.is_file():
        return []
    return file.read_bytes().decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")


def _write(file: Path, lines: list[str]) -> None:
    """Write through a link, which is how people keep their start files in a repository."""
    text = "".join(f"{line}\n" for line in lines)
    file.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
