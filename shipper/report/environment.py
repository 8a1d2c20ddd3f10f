"""The difference between an env file here and the environment there: names only, values as stars."""

from __future__ import annotations

from collections.abc import Mapping

from rich.markup import escape

from shipper.report.console import console

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
