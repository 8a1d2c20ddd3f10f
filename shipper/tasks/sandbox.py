"""`inv sandbox.*`: the practice server, a container on this machine that is shipped to like a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

from shipper.errors import ConfigError
from shipper.events import Event
from shipper.sandbox.state import chosen_name
from shipper.tasks.face import command

if TYPE_CHECKING:
    from shipper.report.as_json import Answer
    from shipper.sandbox.server import Sandbox


@command()
def up(context: Context) -> None:
    """Start the practice server and wait until it can be shipped to."""
    from shipper.sandbox import server

    _print_server(server.up(chosen_name(), _print_event))


@command()
def down(context: Context) -> None:
    """Stop the practice server; what is on it stays."""
    from shipper.sandbox import server

    name = chosen_name()
    server.down(name)
    _print(f"The practice server '{name}' is stopped. It comes back as it was with: inv sandbox.up")


@command()
def reset(context: Context) -> None:
    """Replace the practice server by a fresh one with the same address and keys."""
    from shipper.sandbox import server

    _print_server(server.reset(chosen_name(), _print_event))


@command(help={"json": "one JSON object instead of text"})
def status(context: Context, json: bool = False) -> Answer:
    """Say whether the practice server is running, and how to reach it."""
    from shipper.report.as_json import sandbox_answer
    from shipper.sandbox import server

    name = chosen_name()
    sandbox = server.find(name)
    if json:
        return sandbox_answer(name, sandbox)
    if sandbox is None:
        _print(f"There is no practice server '{name}' yet. Make one with: inv sandbox.up")
    elif sandbox.running:
        _print_server(sandbox)
    else:
        _print(f"The practice server '{name}' is stopped. Start it with: inv sandbox.up")
    return sandbox_answer(name, sandbox)


@command()
def ssh(context: Context) -> None:
    """Log in to the practice server."""
    import shutil
    import subprocess

    from shipper.sandbox import server
    from shipper.sandbox.login import ssh_command

    name = chosen_name()
    sandbox = server.find(name)
    if sandbox is None or not sandbox.running:
        raise ConfigError(f"The practice server '{name}' is not running.", fix="Start it with: inv sandbox.up")
    argv = ssh_command(sandbox)
    if shutil.which(argv[0]) is None:
        raise ConfigError(
            "There is no ssh program on this machine; shipper itself does not need one.",
            fix=f"Log in without it: docker exec -it --user {sandbox.user} {name} bash",
        )
    code = subprocess.run(argv, check=False).returncode
    if code != 0:
        raise Exit(code=code)


def _print_server(sandbox: Sandbox) -> None:
    _print(f"The practice server '{sandbox.name}' is running: {sandbox.url}")
    _print(
        f"  log in      inv sandbox.ssh   ({sandbox.user}@127.0.0.1, port {sandbox.ssh_port}, key {sandbox.key_file})"
    )
    _print("  ship to it  inv env.push --to sandbox, then: inv ship --to sandbox")


def _print_event(event: Event) -> None:
    _print(event.text if event.kind == "note" else f"  {event.text}")


def _print(text: str) -> None:
    from shipper.report.console import console

    console.print(text, markup=False)
