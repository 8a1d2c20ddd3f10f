"""What a remote is known to have already: its remote-tracking refs, as long as they are about the address pushed to."""

from __future__ import annotations

import re
from typing import NamedTuple

from shipper.check.hygiene.git import GitRepository

# One place has several addresses: by https, by ssh, in the form git@host:path, with and without .git (git-fetch(1),
# "Git URLs").
_SCP = re.compile(r"^(?:[^/@:]+@)?(?P<host>[^/:]{2,}):(?!//)(?P<path>.*)$")
_URL = re.compile(
    r"^(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@]*@)?(?P<host>[^/:]*)(?::(?P<port>\d+))?(?P<path>/.*)?$", re.IGNORECASE
)


def known_at_remote(repository: GitRepository, remote: str, url: str) -> tuple[list[str], list[str]]:
    """Return the objects that the remote-tracking refs of `remote` name, and notes.

    They tell of the address that is fetched from. A push to another one (remote.<name>.pushurl) cannot rely on them:
    a private place would vouch for what goes to a public one.
    """
    if not remote or remote == url:
        return [], []
    fetched = repository.git.ask("remote", "get-url", "--all", "--", remote).output.decode("utf-8", "surrogateescape")
    if not any(_is_same_place(url, line) for line in fetched.split("\n")):
        return [], [
            f"{remote} is fetched from another address than it is pushed to: all history was looked at that the "
            "refs of the push do not hold."
        ]
    prefix = f"refs/remotes/{remote}/"
    # A remote may be named like a branch folder of another one: "team" and "team/public".
    others = repository.git.run("remote").decode("utf-8", "surrogateescape").split("\n")
    nested = tuple(f"refs/remotes/{other}/" for other in others if other.startswith(f"{remote}/"))
    refs = repository.refs(prefix)
    return [ref.object_id for ref in refs if not (nested and ref.name.startswith(nested))], []


class _Address(NamedTuple):
    scheme: str
    port: str
    host: str
    path: str


def _is_same_place(one: str, other: str) -> bool:
    first, second = _address(one), _address(other)
    # Another scheme has another port by nature; with the same scheme another port is another server.
    return first[2:] == second[2:] and (first.scheme != second.scheme or first.port == second.port)


def _address(url: str) -> _Address:
    found = {"scheme": "file", "port": "", "host": "", "path": url}
    if matched := _URL.match(url):
        found = matched.groupdict("")
    elif matched := _SCP.match(url):
        found = {"scheme": "ssh", "port": "", **matched.groupdict("")}
    path = found["path"].rstrip("/").removesuffix(".git").rstrip("/")
    return _Address(found["scheme"].lower(), found["port"], found["host"].lower(), path.lstrip("/"))
