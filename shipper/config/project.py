"""The models behind `ship.toml`. Frozen, complete with defaults, without any knowledge of where they came from.

A model's docstring and its fields' descriptions are the reference of `ship.toml` (docs/ship-toml.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from shipper.config.backend import Backend
from shipper.config.check import Check
from shipper.config.frontend import Frontend
from shipper.config.hooks import Hooks
from shipper.config.model import Model
from shipper.config.target import Target
from shipper.config.types import AppName, Prefix, Seconds, Size, runs_on_server


class Nginx(Model):
    """`[nginx]`: what the server block does. Every key has a default that suits a small app (field note N9)."""

    body_size: Size = Field(
        "10m", description="the largest request body, so the largest upload: a number with `k`, `m` or `g`"
    )
    rate: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*r/[sm]$")] | Literal["off"] = Field(
        "30r/s",
        description=(
            'requests to the backend per visitor\'s address, a second (`r/s`) or a minute (`r/m`); `"off"` for no limit'
        ),
    )
    burst: Annotated[int, Field(ge=0, le=100_000)] = Field(
        60, description="requests above the rate that are still served"
    )
    read_timeout: Seconds = Field(
        60,
        description=(
            "seconds that nginx waits for the backend's answer. Raise it for slow calls, such as those to a language "
            "model"
        ),
    )
    websockets: tuple[Prefix, ...] = Field((), description='the prefixes that carry websockets, such as `["/ws/"]`')


class Project(Model):
    """`ship.toml`: one app with an optional frontend and an optional backend, and the targets it is shipped to."""

    name: AppName = Field(
        description=(
            "names the folder, the system user and the units on the server. Lower-case letters, digits and dashes, at "
            "most 31, beginning with a letter. Names of the server's own users and services (`root`, `nginx`, "
            "`ubuntu`, ...) are refused"
        )
    )
    frontend: Frontend | None = Field(None, description="an app that exports to static files")
    backend: Backend | None = Field(None, description="an application that runs on the server")
    nginx: Nginx = Field(default_factory=Nginx, description="what the server block does")
    hooks: Hooks = Field(default_factory=Hooks, description="the project's own commands at moments of a ship")
    check: Check = Field(default_factory=Check, description="what the secret check lets pass")
    default_target: str | None = Field(
        None,
        description=(
            "the target that is meant when none is named. With several targets and no default, every command asks for "
            "a name; with no target at all, the sandbox is meant; default: the only target"
        ),
    )
    targets: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")], Target] = Field(
        default_factory=dict, description="the places to ship to"
    )

    @field_validator("name")
    @classmethod
    def _not_a_system_name(cls, name: str) -> str:
        if name in _SYSTEM_NAMES:
            raise ValueError(f"'{name}' is a user or a service of the server itself; choose another name")
        return name

    @model_validator(mode="after")
    def _something_to_ship(self) -> Project:
        if self.frontend is None and self.backend is None:
            raise ValueError("expected a [frontend] or a [backend] table (or both)")
        if self.default_target and self.default_target not in {*self.targets, "sandbox"}:
            raise ValueError(
                f"default_target = '{self.default_target}', but there is no [targets.{self.default_target}]"
            )
        return self

    @model_validator(mode="after")
    def _hooks_have_a_place(self) -> Project:
        for key, hook in self.hooks.on_server:
            if self.backend is None:
                raise ValueError(
                    f"{key}: on = 'server' needs a [backend]: it runs as the app's user, with the app's env"
                )
            if self.backend.runtime == "systemd":
                try:
                    runs_on_server(hook.command)
                except ValueError as error:
                    raise ValueError(f"{key}.command: {error}") from None
        return self


# Users and services that are on every Debian or Amazon Linux server; an app of that name would take them over.
_SYSTEM_NAMES = frozenset(
    """
    root daemon bin sys sync games man lp mail news uucp proxy backup list irc nobody nginx sshd systemd dbus
    www-data admin ubuntu debian ec2-user postgres mysql redis docker shipper
    """.split()
)


@dataclass(frozen=True)
class Workspace:
    """A project and where it is on this machine."""

    root: Path
    project: Project

    @property
    def cache(self) -> Path:
        """The folder for caches; it ignores itself in git and may be deleted at any time."""
        return self.root / ".shipper"
