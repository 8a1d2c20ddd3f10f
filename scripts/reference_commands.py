"""The commands as Markdown, read from the tasks: name, what it does, options."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from invoke.collection import Collection
from invoke.parser import Argument
from invoke.tasks import Task

from shipper.tasks import namespace


@cache
def commands(_: str) -> str:
    """Return all commands, those without a namespace first, then each namespace with what it is about.

    Only the first time in a process: Invoke takes the help out of a task when its arguments are asked for.
    """
    return "\n\n".join(_section("", namespace))


def _section(prefix: str, collection: Collection) -> Iterator[str]:
    about = (collection.__doc__ or "").strip().splitlines()
    if prefix and collection.tasks:
        yield f"## inv {prefix}\\*"
        if about and about[0].startswith("`inv"):
            said = about[0].partition(": ")[2]
            yield f"{said[0].upper()}{said[1:]}"
    for name in sorted(collection.tasks):
        yield from _command(f"{prefix}{name}", collection.tasks[name])
    for name in sorted(collection.collections):
        yield from _section(f"{prefix}{name}.", collection.collections[name])


def _command(name: str, task: Task[object]) -> Iterator[str]:
    yield f"### inv {name}"
    yield " ".join((task.__doc__ or "").split())
    options = task.get_arguments()
    if options:
        rows = (_row(option) for option in options)
        yield "\n".join(["| option | meaning |", "|---|---|", *rows])


def _row(option: Argument) -> str:
    # Invoke wants a word after every option but a switch.
    word = "" if option.kind is bool else f" <{'number' if option.kind is int else 'text'}>"
    # A switch that is on unless somebody says otherwise is typed as `--no-...`.
    prefix = "--[no-]" if option.kind is bool and option.default is True else "--"
    spelled = [f"{prefix}{option.name.replace('_', '-')}{word}", *(f"-{short}{word}" for short in option.nicknames)]
    meaning = (option.help or "").replace("|", "\\|")
    if option.default not in ("", None, False, 0) and "default" not in meaning:
        meaning = f"{meaning}; default: `{option.default}`"
    return f"| {', '.join(f'`{one}`' for one in spelled)} | {meaning} |"
