"""Rules about a compose file and the one env file (field notes E1 and E2)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping

from shipper.build.compose_file import ComposeFile, Service
from shipper.findings import Finding

# ${NAME}, $NAME, and ${NAME:-default} with its relatives; `$$` is a dollar sign.
_REFERENCE = re.compile(r"(?<!\$)(?:\$\$)*\$(?:\{(?P<name>[A-Za-z_]\w*)(?P<rest>[^}]*)\}|(?P<bare>[A-Za-z_]\w*))")


def check_compose(
    file: ComposeFile, wanted: Collection[str], variables: Collection[str], target_name: str
) -> list[Finding]:
    """Return what is wrong between the `wanted` services of a file and the names in the server's env file."""
    findings = []
    services = {name: file.services[name] for name in wanted}
    for name in sorted(set(_references(services)) - set(variables)):
        findings.append(
            Finding(
                rule="compose.unknown-variable",
                severity="error",
                message=f"${{{name}}} is used, but the server's environment has no {name}.",
                why="Compose would put nothing in its place, and only say so in a log (field note E1).",
                fix=f"Add {name} to the env file, then: inv env.push --to {target_name}",
                path=file.path.name,
            )
        )
    for service, definition in services.items():
        for name in sorted(_hiding(definition) & set(variables)):
            findings.append(
                Finding(
                    rule="compose.hidden-variable",
                    severity="warning",
                    message=f"{service}: {name} under `environment` hides the one of the env file.",
                    why="What is changed in the env file has no effect (field note E2).",
                    fix=f"Remove {name} from `environment`, or from the env file.",
                    path=file.path.name,
                )
            )
    return findings


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
