"""What a compose file runs: the service that answers visitors, its port, what belongs to it and what keeps data."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from shipper.detect.found import Found, Problem, folder_of, is_below, join, place, place_of
from shipper.detect.repository import Repository

# The order in which Compose looks; then those that teams name themselves.
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OTHER_NAMES = ("docker-compose.prod.yml", "docker-compose.production.yml", "compose.prod.yaml", "compose.prod.yml")
_FRONT = re.compile(r"front|client|web-?ui|^ui$|nginx|proxy|caddy|traefik")
_DATABASES = re.compile(r"(?:^|/)(?:postgres|postgis|mysql|mariadb|mongo|redis|valkey|elasticsearch|opensearch|minio)")
_PORT_IN_COMMAND = re.compile(r"--port[= \"',]+(\d{2,5})|:(\d{4,5})\b")
# https://docs.docker.com/reference/compose-file/interpolation/: `$$` is a dollar sign, `:-` and `-` begin a default.
_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\}|:?\?)")
_EXPOSE = re.compile(r"^\s*EXPOSE\s+(\d{2,5})", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Service:
    """A service that is built here: its name, the folder it is built from, its port inside (0 if unknown), its line.

    `environment` are the variables that the file itself gives it.
    """

    name: str
    context: str
    port: int
    where: str
    published: bool
    environment: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ComposeProject:
    """A compose file: the services built from this repository, those that keep data, and what is wrong with it.

    `variables` are those in it that have no default: `${NAME}` and `${NAME:?...}`; `local_folders` are what a database
    has of this machine.
    """

    path: str
    services: tuple[Service, ...] = ()
    stateful: tuple[str, ...] = ()
    variables: tuple[Found, ...] = ()
    problems: tuple[Problem, ...] = ()
    local_folders: tuple[Problem, ...] = ()

    @property
    def is_default(self) -> bool:
        """Whether Compose finds it by itself beside `ship.toml`."""
        return self.path in _NAMES

    def service_for(self, folder: str) -> Service | None:
        """Return the service that runs the backend in a folder: built from it, or from the whole, and published."""
        fitting = [one for one in self.services if one.context == folder]
        fitting = fitting or [one for one in self.services if is_below(folder, one.context)]
        return min(fitting, key=lambda one: (not one.published, not one.port), default=None)

    def beside(self, service: Service) -> tuple[str, ...]:
        """Return the services that are built from the same folder, such as a worker."""
        return tuple(
            one.name for one in self.services if one != service and one.context == service.context and not one.published
        )


def find_compose(repository: Repository) -> ComposeProject | None:
    """Return the compose file nearest to the top, None when there is none."""
    paths = [name for name in _NAMES if repository.has(name)] or repository.named(*_NAMES, *_OTHER_NAMES)
    return _read(repository, paths[0]) if paths else None


def _read(repository: Repository, path: str) -> ComposeProject:
    text = repository.text(path)
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        return ComposeProject(path, problems=(Problem(where, "is not valid YAML", f"Correct {path}."),))
    listed = content.get("services") if isinstance(content, dict) else None
    services, stateful, local = [], [], list[Problem]()
    for name, service in (listed if isinstance(listed, dict) else {}).items():
        if not isinstance(service, dict):
            continue
        where = _line_of(path, text, str(name))
        if "build" in service:
            context = _context(service["build"], folder_of(path))
            if context is not None and not _FRONT.search(str(name)):
                port = _port(service) or _exposed(repository, context, service["build"])
                services.append(
                    Service(str(name), context, port, where, bool(service.get("ports")), _environment(service))
                )
        elif _DATABASES.search(str(service.get("image", ""))) or service.get("volumes"):
            stateful.append(str(name))
            if _DATABASES.search(str(service.get("image", ""))):
                local += _local_folders(path, text, str(name), service)
    variables = tuple(_variables(path, text))
    return ComposeProject(path, tuple(services), tuple(stateful), variables, local_folders=tuple(local))


def _local_folders(path: str, text: str, name: str, service: dict[str, Any]) -> Iterator[Problem]:
    """Yield what a service mounts of the project's folder: the ship refuses it (shipper.check.compose).

    A source that begins with a dot is a folder, any other word a volume:
    https://docs.docker.com/reference/compose-file/services/#short-syntax-5
    """
    for entry in service.get("volumes") or ():
        if isinstance(entry, dict):
            source, target = str(entry.get("source", "")), str(entry.get("target", ""))
        else:
            source, _, target = str(entry).partition(":")
        target = target.partition(":")[0]
        if not source.startswith("."):
            continue
        what = f"{name}: {source} is on this machine only; on the server it would be a new, empty folder"
        fix = f'Write a named volume in its place, "{name}-data:{target}", and {name}-data: under volumes: at the end.'
        if posixpath.splitext(source)[1]:
            fix = f"What is only read at {target} belongs in an image of its own."
        yield Problem(place_of(path, text, source), what, fix)


def _variables(path: str, text: str) -> list[Found]:
    plain = re.sub(r"(?m)(?:^|\s)#.*$", lambda found: " " * len(found[0]), text)
    found: dict[str, Found] = {}
    for one in _VARIABLE.finditer(plain):
        found.setdefault(one["name"], Found(one["name"], place(path, plain, one.start())))
    return list(found.values())


def _environment(service: dict[str, Any]) -> frozenset[str]:
    """Return the names that `environment` sets; a name alone passes the env file's on."""
    listed = service.get("environment")
    if isinstance(listed, dict):
        return frozenset(str(name) for name, value in listed.items() if value is not None)
    return frozenset(str(one).split("=")[0] for one in listed or () if "=" in str(one))


def _line_of(path: str, text: str, name: str) -> str:
    found = re.search(rf"^\s+[\"']?{re.escape(name)}[\"']?\s*:", text, re.MULTILINE)
    return f"{path}:{text.count(chr(10), 0, found.end()) + 1}" if found else place_of(path, text, name)


def _context(build: Any, folder: str) -> str | None:
    context = build if isinstance(build, str) else build.get("context", ".") if isinstance(build, dict) else None
    if not isinstance(context, str) or "://" in context or "$" in context:
        return None
    inside = posixpath.normpath(posixpath.join(folder, context))
    return None if inside.startswith(("..", "/")) else inside


def _port(service: dict[str, Any]) -> int:
    """Return the port inside the container, of `ports`, `expose` or the command."""
    for published in service.get("ports") or ():
        last = published.get("target") if isinstance(published, dict) else str(published).split("/")[0].split(":")[-1]
        if str(last).isdigit():
            return int(str(last))
    for exposed in service.get("expose") or ():
        if str(exposed).split("/")[0].isdigit():
            return int(str(exposed).split("/")[0])
    command = service.get("command")
    found = _PORT_IN_COMMAND.search(" ".join(map(str, command)) if isinstance(command, list) else str(command or ""))
    return int(found[1] or found[2]) if found else 0


def _exposed(repository: Repository, context: str, build: Any) -> int:
    name = build.get("dockerfile", "Dockerfile") if isinstance(build, dict) else "Dockerfile"
    text = repository.text(join(context, str(name)))
    found = _EXPOSE.search(text)
    if found:
        return int(found[1])
    started = _PORT_IN_COMMAND.search(text)
    return int(started[1] or started[2]) if started else 0


def dockerfile_of(repository: Repository, folder: str) -> Found | None:
    """Return the Dockerfile of a folder, and the port that it names ("" for none)."""
    path = join(folder, "Dockerfile")
    if not repository.has(path):
        return None
    port = _exposed(repository, folder, "")
    return Found(str(port or ""), path)
