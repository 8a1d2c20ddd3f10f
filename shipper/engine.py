"""The connection to the Docker engine, and what is wrong when there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shipper.errors import HostError

# A stop waits for the server's orderly halt, and a build step for its download.
_SECONDS_PER_REQUEST = 300


@contextmanager
def connect() -> Iterator[Any]:
    """Give a client of the Docker engine that `docker` on the command line uses too.

    Raises HostError when the engine is not running or may not be used. What the engine refuses while the block runs
    becomes a HostError as well, with the engine's own words.
    """
    import docker
    import requests
    from docker.context import ContextAPI

    try:
        if "DOCKER_HOST" in os.environ:
            client = docker.from_env(timeout=_SECONDS_PER_REQUEST)
        else:
            # Docker Desktop and rootless engines listen elsewhere; only the current context knows where.
            context = ContextAPI.get_current_context()
            client = docker.DockerClient(
                base_url=context.Host, tls=context.TLSConfig or False, timeout=_SECONDS_PER_REQUEST
            )
    except (docker.errors.DockerException, OSError) as error:
        raise _unreachable(str(error)) from error
    try:
        yield client
    except docker.errors.DockerException as error:  # before the exceptions of requests, of which some are ones, too
        raise HostError(
            "The Docker engine refused a request.",
            why=getattr(error, "explanation", None) or str(error),
            fix="Look at: docker ps --all   and repeat the command.",
        ) from error
    except requests.exceptions.RequestException as error:
        raise _unreachable(str(error)) from error
    finally:
        client.close()


def _unreachable(reason: str) -> HostError:
    if "PermissionError" in reason or "Permission denied" in reason:
        return HostError(
            "The Docker engine runs, but this user may not use it.",
            why=reason,
            fix="Type: sudo usermod -aG docker $USER   then log out and in again.",
        )
    if sys.platform == "linux":
        fix = "Type: sudo systemctl start docker   (in shipper's own repository: make engine)"
    else:
        fix = "Start Docker Desktop, wait until it says that it is running, and repeat."
    return HostError("The Docker engine is not running.", why=reason, fix=fix)
