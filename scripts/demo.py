"""`make demo`: type for the reader what the guide says, so that an example ends up on a practice server here."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import example_images

from shipper.config.envfile import EnvFile, render_env
from shipper.config.target import Target
from shipper.engine import connect
from shipper.errors import ConfigError, ShipperError
from shipper.events import Event
from shipper.report.console import console, show_error
from shipper.sandbox.state import DEFAULT_NAME, NAME_VARIABLE, chosen_name, load_target

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True)
class Example:
    """What the demo of an example needs: the practice server's name, what its env file says, images to provide."""

    server: str
    variables: Callable[[Target], dict[str, str]]
    in_containers: bool = False


def quality_variables(target: Target) -> dict[str, str]:
    """Return the environment of examples/quality, with a secret of its own."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": target.server_name,
        "CSRF_TRUSTED_ORIGINS": target.public_url,
        "DATABASE_PATH": "/srv/quality/shared/data/quality.sqlite3",
    }


def music_variables(target: Target) -> dict[str, str]:
    """Return the environment of examples/music, with a password of its own."""
    return {
        "POSTGRES_USER": "music",
        # It becomes a part of an address (field note E4).
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "POSTGRES_DB": "music",
        "CORS_ORIGINS": target.public_url,
    }


# Each on a server of its own: it answers for all names, and so can only show one app.
DEMOS = {
    "quality": Example(DEFAULT_NAME, quality_variables),
    "music": Example("shipper-music", music_variables, in_containers=True),
}


def main(name: str = "quality") -> int:
    """Run the demo of an example; return the exit code of the command that failed, 0 when all worked.

    Raises ShipperError.
    """
    if name not in DEMOS:
        raise ConfigError(f"There is no demo of '{name}'.", fix=f"Type: make demo EXAMPLE={' or '.join(DEMOS)}")
    demo, folder = DEMOS[name], EXAMPLES / name
    os.environ.setdefault(NAME_VARIABLE, demo.server)
    code = shipper(folder, "sandbox.up")
    if code != 0:
        return code
    target = load_target(chosen_name())
    if target is None:
        raise ConfigError("The practice server was started, but is not known.", fix="Type: make demo")
    if demo.in_containers:
        provide_images(chosen_name())
    env_file = folder / target.env_file
    if not env_file.exists():
        write_env(env_file, demo.variables(target))
    for words in (("env.push", "--to", "sandbox"), ("ship", "--to", "sandbox", "--yes")):
        code = shipper(folder, *words)
        if code != 0:
            return code
    console.print(f"\nLook at it: {target.public_url}", markup=False)
    chosen = "" if chosen_name() == DEFAULT_NAME else f"{NAME_VARIABLE}={chosen_name()} "
    program = Path(sys.executable).with_name("inv")
    console.print(f"Change something in {folder}, and there: {chosen}{program} ship --to sandbox", markup=False)
    return 0


def shipper(folder: Path, *words: str) -> int:
    """Run a command of shipper in the example's folder, as its user would; return its exit code."""
    console.print(f"\n$ shipper {' '.join(words)}", markup=False, style="bold")
    return subprocess.run([sys.executable, "-m", "shipper", *words], cwd=folder, check=False).returncode


def provide_images(server: str) -> None:
    """Provide the images that the example begins from, here and on the practice server."""
    with connect() as client:
        example_images.provide(client, tell)
        example_images.load(client, server, example_images.POSTGRES)


def tell(event: Event) -> None:
    """Print what happens; of a program's output, nothing."""
    if event.kind == "note":
        console.print(event.text, markup=False)


def write_env(path: Path, values: dict[str, str]) -> None:
    """Write an example's environment for the practice server; only the owner can read it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(render_env(EnvFile(path.name, values)))


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except ShipperError as error:
        show_error(error)
        sys.exit(error.exit_code)
