"""What `inv init` asks at a terminal: only what the repository does not say, each with a default where there is one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shipper.errors import ConfigError

if TYPE_CHECKING:
    from shipper.detect.backends import FoundBackend
    from shipper.detect.frontends import FoundFrontend
    from shipper.detect.proposal import Wishes
    from shipper.detect.survey import Survey

_RUNTIMES = ("", "systemd", "compose")


def somebody_is_there() -> bool:
    """Say whether questions can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def check_wishes(wishes: Wishes) -> None:
    """Raise ConfigError, naming the option, for a value that could not be in a ship.toml."""
    from pydantic import ValidationError

    from shipper.config.explain import EXPECTED
    from shipper.config.frontend import Frontend
    from shipper.config.project import Project
    from shipper.config.target import Target

    if wishes.runtime not in _RUNTIMES:
        raise ConfigError(
            f"--runtime {wishes.runtime} is not known.", fix="Use: --runtime systemd, or: --runtime compose"
        )
    given = {name: getattr(wishes, name) for name in ("host", "user", "domain") if getattr(wishes, name)}
    try:
        Target(**{"host": "example.com", **given})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][-1])
        raise ConfigError(
            f"--{name} cannot be {given.get(name, '')!r}.", fix=f"Expected is {EXPECTED[f'targets.*.{name}']}."
        ) from None
    if wishes.name:
        try:
            Project(name=wishes.name, frontend=Frontend(preset="static"))
        except ValidationError:
            raise ConfigError(f"--name cannot be {wishes.name!r}.", fix=f"Expected are {EXPECTED['name']}.") from None


def ask_what_is_open(found: Survey, wishes: Wishes) -> Wishes:
    """Ask which frontend and backend are meant where there are several, and where the app is shipped to."""
    from rich.prompt import Prompt

    from shipper.detect.proposal import app_name, likely_backends, likely_frontends
    from shipper.report.console import console

    frontend = wishes.frontend or _which("frontend", likely_frontends(found))
    backend = wishes.backend or _which("backend", likely_backends(found))
    name = wishes.name or Prompt.ask("Name of the app", console=console, default=app_name(found.repository.root.name))
    host = wishes.host or Prompt.ask(
        "Server, a name or an address (nothing: only the practice server for now)",
        console=console,
        default="",
        show_default=False,
    )
    wishes = replace(wishes, frontend=frontend, backend=backend, name=name, host=host)
    if not host:
        check_wishes(wishes)
        return wishes
    known = found.servers
    user = wishes.user or Prompt.ask(
        "Who logs in there", console=console, default=known.user.value if known.user else "ubuntu"
    )
    domain = wishes.domain or Prompt.ask(
        "Name that visitors type", console=console, default=known.domain.value if known.domain else host
    )
    wishes = replace(wishes, user=user, domain=domain)
    check_wishes(wishes)
    return wishes


def _which(what: str, likely: Sequence[FoundFrontend] | Sequence[FoundBackend]) -> str:
    if len(likely) < 2:
        return ""
    from rich.prompt import Prompt

    from shipper.report.console import console

    for one in likely:
        console.print(f"  {one.path}   {one.what}   {one.where}", markup=False)
    choices = [*(one.path for one in likely), "none"]
    return Prompt.ask(f"Which {what}", console=console, choices=choices, default=likely[0].path)
