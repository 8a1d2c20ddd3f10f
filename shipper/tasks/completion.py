"""`inv completion.*`: Tab completes tasks, options, targets and releases in bash, zsh and fish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command

if TYPE_CHECKING:
    from shipper.completion.install import Place

_SHELL = "bash, zsh or fish; default: the one in $SHELL"


@command(help={"shell": _SHELL})
def install(context: Context, shell: str = "") -> None:
    """Let Tab complete tasks, options, targets and releases."""
    from shipper.completion.install import install as install_completion

    place = _place(shell)
    changed = install_completion(place)
    for file in changed:
        _print(f"written: {file}")
    _print("It works in every new shell." if changed else f"It is installed already ({place.shell}).")


@command(help={"shell": _SHELL})
def remove(context: Context, shell: str = "") -> None:
    """Take the completion away again."""
    from shipper.completion.install import remove as remove_completion

    changed = remove_completion(_place(shell))
    for file in changed:
        _print(f"taken out: {file}")
    if not changed:
        _print("There was none.")


@command(help={"shell": _SHELL})
def show(context: Context, shell: str = "") -> None:
    """Print the script, for those who keep such files themselves."""
    from shipper.completion.install import choose_shell, script_of

    print(script_of(choose_shell(shell)), end="")  # noqa: T201 - for a shell: no width, no colour


def _place(shell: str) -> Place:
    from shipper.completion.install import choose_shell, place_of

    return place_of(choose_shell(shell), Path.home())


def _print(text: str) -> None:
    print(text)  # noqa: T201 - a path is to be copied as it is, whatever the width
