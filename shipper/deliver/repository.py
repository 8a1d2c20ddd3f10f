"""A repository for images in a registry that others run: Amazon's ECR, Docker Hub, or any other.

Its login is asked for anew before every use: a token may run out in the middle of a long push.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shipper.config.backend import Image
from shipper.deliver.image import push
from shipper.errors import BuildError, ConfigError
from shipper.events import Emit, Event
from shipper.limit import Limit

Login = Mapping[str, str]
STEP = "image.push"
_TRIES = 3
# What registries say when a token ran out or was never good; ECR's own words are the last ones.
_REFUSED = re.compile(r"unauthori[sz]ed|no basic auth credentials|token has expired|authentication required", re.I)


@dataclass(frozen=True)
class Repository:
    """Where images go: its full `name` such as "registry.example.com/team/music", and how to get a login for it.

    `fix` says what to type when the registry does not accept the login.
    """

    name: str
    login: Callable[[], Login]
    fix: str

    def push(self, client: Any, image: str, tag: str, emit: Emit, limit: Limit) -> str:
        """Push the image with this id under a tag; return the digest of its manifest. Raises BuildError, and HostError
        when it takes longer than the limit.
        """
        client.api.tag(image, self.name, tag)
        try:
            return self._push(client, tag, emit, limit)
        finally:
            client.api.remove_image(f"{self.name}:{tag}", noprune=True)

    def _push(self, client: Any, tag: str, emit: Emit, limit: Limit) -> str:
        for left in reversed(range(_TRIES)):
            try:
                return push(client, self.name, tag, self.login(), emit, limit)
            except BuildError as error:
                if not _REFUSED.search(error.why):
                    raise self._explained(error, tag) from error
                if not left:
                    raise BuildError(f"{self.name} does not accept the login.", why=error.why, fix=self.fix) from error
                emit(Event("note", STEP, "The registry does not accept the login any more; a new one is used."))
        raise AssertionError("unreachable")

    def _explained(self, error: BuildError, tag: str) -> BuildError:
        why = error.why.lower()
        if "immutable" in why or "already exists" in why:
            fix = f"The tag {tag} is taken there and cannot be overwritten. Ship again: a new release has a new tag."
        elif "denied" in why:
            fix = self.fix
        elif "not exist" in why or "not found" in why or "name unknown" in why:
            fix = "Make the repository there first, or correct `repository` in [backend.image]."
        else:
            fix = "Ship again: the layers that arrived are not sent a second time."
        return BuildError(f"The image could not be pushed to {self.name}.", why=error.why, fix=fix)


def find_repository(image: Image) -> Repository:
    """Return the repository that ship.toml names, after a look whether it can be used.

    Raises ConfigError when it cannot, with the next command to type.
    """
    if image.delivery == "ecr":
        from shipper.deliver.amazon import find_ecr_repository

        return find_ecr_repository(image)
    from docker.auth import load_config, resolve_repository_name
    from docker.errors import DockerException

    name = image.repository or ""
    try:
        host, _ = resolve_repository_name(name)
    except DockerException as error:
        raise ConfigError(f"`repository` = {name!r} is not the name of a repository.", why=str(error)) from None

    def login() -> Login:
        """Return what `docker login` has kept on this machine, credential helpers included; nothing for nobody."""
        try:
            known: Mapping[str, str] = load_config().resolve_authconfig(host) or {}
        except DockerException as error:
            raise ConfigError(
                f"The login for {host} could not be read.", why=str(error), fix=f"docker login {_typed(host)}"
            ) from None
        return {key.lower(): value for key, value in known.items() if value}

    return Repository(name, login, f"Log in: docker login {_typed(host)}")


def _typed(host: str) -> str:
    # Docker Hub is the one that `docker login` means without a name.
    return "" if host == "docker.io" else host
