"""All that was found in a repository, in one go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shipper.detect.backends import FoundBackend, find_backends
from shipper.detect.compose import ComposeProject, find_compose
from shipper.detect.containers import find_containers
from shipper.detect.found import Problem, is_below
from shipper.detect.frontends import FoundFrontend, find_frontends, find_pageless
from shipper.detect.packages import read_packages
from shipper.detect.repository import Repository, read_repository
from shipper.detect.servers import ServerFiles, read_server_files


@dataclass(frozen=True)
class Survey:
    """What a repository holds. `pageless` are packages that are built like a site, and have no page."""

    repository: Repository
    frontends: tuple[FoundFrontend, ...]
    backends: tuple[FoundBackend, ...]
    compose: ComposeProject | None
    servers: ServerFiles
    problems: tuple[Problem, ...]
    pageless: tuple[Problem, ...] = ()


def survey(root: Path) -> Survey:
    """Look at everything in a folder that may matter. Nothing is run; what cannot be read is among the problems."""
    repository = read_repository(root)
    packages, problems = read_packages(repository)
    frontends = find_frontends(repository, packages)
    backends = find_backends(repository, packages, [one.path for one in frontends])
    frontends = [one for one in frontends if not _belongs_to_a_backend(one, backends)]
    compose = find_compose(repository)
    known = [*(one.path for one in frontends), *(one.path for one in backends)]
    backends += find_containers(repository, compose, known)
    pageless = find_pageless(repository, packages, [one.path for one in backends])
    if not repository.complete:
        problems.append(Problem(".", "has more than 100,000 files; only the first were looked at"))
    return Survey(
        repository,
        tuple(frontends),
        tuple(backends),
        compose,
        read_server_files(repository),
        (*problems, *(compose.problems if compose else ())),
        tuple(pageless),
    )


def _belongs_to_a_backend(frontend: FoundFrontend, backends: list[FoundBackend]) -> bool:
    """Say whether plain pages are a backend's own: in its folder, or among its modules."""
    if frontend.preset != "static":
        return False
    own = ("static", "templates", "public", "assets")
    last = frontend.path.rpartition("/")[2]
    return any(
        is_below(frontend.path, one.path) and (one.path != "." or last in own or frontend.path == ".")
        for one in backends
    )
