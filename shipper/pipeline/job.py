"""One piece of work: a project, the target it is for, and who wants it."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipper.config.project import Workspace
from shipper.config.target import Target

if TYPE_CHECKING:
    from shipper.host.kept import KeptHosts


@dataclass(frozen=True)
class Job:
    """A project on this machine, the target it goes to, and how long to wait (seconds) when somebody else is at it.

    `server` is the name of the one server that is meant where the target has several (`each`). `allow_dirty` is whether
    changes that are in no commit may be shipped, `unattended` that nobody looks at the plan first. `hosts` keeps
    connections for more jobs to come.
    """

    workspace: Workspace
    target_name: str
    target: Target
    lock_wait: float = 0.0
    server: str = ""
    allow_dirty: bool = False
    unattended: bool = False
    hosts: KeptHosts | None = field(default=None, compare=False, repr=False)

    @property
    def app(self) -> str:
        """The app's name on the server."""
        return self.workspace.project.name

    @property
    def api_url(self) -> str:
        """The one value for the API's URL that is baked into the frontend (field note B2)."""
        frontend = self.workspace.project.frontend
        path = frontend.api_path if frontend else None
        return self.target.api_url or self.target.public_url + (path or "")

    @property
    def in_containers(self) -> bool:
        """Whether the backend runs under Compose."""
        backend = self.workspace.project.backend
        return backend is not None and backend.runtime == "compose"

    @property
    def each(self) -> tuple[Job, ...]:
        """The same work for each server of the target, in their order."""
        targets = self.target.each
        if len(targets) == 1:
            return (self,)
        hosts = [target.host for target in targets]
        names = [
            host if hosts.count(host) == 1 else f"{host}:{target.port}"
            for host, target in zip(hosts, targets, strict=True)
        ]
        return tuple(replace(self, target=target, server=name) for target, name in zip(targets, names, strict=True))

    @property
    def change(self) -> dict[str, Any]:
        """What every request that changes something begins with: the app, who wants it, how long they wait."""
        author = _git_author(self.workspace.root)
        return {"app": self.app, "holder": {"who": who(), "author": author, "run": _run_url()}, "wait": self.lock_wait}


def who() -> str:
    """Return who is at work, as `user@machine`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container without a user's name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


@cache
def _git_author(root: Path) -> str:
    """Return the author that git would write into a commit here, "" without git or a name."""
    argv = ["git", "-C", str(root), "config", "--get-regexp", "^user\\.(name|email)$"]
    try:
        done = subprocess.run(argv, capture_output=True, encoding="utf-8", errors="replace", timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    values = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    email = f" <{values['user.email']}>" if values.get("user.email") else ""
    return f"{values.get('user.name', '')}{email}".strip()


def _run_url() -> str:
    """Return the address of the CI run this is, "" outside of CI: GitHub, GitLab, CircleCI, Jenkins."""
    known = os.environ.get
    if known("GITHUB_RUN_ID"):
        return f"{known('GITHUB_SERVER_URL')}/{known('GITHUB_REPOSITORY')}/actions/runs/{known('GITHUB_RUN_ID')}"
    return known("CI_JOB_URL") or known("CIRCLE_BUILD_URL") or known("BUILD_URL") or ""
