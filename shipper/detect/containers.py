"""Backends that no source tells of, whatever they are written in: services of the compose file, and Dockerfiles."""

from __future__ import annotations

from collections.abc import Sequence

from shipper.detect.backends import FoundBackend
from shipper.detect.compose import ComposeProject
from shipper.detect.found import folder_of, is_below
from shipper.detect.repository import Repository

KIND = "container"


def find_containers(repository: Repository, compose: ComposeProject | None, taken: Sequence[str]) -> list[FoundBackend]:
    """Return the services that are built here and published; where there is nothing else at all, the Dockerfiles.

    `taken` are the folders of all frontends and backends that are known already: what is built from one of these, or
    from a folder around it, is no other backend.
    """
    found: dict[str, FoundBackend] = {}
    for service in compose.services if compose else ():
        known = any(is_below(service.context, one) or is_below(one, service.context) for one in taken)
        if service.published and not known:
            found.setdefault(service.context, FoundBackend(service.context, KIND, "Dockerfile", service.where))
    if found or taken:
        return list(found.values())
    paths = repository.named("Dockerfile")
    return [FoundBackend(folder_of(path), KIND, "Dockerfile", path) for path in paths]
