"""`inv hooks.*`: git asks shipper before every commit and every push."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context

from shipper.tasks.face import command


@command()
def install(context: Context) -> None:
    """Let git ask shipper before every commit and push; hooks that are there are kept and still run."""
    from shipper.hooks.install import install as install_hooks
    from shipper.hooks.place import find_place
    from shipper.report.hooks import show_changes, show_shared

    place = find_place(Path.cwd())
    show_changes(install_hooks(place))
    show_shared(place)


@command()
def remove(context: Context) -> None:
    """Take shipper's hooks away; what was there before is there again."""
    from shipper.hooks.install import remove as remove_hooks
    from shipper.hooks.place import find_place
    from shipper.report.hooks import show_changes

    show_changes(remove_hooks(find_place(Path.cwd())))


@command()
def status(context: Context) -> None:
    """Show for each hook whether it is installed, and its file."""
    from shipper.hooks.install import look
    from shipper.hooks.place import find_place
    from shipper.report.hooks import show_status

    show_status(look(find_place(Path.cwd())))
