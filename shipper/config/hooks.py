"""`[hooks]`: the project's own commands at fixed moments of a ship. Git's hooks (`inv hooks.*`) are something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from shipper.config.model import Model
from shipper.config.types import Folder, Seconds

When = Literal["before_build", "after_build", "before_switch", "after_switch", "on_failure"]


def _something_to_run(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command or not command[0].strip():
        raise ValueError("expected a command, a word for each element, such as ['npm', 'run', 'codegen']")
    return command


HookCommand = Annotated[tuple[str, ...], AfterValidator(_something_to_run)]


class Hook(Model):
    """`[[hooks.before_switch]]` and those at later moments: one command, here or on the server."""

    command: HookCommand = Field(description="the command, a word for each element; there is no shell")
    on: Literal["here", "server"] = Field(
        "here", description="where it runs: on this machine, or on the server as the app's user with the app's env"
    )
    path: Folder = Field(".", description="with on = 'here': the folder of the project in which it runs")
    timeout: Seconds = Field(300, description="seconds after which it is ended and counts as failed")
    servers: Literal["each", "first"] = Field(
        "each", description="with on = 'server' and several servers: whether it runs on each, or on the first alone"
    )


class BuildHook(Model):
    """`[[hooks.before_build]]`, `[[hooks.after_build]]`: one command on this machine, where the build is."""

    command: HookCommand = Field(description="the command, a word for each element; there is no shell")
    on: Literal["here"] = Field("here", description="these run where the build is: on this machine")
    path: Folder = Field(".", description="the folder of the project in which it runs")
    timeout: Seconds = Field(300, description="seconds after which it is ended and counts as failed")

    @field_validator("on", mode="before")
    @classmethod
    def _where_the_build_is(cls, value: object) -> object:
        if value == "server":
            raise ValueError(
                "expected 'here': nothing is built on the server. What is to run there before visitors see "
                "the release is a [[hooks.before_switch]]"
            )
        return value


class Hooks(Model):
    """`[hooks]`: the project's own commands at moments of a ship, several of a moment one after another."""

    before_build: tuple[BuildHook, ...] = Field((), description="before anything is built; what they write is built")
    after_build: tuple[BuildHook, ...] = Field((), description="when all is built and proved, before anything is sent")
    before_switch: tuple[Hook, ...] = Field((), description="when the new backend is healthy, before visitors see it")
    after_switch: tuple[Hook, ...] = Field((), description="when the release is live and stays")
    on_failure: tuple[Hook, ...] = Field((), description="when a ship or a rollback failed, after all was undone")

    @property
    def on_server(self) -> Iterator[tuple[str, Hook]]:
        """The hooks that run on the server, each with its key as people write it."""
        for when in ("before_switch", "after_switch", "on_failure"):
            for number, hook in enumerate(getattr(self, when)):
                if hook.on == "server":
                    yield f"hooks.{when}[{number}]", hook
