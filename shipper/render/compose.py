"""From the project's compose file to two that run on the server: one for each release, and one for what outlives them.

The project's own file is never edited. Its variables stay as they are written: on the server they come from the one
env file, which systemd reads for Compose (field note E1), so no value of it is in any file that is made here.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shipper.build.compose_file import ComposeFile, Service
from shipper.config.backend import Backend

# Images whose data outlives a release; the last part of the name, without a tag.
_STATEFUL_IMAGES = frozenset(
    "postgres postgis pgvector timescaledb mysql mariadb mongo redis valkey keydb rabbitmq memcached minio "
    "elasticsearch opensearch clickhouse-server nats kafka zookeeper etcd cassandra influxdb meilisearch qdrant".split()
)
# Without a limit the log of a container fills the disk in some months (field note H3).
_LOGGING = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
# Chosen by the agent for each slot (shipper.agent.slot).
_PORT = "${SHIPPER_PORT}"
# What stands between the colons of a short port; one inside of a variable or an IPv6 address is none.
_PORT_PART = re.compile(r"(?:\$\{[^}]*\}|\[[^\]]*\]|[^:])+")


@dataclass(frozen=True)
class ComposeProjects:
    """The texts of the two files: `release` for each slot, `stateful` for what stays, "" when nothing does.

    `services` are all that run, `lasting` those of them that stay, `left_out` those that do not run. `volumes` and
    `networks` are the names on the server that both files use.
    """

    release: str
    stateful: str
    services: tuple[str, ...]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]
    left_out: tuple[str, ...]
    lasting: tuple[str, ...]


def compose_projects(
    app: str, backend: Backend, file: ComposeFile, image: str, variables: Iterable[str]
) -> ComposeProjects:
    """Return what the server runs. `image` is the new image's name there, `variables` the names in its env file."""
    assert backend.service is not None
    stateful = _stateful(backend, file)
    released = (backend.service, *backend.beside)
    left_out = tuple(sorted(set(file.services) - set(released) - set(stateful)))
    volumes = {name: str(entry.get("name") or f"{app}_{name}") for name, entry in _tables(file.volumes)}
    networks = {name: str(entry.get("name") or f"{app}_{name}") for name, entry in _tables(file.networks)}
    networks = networks or {"default": f"{app}_default"}
    shared = {
        "volumes": {name: {"name": real, "external": True} for name, real in volumes.items()},
        "networks": {name: {"name": real, "external": True} for name, real in networks.items()},
    }
    names = sorted(variables)
    release = {name: _released(file.services[name], name, backend, image, names, released) for name in released}
    lasting = {name: _lasting(file.services[name], names, stateful) for name in stateful}
    return ComposeProjects(
        release=_text({"services": release, **shared}),
        stateful=_text({"services": lasting, **shared}) if lasting else "",
        services=(*released, *stateful),
        volumes=tuple(sorted(volumes.values())),
        networks=tuple(sorted(networks.values())),
        left_out=left_out,
        lasting=stateful,
    )


def _tables(tables: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((name, entry or {}) for name, entry in tables.items())


def _stateful(backend: Backend, file: ComposeFile) -> tuple[str, ...]:
    """Return the services that outlive releases: those ship.toml names, else databases and what keeps a volume."""
    if backend.stateful is not None:
        return backend.stateful
    released = {backend.service, *backend.beside}
    others = {name: service for name, service in file.services.items() if name not in released}
    return tuple(sorted(name for name, service in others.items() if _keeps_data(service)))


def _keeps_data(service: Service) -> bool:
    if "build" in service:
        return False
    image = str(service.get("image") or "").rpartition("/")[2].partition(":")[0].partition("@")[0]
    return image in _STATEFUL_IMAGES or any(entry.get("type") == "volume" for entry in service.get("volumes") or ())


def _released(
    service: Service, name: str, backend: Backend, image: str, names: list[str], together: tuple[str, ...]
) -> Service:
    made = _common(service, names, together)
    made["image"] = image
    for key in ("build", "container_name", "ports", "pull_policy"):
        made.pop(key, None)
    if name == backend.service:
        made["ports"] = [_port({"target": backend.port, "published": _PORT})]
    # The unit starts it again and counts: Docker would do it behind systemd's back, and after a reboot, too.
    made["restart"] = "no"
    # The image holds the code; a folder of a developer's machine in its place is not on the server.
    made["volumes"] = [entry for entry in made.get("volumes") or () if entry.get("type") != "bind"]
    return made


def _lasting(service: Service, names: list[str], together: tuple[str, ...]) -> Service:
    made = _common(service, names, together)
    # Docker's published ports go around a firewall of the server: only the server itself may use them.
    made["ports"] = [_port(entry) for entry in made.get("ports") or ()]
    made.setdefault("restart", "unless-stopped")
    return made


def _port(entry: Mapping[str, Any] | str) -> str:
    """Return a port of the loopback interface in the short form: the long one of the first Compose has no address."""
    if isinstance(entry, str):  # with a variable in one of them, Compose leaves all ports as they are written
        *before, target = _PORT_PART.findall(entry)
        return f"127.0.0.1:{before[-1] if before else ''}:{target}" + ("" if "/" in target else "/tcp")
    return f"127.0.0.1:{entry.get('published') or ''}:{entry['target']}/{entry.get('protocol') or 'tcp'}"


def _common(service: Service, names: list[str], together: tuple[str, ...]) -> Service:
    made = copy.deepcopy(service)
    wanted = made.get("depends_on") or {}
    made["depends_on"] = {name: _dependency(how) for name, how in wanted.items() if name in together}
    if made.pop("env_file", None):
        # A name without a value is taken from the environment of Compose: nobody parses the file a second time.
        own = _environment(made)
        made["environment"] = {**{name: None for name in names if name not in own}, **own}
    made.setdefault("logging", _LOGGING)
    return made


def _dependency(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a service is waited for, without the default that the first Compose does not know."""
    return {key: value for key, value in how.items() if (key, value) != ("required", True)}


def _environment(service: Service) -> dict[str, str | None]:
    said = service.get("environment") or {}
    if isinstance(said, list):
        return {name: value if sign else None for name, sign, value in (entry.partition("=") for entry in said)}
    return dict(said)


def _text(model: dict[str, Any]) -> str:
    """Return a model as JSON, which is YAML as well."""
    return json.dumps(model, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
