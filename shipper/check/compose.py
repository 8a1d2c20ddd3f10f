"""Rules about a compose file and the one env file (field notes E1 and E2)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from shipper.build.compose_file import ComposeFile, Service
from shipper.findings import Finding

# ${NAME}, $NAME, and ${NAME:-default} with its relatives; `$$` is a dollar sign.
_REFERENCE = re.compile(r"(?<!\$)(?:\$\$)*\$(?:\{(?P<name>[A-Za-z_]\w*)(?P<rest>[^}]*)\}|(?P<bare>[A-Za-z_]\w*))")


def check_compose(
    file: ComposeFile,
    wanted: Collection[str],
    variables: Collection[str],
    target_name: str,
    lasting: Collection[str] = (),
) -> list[Finding]:
    """Return what is wrong between the `wanted` services of a file and the server: the names in its env file, and what
    is only on this machine. `lasting` are those that outlive releases.
    """
    services = {name: file.services[name] for name in wanted}
    findings = [
        *_local_folders(file, {name: services[name] for name in lasting}),
        *_local_files(file, services),
        *_unread_volumes(file, services),
        *_places(file, services),
    ]
    for name in sorted(set(_references(services)) - set(variables)):
        findings.append(
            _error(
                file,
                "compose.unknown-variable",
                message=f"${{{name}}} is used, but the server's environment has no {name}.",
                why="Compose would put nothing in its place, and only say so in a log.",
                fix=f"Add {name} to the env file, then: inv env.push --to {target_name}",
            )
        )
    for service, definition in services.items():
        for name in sorted(_hiding(definition) & set(variables)):
            findings.append(
                Finding(
                    rule="compose.hidden-variable",
                    severity="warning",
                    message=f"{service}: {name} under `environment` hides the one of the env file.",
                    why="What is changed in the env file has no effect.",
                    fix=f"Remove {name} from `environment`, or from the env file.",
                    path=file.path.name,
                )
            )
    return findings


def _error(file: ComposeFile, rule: str, *, message: str, why: str, fix: str) -> Finding:
    return Finding(rule, "error", message, why, fix, file.path.name)


def _local_folders(file: ComposeFile, services: Mapping[str, Service]) -> Iterator[Finding]:
    """Yield what a lasting service would look for in the project's folder, which is not on the server.

    Docker makes an empty folder in its place: a database begins anew, and once more for whoever ships from elsewhere.
    """
    root = file.path.parent.resolve()
    for service, definition in services.items():
        for entry in definition.get("volumes") or ():
            if entry.get("type") == "bind" and Path(str(entry.get("source"))).is_relative_to(root):
                yield _error(
                    file,
                    "compose.local-folder",
                    message=f"{service}: {entry['source']} is on this machine only, for {entry['target']}.",
                    why="On the server Docker would mount a new, empty folder there: data would seem to be lost.",
                    fix=f"Mount a named volume at {entry['target']}; what is only read belongs in an image of its own.",
                )


def _unread_volumes(file: ComposeFile, services: Mapping[str, Service]) -> Iterator[Finding]:
    """Yield the volumes that Compose itself splits wrongly when variables are left as they are written."""
    for service, definition in services.items():
        for entry in definition.get("volumes") or ():
            if "$" in f"{entry.get('source')}{entry.get('target')}":
                yield _error(
                    file,
                    "compose.variable-volume",
                    message=f"{service}: a volume has a variable in it ({entry.get('source')}).",
                    why="Variables belong to the server, so what would be mounted is not known here.",
                    fix="Write the volume's name, or the folder, as it is.",
                )


def _local_files(file: ComposeFile, services: Mapping[str, Service]) -> Iterator[Finding]:
    for service, definition in services.items():
        for key in ("secrets", "configs"):
            if definition.get(key):
                yield _error(
                    file,
                    "compose.local-file",
                    message=f"{service}: `{key}` are files of this machine, which the server does not get.",
                    why="Compose would refuse to start the service there.",
                    fix=f"Remove `{key}` from the service; secrets are variables of the env file (inv env.push).",
                )


def _places(file: ComposeFile, services: Mapping[str, Service]) -> Iterator[Finding]:
    """Yield the volumes and networks that are more than a name: they are made on the server by their names alone."""
    volumes = {str(one.get("source")) for service in services.values() for one in service.get("volumes") or ()}
    networks = {name for service in services.values() for name in service.get("networks") or ()}
    for kind, usual, tables in (
        ("volume", "local", {name: one for name, one in file.volumes.items() if name in volumes}),
        ("network", "bridge", {name: one for name, one in file.networks.items() if name in networks}),
    ):
        for name, entry in tables.items():
            said = {key: value for key, value in (entry or {}).items() if value}
            special = sorted({"driver_opts", "internal", "ipam", "enable_ipv6"} & set(said))
            special += ["driver"] if said.get("driver", usual) not in (usual, "default") else []
            if special and not said.get("external"):
                yield _error(
                    file,
                    "compose.special-place",
                    message=f"The {kind} {name} has {', '.join(special)}, which shipper does not make.",
                    why=f"An ordinary {kind} of that name would be in its place.",
                    fix=f"Make it on the server (sudo docker {kind} create ...) and write `external: true` and its "
                    "`name` here.",
                )


def _references(services: Mapping[str, Service]) -> Iterator[str]:
    """Yield the names that must have a value: those without a default."""
    without_build = {name: {**service, "build": None} for name, service in services.items()}
    for match in _REFERENCE.finditer(json.dumps(without_build)):
        if match["bare"] or not re.match(r":?[-+]", match["rest"]):
            yield match["name"] or match["bare"]


def _hiding(service: Service) -> set[str]:
    if not service.get("env_file"):
        return set()
    said = service.get("environment") or {}
    pairs = (entry.partition("=")[::2] for entry in said) if isinstance(said, list) else said.items()
    return {name for name, value in pairs if value is not None and "$" not in str(value)}
