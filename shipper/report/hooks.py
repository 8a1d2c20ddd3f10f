"""The state of git's hooks, and what was done to them, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from shipper.hooks.install import Change, HookStatus
from shipper.hooks.place import Place
from shipper.report.console import console


def show_changes(changes: Sequence[Change]) -> None:
    """Print what was done, a line for each hook."""
    for change in changes:
        console.print(f"  [green]ok[/green]   {change.hook:<11} {escape(change.text)}")
        console.print(f"         {change.file}", markup=False, style="dim")
    if not changes:
        console.print("Nothing to do: none of shipper's hooks is installed here.")


def show_shared(place: Place) -> None:
    """Say what follows from hooks that git shares with everybody."""
    if place.shared_by_git:
        console.print(
            f"  [green]->[/green] commit {escape(str(place.files))}; who clones it types inv hooks.install once"
        )


def show_status(hooks: Sequence[HookStatus]) -> None:
    """Print the state of each hook, its file, and what else there is to know."""
    for hook in hooks:
        colour = {"installed": "green", "not installed": "yellow"}.get(hook.state, "red")
        console.print(f"  {hook.hook:<11} [{colour}]{hook.state}[/{colour}]")
        console.print(f"    {hook.file}", markup=False, style="dim")
        if hook.note:
            console.print(f"    {hook.note}", markup=False)
    if any(hook.state == "not installed" and not hook.note for hook in hooks):
        console.print("  [green]->[/green] inv hooks.install")
