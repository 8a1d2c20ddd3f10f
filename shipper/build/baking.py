"""Everything that decides which values a frontend build bakes, gathered once for the rules about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipper.build.dotenv_files import Assignment, winning_assignments
from shipper.build.fingerprint import ambient_variables, baked_variables, frontend_folder, the_frontend
from shipper.build.presets import Preset, preset_of
from shipper.build.sources import Read, Sources, scan_sources
from shipper.config.frontend import Frontend
from shipper.config.lines import find_lines
from shipper.config.project import Workspace


@dataclass(frozen=True)
class Baking:
    """What the rules about baked variables look at.

    `baked` are the variables that shipper sets, `ambient` the shell's public ones, `env_files` the assignments that
    would win among the env files; `settings_line` is where ship.toml names the API's variable.
    """

    workspace: Workspace
    frontend: Frontend
    preset: Preset
    sources: Sources
    api_url: str
    baked: dict[str, str]
    ambient: dict[str, str]
    env_files: dict[str, Assignment]
    settings_line: int | None

    @property
    def variable(self) -> str:
        """The configured variable for the API's URL; empty when there is none."""
        return self.frontend.api_url_variable or ""

    @property
    def reads(self) -> dict[str, Read]:
        """The first place where each variable is read."""
        first: dict[str, Read] = {}
        for read in self.sources.reads:
            first.setdefault(read.name, read)
        return first

    def is_public(self, name: str) -> bool:
        """Whether the build tool hands the variable to the browser."""
        return name.startswith(self.sources.prefixes)

    def is_set(self, name: str) -> bool:
        """Whether ship.toml, the shell, an env file or the tool's configuration gives the variable a value."""
        elsewhere = any(name == override.name for override in self.sources.overrides)
        return name in self.baked or name in self.ambient or name in self.env_files or elsewhere

    def place_of(self, assignment: Assignment) -> str:
        """Return the path of an assignment's env file, relative to the project."""
        return (Path(self.frontend.path) / assignment.file).as_posix()


def gather(workspace: Workspace, api_url: str) -> Baking:
    """Read ship.toml, the sources, the shell's environment and the env files. Raises ConfigError without a folder."""
    frontend = the_frontend(workspace)
    return Baking(
        workspace=workspace,
        frontend=frontend,
        preset=preset_of(frontend),
        sources=scan_sources(workspace),
        api_url=api_url,
        baked=baked_variables(workspace, api_url),
        ambient=ambient_variables(workspace),
        env_files=winning_assignments(frontend_folder(workspace), frontend),
        settings_line=_settings_line(workspace.root / "ship.toml"),
    )


def _settings_line(ship_toml: Path) -> int | None:
    try:
        return find_lines(ship_toml.read_text(encoding="utf-8-sig")).get(("frontend", "api_url_variable"))
    except (OSError, ValueError):
        return None
