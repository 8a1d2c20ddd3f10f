"""What was built here and goes into a release: the site, and the backend with all that runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipper.config.backend import Backend
from shipper.deliver.manifest import Tree
from shipper.findings import Finding

if TYPE_CHECKING:
    from shipper.pipeline.images import Parcel


@dataclass(frozen=True)
class SiteBuild:
    """A built site: its tree, the paths of its content-hashed assets, how it came about, in words, and its folder."""

    tree: Tree
    immutable: tuple[str, ...]
    origin: str
    folder: Path | None = None


@dataclass(frozen=True)
class Containers:
    """What a backend in containers is besides its slot.

    `parcel` is its image and what of it has to travel, `units` are its unit files besides the slot's, `services` goes
    to the agent (shipper.agent.compose), `command` runs something in a new container of the service, `findings` are
    about the compose file.
    """

    parcel: Parcel
    units: Mapping[str, str]
    services: Mapping[str, Any]
    command: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class BackendParts:
    """A backend ready to be a slot: code, dependencies, the unit, and the server's interpreter (an absolute path).

    In containers it has no dependencies and no interpreter, and its code is what Compose runs.
    """

    code: Tree
    dependencies: Tree
    unit: str
    interpreter: str
    origin: str
    containers: Containers | None = None


def slot_name(parts: BackendParts, backend: Backend, environment_digest: str) -> str:
    """Return the name of the slot: what a running copy is made of, and nothing else (docs/architecture.md, "Slot")."""
    static = backend.static_files
    made_of = (
        parts.code.digest,
        parts.dependencies.digest,
        parts.unit,
        parts.interpreter,
        environment_digest,
        repr(static.model_dump() if static else None),
        *([parts.containers.parcel.build.id] if parts.containers else []),
    )
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]
