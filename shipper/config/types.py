"""The forms of values in `ship.toml`: folders, URLs, prefixes, sizes, names. What gets through is safe to render."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints


def _inside_project(value: str) -> str:
    path = PurePosixPath(value.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (len(value) > 1 and value[1] == ":"):
        raise ValueError("expected a folder inside the project, such as 'frontend'")
    return str(path)


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected a full URL such as 'https://app.example.com'")
    if parts.username or parts.password:
        raise ValueError("a URL that is baked into a site must not hold a password")
    return value.rstrip("/")


def _public_or_relative_url(value: str) -> str:
    if not value.startswith("/"):
        return _public_url(value)
    # "/" alone would be baked as `//api/...`: the browser takes what follows for the name of a host.
    if value.startswith("//") or not value.rstrip("/"):
        raise ValueError("expected a full URL, or a path such as '/backend'")
    return value.rstrip("/")


def _prefix(value: str) -> str:
    if not value.startswith("/") or not value.endswith("/") or "//" in value:
        raise ValueError("expected a path prefix with a slash at both ends, such as '/api/'")
    return value


def runs_on_server(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command; refuse what systemd could not start, which looks for no program in the dependencies (S1)."""
    if command and command[0] != "python" and not command[0].startswith("/"):
        raise ValueError(
            "expected a command that begins with 'python', which is the server's (such as "
            f"['python', '-m', '{PurePosixPath(command[0]).name}', ...]), or with an absolute path on the server"
        )
    return command


# An app's name becomes a system user, a unit, a folder and an nginx zone: useradd(8) allows 32 characters.
AppName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}[a-z0-9]$|^[a-z]$")]
Folder = Annotated[str, AfterValidator(_inside_project)]
ServerCommand = Annotated[tuple[str, ...], AfterValidator(runs_on_server)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
ApiUrl = Annotated[str, AfterValidator(_public_or_relative_url)]
# Paths and prefixes are rendered into nginx's configuration: no space, quote, brace, `;` or `$` can be in them.
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$"), AfterValidator(_prefix)]
Size = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*[kmgKMG]$")]
Seconds = Annotated[int, Field(ge=1, le=3600)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
HostKey = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}=?$")]
Hostname = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")]
