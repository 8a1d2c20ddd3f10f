"""The difference between an env file here and the environment there: names only, values as stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from shipper.report.console import console, show_server

if TYPE_CHECKING:
    from shipper.pipeline.edit import Edited
    from shipper.pipeline.env_difference import EnvDifference, Variable
    from shipper.pipeline.generate import Generated

_STARS = "********"


def show_difference(difference: Mapping[str, list[str]], file: str, target: str) -> None:
    """Print which variables only one side has, and which have other values."""
    if not any(difference[kind] for kind in ("missing", "extra", "changed")):
        console.print(f"environment: {file} and {target} agree ({len(difference['equal'])} variables)")
        return
    console.print(f"environment: {escape(file)} against {target}")
    for kind, mark, colour, words in (
        ("missing", "+", "green", f"only in {file}"),
        ("extra", "-", "red", f"only on {target}"),
        ("changed", "~", "yellow", "another value"),
    ):
        for name in difference[kind]:
            console.print(f"  [{colour}]{mark} {escape(name)}={_STARS}[/{colour}]  [dim]{escape(words)}[/dim]")


def show_pushed(difference: Mapping[str, list[str]], file: str, target: str) -> None:
    """Print what a push changed on the server."""
    changes = [f"+{name}" for name in difference["missing"]]
    changes += [f"-{name}" for name in difference["extra"]] + [f"~{name}" for name in difference["changed"]]
    if not changes:
        console.print(f"{escape(file)} is on {target} already ({len(difference['equal'])} variables).")
        return
    console.print(f"{escape(file)} is on {target} now: {escape(', '.join(changes))}")
    console.print(
        f"  [green]->[/green] inv ship --to {target}   (the running backend keeps its environment until then)"
    )


def difference_as_data(difference: EnvDifference) -> dict[str, Any]:
    """Return a comparison as JSON has it."""
    return {
        "file": difference.here,
        "example": difference.example,
        "stale": list(difference.stale),
        "variables": [
            {
                "name": one.name,
                "state": one.state,
                "server": one.server,
                "file": one.here,
                "in_example": one.named,
            }
            for one in difference.variables
        ],
    }


def show_environments(differences: Sequence[EnvDifference], target: str) -> None:
    """Print the comparison for each server: every variable with its shape, and what to do where they differ."""
    for difference in differences:
        show_server(difference.server)
        files = [difference.here or "(no env file here)", difference.example or "(no example)"]
        console.print(f"environment of {target}, {', '.join(files)}", markup=False)
        width = max((len(one.name) for one in difference.variables), default=0)
        for one in difference.variables:
            mark, colour, words = _line(one, difference)
            console.print(f"  [{colour}]{mark} {escape(one.name):<{width}}[/{colour}]  {escape(words)}")
        if not difference.variables:
            console.print("  nothing is set anywhere")
        _show_next(difference, target)


def _line(one: Variable, difference: EnvDifference) -> tuple[str, str, str]:
    """Return the mark, the colour and the words for one variable."""
    unnamed = f"; not in {difference.example}" if difference.example and not one.named else ""
    if one.state == "equal":
        return "=", "default", one.server + unnamed
    if one.state == "differs":
        return "~", "yellow", f"differs: {one.server} there; {one.here} here{unnamed}"
    if one.state == "only here":
        return "+", "green", f"missing there; {one.here} in {difference.here}{unnamed}"
    if one.state == "only in the example":
        return "?", "cyan", f"only in {difference.example}"
    return (
        ("-", "red", f"only there: {one.server}{unnamed}")
        if difference.here
        else (" ", "default", one.server + unnamed)
    )


def _show_next(difference: EnvDifference, target: str) -> None:
    if difference.here and any(one.state in ("differs", "only here", "only there") for one in difference.variables):
        console.print(f"  [green]->[/green] inv env.push --to {target}   (the server gets {escape(difference.here)})")
        console.print(f"  [green]->[/green] inv env.edit --to {target}   (change the server's own)")
    if difference.stale:
        console.print(f"  The running backend does not have {escape(', '.join(difference.stale))} of it yet.")
        console.print(f"  [green]->[/green] inv ship --to {target}")


def show_generated(file: str, example: str, made: Generated, target: str) -> None:
    """Print what a new env file holds, by name, and what is left to do."""
    console.print(f"[bold]{escape(file)}[/bold] is written from {escape(example)}; only you can read it.")
    for words, names in (
        ("new random secrets", made.made),
        (f"fitted to {target}", made.fitted),
        ("to be filled in by you", made.open),
    ):
        if names:
            console.print(f"  {words}: {escape(', '.join(names))}")
    first = f"fill in {', '.join(made.open)}, then: " if made.open else ""
    console.print(f"[green]->[/green] {escape(first)}inv env.push --to {target}")


def show_changes(difference: Mapping[str, list[str]]) -> None:
    """Print what an edit changes, by key."""
    for kind, mark, colour in (("missing", "+", "green"), ("extra", "-", "red"), ("changed", "~", "yellow")):
        for name in difference[kind]:
            console.print(f"  [{colour}]{mark} {escape(name)}={_STARS}[/{colour}]")


def show_edited(edited: Edited, file: str, target: str) -> None:
    """Print how an edit ended, and whether something has to follow it."""
    if not edited.sent:
        same = not any(edited.difference[kind] for kind in ("missing", "extra", "changed"))
        console.print("Nothing was changed." if same else "Nothing was sent.")
        return
    console.print(f"The environment of {target} is changed.")
    if edited.outdated:
        names = escape(", ".join(edited.outdated))
        console.print(f"  [yellow]{escape(file)} here says something else of {names}.[/yellow]")
        console.print("  [green]->[/green] change it there, too, or the next inv env.push takes it back")
    if edited.stale:
        console.print("  The running backend keeps what it was started with; a ship starts one with the new values.")
        console.print(f"  [green]->[/green] inv ship --to {target}")
    else:
        console.print("  Nothing has to be started anew.")
