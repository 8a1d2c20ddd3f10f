"""Chooses what a project consists of among all that was found: one frontend, one backend, how it runs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urlsplit

from shipper.build.dotenv_files import read_assignments
from shipper.config.load import FILE_NAME
from shipper.detect.backends import FoundBackend
from shipper.detect.compose import ComposeProject, Service, dockerfile_of
from shipper.detect.conflicts import find_conflicts, prefixes_of, usable_health
from shipper.detect.containers import KIND as CONTAINER
from shipper.detect.found import Found, Problem, join
from shipper.detect.frontends import FoundFrontend
from shipper.detect.repository import Repository
from shipper.detect.servers import ServerFiles
from shipper.detect.survey import Survey
from shipper.detect.variables import Variables, find_variables
from shipper.errors import ConfigError

NONE = "none"
_ONLY_CONTAINERS = ("node", CONTAINER)
# Sites about a project rather than the project: only taken when there is nothing else.
_ABOUT = frozenset({"MkDocs", "Docusaurus", "VitePress", "Jekyll"})
_SAMPLE = """\
services:
  {name}:
    build: {context}
    ports: ["{port}:{port}"]"""
_One = TypeVar("_One", FoundFrontend, FoundBackend)


@dataclass(frozen=True)
class Wishes:
    """What the user said; "" for what they did not. `frontend` and `backend` are folders, or "none"."""

    name: str = ""
    host: str = ""
    user: str = ""
    key: str = ""
    domain: str = ""
    frontend: str = ""
    backend: str = ""
    runtime: str = ""


@dataclass(frozen=True)
class Proposal:
    """What `ship.toml` is written from."""

    name: str
    frontend: FoundFrontend | None
    backend: FoundBackend | None
    runtime: str
    service: Service | None
    compose: ComposeProject | None
    servers: ServerFiles
    wishes: Wishes
    variables: Variables = field(default_factory=Variables)
    prefixes: tuple[Found, ...] = ()
    health: Found | None = None
    api_path: Found | None = None
    problems: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()


def likely_frontends(found: Survey) -> list[FoundFrontend]:
    """Return the frontends that could be meant: those of the best rank, without sites about the project."""
    usual = [one for one in found.frontends if not (found.backends and one.what in _ABOUT)]
    best = min((one.rank for one in usual), default=0)
    return [one for one in usual if one.rank == best]


def likely_backends(found: Survey) -> list[FoundBackend]:
    """Return the backends that could be meant: Python before Node (a frontend's own little server), then any others."""
    for kinds in (("django", "asgi", "wsgi"), ("node",)):
        if likely := [one for one in found.backends if one.kind in kinds]:
            return likely
    return list(found.backends)


def propose(found: Survey, wishes: Wishes) -> Proposal:
    """Choose what the project consists of. Raises ConfigError when that is open, and when there is nothing to ship."""
    frontend = _chosen("frontend", wishes.frontend, found.frontends, likely_frontends(found))
    backend = _chosen("backend", wishes.backend, found.backends, likely_backends(found))
    problems = list(found.problems)
    runtime, service = ("", None) if backend is None else _runtime(found, backend, wishes)
    unserved = backend if runtime == "compose" and service is None else None
    if unserved:
        problems.append(_no_service(found, unserved, frontend))
        backend, runtime = None, ""
    if frontend is None and wishes.frontend != NONE:
        problems += found.pageless
    if frontend is None and backend is None:
        raise _nothing(found, problems, unserved)
    if runtime == "compose" and found.compose:
        problems += found.compose.local_folders
    proposal = Proposal(
        name=wishes.name or app_name(found.repository.root.resolve().name),
        frontend=frontend,
        backend=backend,
        runtime=runtime,
        service=service,
        compose=found.compose if runtime == "compose" else None,
        servers=found.servers,
        wishes=wishes,
        api_path=_api_path(found.repository, frontend) if frontend else None,
        left_out=_left_out(found, frontend, backend),
    )
    if frontend:
        problems += frontend.problems
    if backend:
        variables = _variables(found, backend, frontend, service)
        problems += (*(() if service else backend.problems), *variables.problems)
        prefixes = prefixes_of(backend, frontend, found.servers)
        health = usable_health(found.repository, backend, prefixes, frontend)
        proposal = replace(proposal, variables=variables, prefixes=prefixes, health=health)
    problems += find_conflicts(found.repository, proposal.frontend, proposal.backend, proposal.prefixes, runtime)
    return replace(proposal, problems=tuple(problems))


def app_name(text: str) -> str:
    """Return a name for the app made of any text: lower-case letters, digits and dashes, beginning with a letter."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    name = re.sub(r"^[0-9-]+", "", name)[:31].strip("-")
    return name or "app"


def _chosen(what: str, wish: str, found: Sequence[_One], likely: Sequence[_One]) -> _One | None:
    """Return the one of `found` that was wished for by its folder, else the only likely one. Raises ConfigError."""
    if wish == NONE:
        return None
    if wish:
        wanted = wish.replace("\\", "/").removeprefix("./").rstrip("/") or "."
        return _named(wanted, found, what)
    if len(likely) > 1:
        raise _open(what, [(one.path, one.what) for one in likely])
    return likely[0] if likely else None


def _named(path: str, found: Sequence[_One], what: str) -> _One:
    for one in found:
        if one.path == path:
            return one
    known = ", ".join(f"{one.path} ({one.what})" for one in found)
    raise ConfigError(
        f"No {what} was found in {path}.",
        why=f"Found: {known or 'none'}.",
        fix=f"Use one of these, or: --{what} none"
        if found
        else f"Without --{what}, the rest is written; add the table by hand (docs/ship-toml.md).",
    )


def _open(what: str, found: list[tuple[str, str]]) -> ConfigError:
    listed = "\n".join(f"{path}  ({kind})" for path, kind in found)
    return ConfigError(
        f"Which {what}? There are {len(found)}, and a {FILE_NAME} has one.",
        why=listed,
        fix=f"Name it: --{what} {found[0][0]}\n"
        f"For the other one, do the same in its own folder, or leave it out: --{what} none",
    )


def _runtime(found: Survey, backend: FoundBackend, wishes: Wishes) -> tuple[str, Service | None]:
    """Return "systemd" or "compose", and the service: what the team's own files run it with, or what was wished."""
    service = found.compose.service_for(backend.path) if found.compose else None
    has_unit = any(path.endswith(".service") for path in found.servers.files)
    if wishes.runtime == "systemd" and backend.kind in _ONLY_CONTAINERS:
        raise ConfigError(
            f"A {'Node backend' if backend.kind == 'node' else 'Dockerfile'} does not run under systemd here.",
            why="Dependencies of Python are unpacked on this machine; those of others are not.",
            fix="Run it in a container: --runtime compose",
        )
    if wishes.runtime:
        return wishes.runtime, service if wishes.runtime == "compose" else None
    if backend.kind in _ONLY_CONTAINERS or (service and not has_unit):
        return "compose", service
    return "systemd", None


def _no_service(found: Survey, backend: FoundBackend, frontend: FoundFrontend | None) -> Problem:
    docker = dockerfile_of(found.repository, backend.path)
    name, port = backend.path.rpartition("/")[2].strip(".") or "api", docker.value if docker else ""
    sample = _SAMPLE.format(name=name, context=backend.path, port=port or 3000)
    needs = "" if docker else f"Write {join(backend.path, 'Dockerfile')}. "
    file = found.compose.path if found.compose else "compose.yaml"
    start = f"{needs}Then write this into {file}" if needs else f"Write this into {file}"
    runs = "what it builds" if backend.kind == CONTAINER else backend.what
    built = "this folder" if backend.path == "." else f"{backend.path}/"
    what = f"{runs} runs in a container, and no service of a compose file is built from {built}"
    again = " --frontend " + frontend.path if frontend and len(likely_frontends(found)) > 1 else ""
    return Problem(backend.where, what, f"{start}, and type shipper init{again} again:\n\n{sample}")


def _place_of(backend: FoundBackend) -> str:
    return " here" if backend.path == "." else f" in {backend.path}/"


def _nothing(found: Survey, problems: list[Problem], unserved: FoundBackend | None) -> ConfigError:
    reasons = [f"{one.where}  {one.what}" for one in problems]
    fixes = [one.fix for one in problems if one.fix]
    count = len(found.repository.files)
    looked = f"Looked at {count} file{'s' if count != 1 else ''} of {found.repository.root}."
    return ConfigError(
        f"{unserved.what} was found{_place_of(unserved)}, but not how it is run."
        if unserved
        else "Nothing was found here that can be shipped.",
        why="\n".join([looked, *reasons]),
        fix=fixes[0]
        if fixes
        else "Go to your project's folder. Known are Next, Vite, Create React App, Astro, other generators and plain "
        "pages; Django, FastAPI and Flask; and anything in a compose file.",
    )


def _variables(
    found: Survey, backend: FoundBackend, frontend: FoundFrontend | None, service: Service | None
) -> Variables:
    variables = find_variables(found.repository, backend.path, frontend.path if frontend else "")
    if service is None or found.compose is None:
        return variables
    # What the compose file gives a service need not be in the env file; what it takes from there has to be.
    own = [one for one in variables.required if one.value not in service.environment]
    asked = {one.value: one for one in (*found.compose.variables, *own)}
    named = tuple(one for one in variables.named if one.value not in asked)
    return replace(variables, required=tuple(asked.values()), named=named)


def _api_path(repository: Repository, frontend: FoundFrontend) -> Found | None:
    """Return the path at the end of the API's URL that developers use: the source expects the same of every other."""
    if frontend.api_variable is None:
        return None
    folder = repository.root / frontend.path
    for name in (".env.example", ".env.sample", ".env.production", ".env.development", ".env", ".env.local"):
        for one in read_assignments(folder / name):
            if one.name == frontend.api_variable.value:
                path = urlsplit(one.value).path.rstrip("/") if "://" in one.value else one.value.rstrip("/")
                if re.fullmatch(r"(?:/[A-Za-z0-9._~-]+)+", path):
                    return Found(path, f"{join(frontend.path, name)}:{one.line}")
                return None
    return None


def _left_out(found: Survey, frontend: FoundFrontend | None, backend: FoundBackend | None) -> tuple[str, ...]:
    fronts = [f"{one.path} ({one.what})" for one in found.frontends if one != frontend]
    if frontend:  # else they are among the problems
        fronts += [f"{one.where}  {one.what}" for one in found.pageless]
    return (*fronts, *(f"{one.path} ({one.what})" for one in found.backends if one != backend))
