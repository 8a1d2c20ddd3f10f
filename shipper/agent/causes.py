"""Known causes: what the last lines of a backend mean, and what to type next (field notes S5, E1 to E3, D1 to D7)."""

from __future__ import annotations

import re
from typing import Optional

from . import ports

# The first that is found in the last lines counts: rather the cause than what follows from it.
_CAUSES = (
    (
        r"exec format error",
        "The image is for another kind of processor than the server's, or its command is a script without `#!`.",
        "Build it from a base image for the server's platform (`inv host.check` shows it), without `--platform`; a "
        "script needs a first line such as #!/bin/sh.",
    ),
    (
        r"port is already allocated|[Aa]ddress already in use|EADDRINUSE|Connection in use: ",
        "A port that the backend wants is taken.",
        "Stop what holds it (`inv host.check` shows who), or give the service another port.",
    ),
    (
        r"no password supplied",
        "The database was asked without a password: the variable with it is empty.",
        "Set it in the env file, then: inv env.push   and ship again.",
    ),
    (
        r"password authentication failed|Access denied for user|WRONGPASS|Authentication failed\.",
        "The database refuses the password: it keeps the one of its first start, whatever the env file says now.",
        "Put the old password back into the env file (inv env.push), or change it inside the database.",
    ),
    (
        r"could not translate host name|Name or service not known|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)"
        r"|[Tt]emporary failure in name resolution",
        "The backend does not find a host by its name, most probably that of its database.",
        "The name has to be that of the service in the compose file; check DATABASE_URL in the env file.",
    ),
    (
        r"could not connect to server|connection to server at .* failed|Can't connect to MySQL|ECONNREFUSED"
        r"|Connection refused",
        "The backend does not reach its database, or another service that it needs.",
        "Check that the service runs (`inv status`) and that DATABASE_URL in the env file names it and its port.",
    ),
    (
        r'relation "[^"]*" does not exist|no such table|Table \'[^\']*\' doesn\'t exist|UndefinedTable',
        "A table is missing in the database: migrations did not run, or not in their order.",
        "Set `migrate` in [backend], for example ['alembic', 'upgrade', 'head'], and ship again.",
    ),
    (
        r"ModuleNotFoundError|No module named|Cannot find (?:module|package)|ImportError",
        "A module that the backend imports is not there.",
        "Add it to the requirements (or package.json) that are installed for the backend, and ship again.",
    ),
    (
        r"ValidationError[\s\S]*Field required|KeyError: '[A-Z][A-Z0-9_]+'|ImproperlyConfigured"
        r"|environment variable .{0,40}(?:not set|missing|required)|Missing required environment"
        r"|Could not resolve placeholder",
        "A variable that the backend needs is not set.",
        "Add it to the env file, then: inv env.push   and ship again.",
    ),
    (
        r"executable file not found|no such file or directory: unknown|exec .*: no such file or directory",
        "The container's command is not in the image, or is a script whose first line ends with a carriage return.",
        "Correct CMD or ENTRYPOINT in the Dockerfile; a script needs LF line ends.",
    ),
    (
        r"No such image|pull access denied|manifest unknown",
        "An image that a service needs is not on the server and cannot be fetched.",
        "Correct the service's `image`, or log the server in where it is kept.",
    ),
    (
        r"[Nn]o space left on device|ENOSPC",
        "The disk of the server is full.",
        "Make room: inv host.clean",
    ),
    (
        r"[Pp]ermission denied|EACCES|PermissionError",
        "The backend may not read or write something that it needs.",
        "Its last lines name it; data belongs into a volume, or under /srv/<app>/shared/data.",
    ),
)
_PORT = re.compile(r"(?::|port |', )([0-9]{2,5})\b")


def known_cause(text: str) -> Optional[tuple[str, str]]:
    """Return what lines of a backend's output mean and what to do, None when they say nothing that is known."""
    for pattern, what, fix in _CAUSES:
        if re.search(pattern, text):
            return what + _holder(text, pattern), fix
    return None


def _holder(text: str, pattern: str) -> str:
    """Name who holds the port that the lines are about."""
    if "already" not in pattern:
        return ""
    wanted = {int(number) for number in _PORT.findall(text)}
    holders = [entry for entry in ports.listening() if entry["port"] in wanted]
    return "".join(f" Port {entry['port']}: {entry['process']} ({entry['unit']})." for entry in holders[:1])
