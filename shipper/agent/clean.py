"""Making room on a server: what Docker piled up and nothing uses. Named volumes are never touched (field note H2)."""

from __future__ import annotations

import calendar
import glob
import json
import re
import time
from typing import Any

from . import engine, facts
from .errors import AgentError

_DAY_SECONDS = 86_400
# The engine's own name for a volume that nobody gave one.
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def clean(days: int, *, aggressive: bool) -> dict[str, Any]:
    """Remove stopped containers, images and build caches that were not used for `days`; return numbers.

    With `aggressive`, the age does not count, and volumes without a name that no container uses go as well. What a
    release of any app needs, running or kept for a rollback, always stays. Raises AgentError.
    """
    folder = engine.storage()
    before = facts.disk(folder)
    age = 0 if aggressive else days
    until = int(time.time()) - age * _DAY_SECONDS
    removed = {
        # First, so that what a container used until now is not taken for unused.
        "volumes": _volumes() if aggressive else [],
        "containers": _containers(until),
        "images": _images(until),
        "build cache": _build_cache(age),
    }
    return {"before": before, "after": facts.disk(folder), "removed": removed}


def _containers(until: int) -> list[str]:
    """Remove containers that ended by `until` and belong to no release."""
    gone = []
    for entry in engine.ask("GET", "/containers/json", {"all": "true", "filters": '{"status": ["exited", "dead"]}'}):
        project = (entry.get("Labels") or {}).get("com.docker.compose.project", "")
        if not _is_ours(project) and _ended(entry) <= until:
            engine.ask("DELETE", f"/containers/{entry['Id']}")
            gone.append(str(entry["Names"][0]).lstrip("/"))
    return gone


def _ended(entry: dict[str, Any]) -> float:
    """Return when a container ended, in seconds since 1970; when it was made, for one that never ran."""
    described = engine.find(f"/containers/{entry['Id']}/json")
    told = ((described or {}).get("State") or {}).get("FinishedAt")
    return max(_moment(told), int(entry["Created"]))


def _arrived(entry: dict[str, Any]) -> float:
    """Return when an image was tagged here, or else when it was built wherever that was, in seconds since 1970.

    When it was fetched or loaded is known with containerd's image store only.
    """
    described = engine.find(f"/images/{entry['Id']}/json")
    told = ((described or {}).get("Metadata") or {}).get("LastTagTime")
    return max(_moment(told), int(entry["Created"]))


def _moment(told: Any) -> float:
    """Return a time that the engine told, in seconds since 1970; long ago for none."""
    text = str(told or "")[:19]
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) if text else 0


def _is_ours(project: str) -> bool:
    """Whether a Compose project is an app's or a slot's: the agent looks after these itself."""
    return any(project == app or project.startswith(f"{app}-") for app in _apps())


def _apps() -> list[str]:
    return [path.split("/")[2] for path in glob.glob("/srv/*/releases")]


def _images(until: int) -> list[str]:
    """Remove images that no container and no kept release uses and that were here by `until`."""
    used = {entry["ImageID"] for entry in engine.ask("GET", "/containers/json", {"all": "true"})}
    kept = _kept_images()
    gone = []
    for entry in engine.ask("GET", "/images/json"):
        names = [name for name in entry["RepoTags"] or [] if name != "<none>:<none>"]
        if entry["Id"] in used or kept.intersection(names) or _arrived(entry) > until:
            continue
        try:
            for name in names or [entry["Id"]]:
                engine.ask("DELETE", f"/images/{name}")
        except AgentError:  # another image stands on it
            continue
        gone.append(names[0] if names else str(entry["Id"])[7:19])
    return gone


def _kept_images() -> set[str]:
    """Return the names of the images of all releases of all apps."""
    found = set()
    for path in glob.glob("/srv/*/releases/*/release.json"):
        with open(path, encoding="utf-8") as file:
            found.add(str(json.load(file).get("image") or ""))
    return found


def _build_cache(days: int) -> list[str]:
    filters = {"until": [f"{days * 24}h"]} if days else {}
    told = engine.ask("POST", "/build/prune", {"filters": json.dumps(filters), **({} if days else {"all": "true"})})
    return [str(name) for name in (told or {}).get("CachesDeleted") or []]


def _volumes() -> list[str]:
    """Remove volumes without a name that no container uses; one that somebody named may hold data."""
    gone = []
    told = engine.ask("GET", "/volumes", {"filters": '{"dangling": ["true"]}'})
    for entry in told["Volumes"] or []:
        if _ANONYMOUS.fullmatch(entry["Name"]):
            engine.ask("DELETE", f"/volumes/{entry['Name']}")
            gone.append(str(entry["Name"])[:12])
    return gone
