"""Finding and filling templates. They stand at the top of the repository and inside the installed package."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    # Imported where it is used: 35 ms that a rollback or a look at the logs does not have to wait for.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    package = Path(__file__).parents[1]
    folders = [package / "templates", package.parent]
    return Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - these are configuration files; the values are checked by shipper.config
    )


def fill(name: str, **values: Any) -> str:
    """Return the template `name`, such as "nginx/http.conf.j2", filled with values. A missing value is an error."""
    return _environment().get_template(name).render(**values)
