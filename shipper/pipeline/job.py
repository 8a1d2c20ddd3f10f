"""One piece of work: a project, the target it is for, and who wants it."""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass

from shipper.config.project import Target, Workspace


@dataclass(frozen=True)
class Job:
    """A project on this machine and the target it goes to."""

    workspace: Workspace
    target_name: str
    target: Target

    @property
    def app(self) -> str:
        """The app's name on the server."""
        return self.workspace.project.name


def who() -> str:
    """Return who is at work, as `user@machine`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container without a user's name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
