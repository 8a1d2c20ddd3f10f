"""The releases on a server, and in what two of them differ, for people."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from shipper.report.console import console, show_server

if TYPE_CHECKING:
    from shipper.pipeline.releases import Comparison, ServerReleases

_STATES = {"bad": "red", "prepared": "yellow"}
_MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}
_LINES = {"+": "green", "-": "red", "@": "cyan"}
_NAMES = {"site": "site", "backend": "backend", "dependencies": "dependencies"}
_SHOWN = 20
_SUBJECT_LETTERS = 60


def show_releases(servers: Sequence[ServerReleases], target: str) -> None:
    """Print the releases of each server; those that are like the first server's only once."""
    for number, one in enumerate(servers):
        show_server(one.server)
        if number and one.releases == servers[0].releases:
            console.print(f"the same as on {servers[0].server}", markup=False)
        elif not one.releases:
            console.print(f"Nothing was shipped to {target} yet. [green]->[/green] inv ship --to {target}")
        else:
            for entry in one.releases:
                _show_release(entry)


def _show_release(entry: Mapping[str, Any]) -> None:
    """Print two lines, so that a terminal of 80 columns shows all of it: what it is, and where it came from."""
    state = "live" if entry["live"] else entry["state"]
    colour = "bold green" if entry["live"] else _STATES.get(state, "default")
    weight = (
        f"{size(entry['bytes'])}, {size(entry['own_bytes'])} of it new" if entry["against"] else size(entry["bytes"])
    )
    console.print(
        f"[bold]{entry['id']}[/bold]  [{colour}]{state:<8}[/{colour}]  {_changed(entry)}  [dim]({weight})[/dim]"
    )
    origin = "  ".join((_moment(entry["created"]), _visible(entry["who"]), _commit(entry)))
    console.print(f"    {origin}", markup=False, style="dim")


def _changed(entry: Mapping[str, Any]) -> str:
    if not entry["against"]:
        return "the first one"
    return ", ".join(entry["changed"]) or "nothing changed"


def _commit(entry: Mapping[str, Any]) -> str:
    if not entry["commit"]:
        return "no commit"
    subject = _visible(entry["subject"])
    short = subject if len(subject) <= _SUBJECT_LETTERS else f"{subject[: _SUBJECT_LETTERS - 1]}…"
    return f"{entry['commit'][:7]}{'+' if entry['dirty'] else ''} {short}".rstrip()


def _moment(created: str) -> str:
    """Return a moment in the local time of whoever reads it; as it is when it is none."""
    try:
        return datetime.datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return created


def size(count: int) -> str:
    """Return a number of bytes as people read it: 512 B, 3.4 kB, 12.0 MB."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= power:
            return f"{count / power:.1f} {unit}"
    return f"{count} B"


def _visible(text: str) -> str:
    """Return text that no terminal takes for a command: it comes from a commit or from another machine."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def show_comparisons(comparisons: Sequence[Comparison], *, short: bool, everything: bool) -> None:
    """Print in what the two releases differ on each server; what is like on the first server only once.

    `short` leaves it at counts; `everything` also names what is usually cut off.
    """
    for number, one in enumerate(comparisons):
        show_server(one.server)
        if number and _essence(one.difference) == _essence(comparisons[0].difference):
            console.print(f"the same as on {comparisons[0].server}", markup=False)
        else:
            _show_difference(one.difference, short, None if everything else _SHOWN)


def _essence(difference: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a difference without the names of slots, which are each server's own."""
    return {**difference, **{side: {**difference[side], "slot": ""} for side in ("old", "new")}}


def _show_difference(difference: Mapping[str, Any], short: bool, most: int | None) -> None:
    old, new = difference["old"], difference["new"]
    console.print(f"[bold]{old['id']}[/bold] -> [bold]{new['id']}[/bold]")
    for entry in (old, new):
        console.print(f"  {entry['id']}: {entry['state']}, {_moment(entry['created'])}, {_commit(entry)}", markup=False)
    if not difference["kinds"]:
        console.print("No difference: the same site, backend, environment and configuration.")
        return
    for name, title in _NAMES.items():
        _show_files(title, difference["files"][name], 0 if short or name == "dependencies" else most)
        if name == "dependencies":
            _show_rows("packages", difference["packages"], _package, 0 if short else most)
    if difference["image"][0] != difference["image"][1]:
        console.print(f"image         {' -> '.join(name or 'none' for name in difference['image'])}", markup=False)
    _show_rows("env", {how: [[name] for name in names] for how, names in difference["env"].items()}, _name, most)
    for how, names in difference["migrations"].items():
        for name in names:
            mark, colour = _MARKS[how]
            console.print(f"migration     [{colour}]{mark} {escape(_visible(name))}[/{colour}]")
    _show_config(difference["config"], short)


def _show_files(title: str, files: Mapping[str, Sequence[Sequence[Any]]], most: int | None) -> None:
    if not any(files.values()):
        return
    arrived = sum(row[-1] for how in ("added", "changed") for row in files[how])
    gone = sum(row[1] for how in ("changed", "removed") for row in files[how])
    counts = ", ".join(f"{len(rows):,} {how}" for how, rows in files.items() if rows)
    console.print(f"{title:<13} {counts}  [dim]({size(gone)} -> {size(arrived)})[/dim]")
    for how, rows in files.items():
        _show_some(how, rows, _file, most)


def _show_rows(title: str, rows: Mapping[str, Sequence[Sequence[Any]]], words: Any, most: int | None) -> None:
    if any(rows.values()):
        console.print(f"{title:<13} {', '.join(f'{len(some):,} {how}' for how, some in rows.items() if some)}")
        for how, some in rows.items():
            _show_some(how, some, words, most)


def _show_some(how: str, rows: Sequence[Sequence[Any]], words: Any, most: int | None) -> None:
    mark, colour = _MARKS[how]
    for row in rows[:most]:
        console.print(f"  [{colour}]{mark} {escape(words(row))}[/{colour}]")
    if most and len(rows) > most:
        console.print(f"  [dim]{mark} and {len(rows) - most:,} more (--full)[/dim]")


def _file(row: Sequence[Any]) -> str:
    return f"{_visible(row[0])}  {' -> '.join(size(count) for count in row[1:])}"


def _package(row: Sequence[Any]) -> str:
    return f"{row[0]} {' -> '.join(row[1:])}"


def _name(row: Sequence[Any]) -> str:
    return str(row[0])


def _show_config(config: Mapping[str, Sequence[str]], short: bool) -> None:
    for name, lines in config.items():
        added = sum(line.startswith("+") for line in lines)
        removed = sum(line.startswith("-") for line in lines)
        console.print(f"config        {name}  [green]+{added}[/green] [red]-{removed}[/red]")
        for line in () if short else lines:
            console.print(f"  {_visible(line)}", markup=False, style=_LINES.get(line[:1], "dim"))
