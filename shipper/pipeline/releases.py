"""The releases on a server, and in what two of them differ: `inv releases` and `inv diff`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipper.deliver.manifest import Tree
from shipper.errors import ConfigError
from shipper.events import Emit
from shipper.git import ask_git
from shipper.pipeline.gather import Gathered, Reached, gather
from shipper.pipeline.job import Job
from shipper.pipeline.server import connect_each
from shipper.pipeline.ship import record_of

LIVE, PREVIOUS, HERE = "live", "previous", "here"
# Comparing reads the manifests and asks for the sizes of what differs.
_COMPARE_SECONDS = 180.0
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

Listed = Mapping[str, Any]


@dataclass(frozen=True)
class ServerReleases:
    """The releases on one server, the newest first, as shipper.agent.contents tells them.

    `server` is its name, "" for the only one.
    """

    server: str
    releases: tuple[Listed, ...]


@dataclass(frozen=True)
class Comparison:
    """In what two releases differ on one server, as shipper.agent.compare says it."""

    server: str
    difference: Mapping[str, Any]


def list_releases(job: Job, emit: Emit) -> tuple[ServerReleases, ...]:
    """Ask every server of the target for its releases. Raises HostError."""
    with connect_each(job, emit) as sessions:
        answers = [
            (one.server, session.call("releases", {"app": job.app}, deadline=_COMPARE_SECONDS))
            for one, session in sessions
        ]
    return tuple(ServerReleases(name, _with_subjects(answer, job.workspace.root)) for name, answer in answers)


def _with_subjects(releases: Sequence[Mapping[str, Any]], root: Path) -> tuple[Listed, ...]:
    """Add what the commits say, where the record does not and this repository has them."""
    known: dict[str, str] = {}
    made = []
    for entry in releases:
        commit = entry["commit"]
        if not entry["subject"] and commit not in known:
            known[commit] = _subject(root, commit)
        made.append({**entry, "subject": entry["subject"] or known[commit]})
    return tuple(made)


def _subject(root: Path, commit: str) -> str:
    if not _COMMIT.fullmatch(commit):
        return ""
    try:
        # 128: this repository does not have the commit.
        answer = ask_git(root, "show", "--no-patch", "--format=%s", f"{commit}^{{commit}}", codes=(0, 128))
    except ConfigError:  # no git, no repository
        return ""
    return answer.decode("utf-8", "replace").strip()


def sides(old: str, new: str) -> tuple[str, str]:
    """Return what is compared with what: by default the release before with the live one, and one alone with it.

    What is built here is newer than everything, and alone it is compared with what is live.
    """
    if not new:
        old, new = (LIVE, HERE) if old == HERE else ((PREVIOUS if old in ("", LIVE) else old), LIVE)
    if old == HERE:
        raise ConfigError(
            "What is built here is newer than every release.", fix=f"Name it second: shipper diff {new} {HERE}"
        )
    return old or PREVIOUS, new


def compare_releases(job: Job, old: str, new: str, emit: Emit) -> tuple[Comparison, ...]:
    """Compare two releases on every server of the target; see `sides`.

    Each is `live`, `previous`, an id, or the beginning or the commit of one; `new` may be `here`, which is built as for
    a ship. Raises ConfigError for what is not there, HostError, and with `here` what building raises.
    """
    old, new = sides(old, new)
    if new == HERE:
        with gather(job, emit) as gathered:
            return tuple(_compare(one.job, one.session, old, _as_built(one, gathered)) for one in gathered.servers)
    with connect_each(job, emit) as sessions:
        return tuple(_compare(one, session, old, new) for one, session in sessions)


def _compare(job: Job, session: Any, old: str, new: str | Mapping[str, Any]) -> Comparison:
    listed = session.call("releases", {"app": job.app}, deadline=_COMPARE_SECONDS)
    asked = {
        "app": job.app,
        "old": find_release(listed, old),
        "new": find_release(listed, new) if isinstance(new, str) else new,
    }
    return Comparison(job.server, session.call("compare", asked, deadline=_COMPARE_SECONDS))


def find_release(releases: Sequence[Listed], wanted: str) -> str:
    """Return the id of the release that a word means: `live`, `previous`, or a part of its id that only it has.

    `previous` is where `inv rollback` would go to. Raises ConfigError, naming the releases there are.
    """
    ids = [str(entry["id"]) for entry in releases]
    live = next((str(entry["id"]) for entry in releases if entry["live"]), "")
    if wanted == LIVE:
        found = [live] if live else []
    elif wanted == PREVIOUS:
        before = (
            e["id"] for e in releases if e["state"] == "good" and e["id"] != live and (not live or e["id"] < live)
        )
        found = list(before)[:1]
    else:
        found = [wanted] if wanted in ids else [one for one in ids if wanted in one]
    if len(found) == 1:
        return found[0]
    if not ids:
        raise ConfigError("Nothing was shipped to this server yet.", fix="inv ship")
    known = ", ".join(ids)
    if len(found) > 1:
        raise ConfigError(f"{wanted} may be one of several releases.", why=f"It may be: {', '.join(found)}")
    raise ConfigError(_absent(wanted), why=f"There are: {known}", fix="inv releases")


def _absent(wanted: str) -> str:
    if wanted == LIVE:
        return "No release is live."
    return "There is no good release before the live one." if wanted == PREVIOUS else f"There is no release {wanted}."


def _as_built(server: Reached, gathered: Gathered) -> dict[str, Any]:
    """Return what `inv ship` would bring to this server now, as the agent compares it."""
    parts = server.parts
    trees = {
        "site": gathered.site.tree if gathered.site else Tree(),
        "backend": parts.code if parts else Tree(),
        "dependencies": parts.dependencies if parts else Tree(),
    }
    sizes = {entry.value: entry.size for tree in trees.values() for entry in tree.files}
    # Its code is one small file then: what Compose runs.
    files = parts.code.files if parts and parts.containers else ()
    texts = {entry.path: entry.source.read_text(encoding="utf-8") for entry in files if entry.source}
    return {
        "record": {**record_of(server, gathered, HERE), "state": "not shipped"},
        "trees": {name: tree.wire for name, tree in trees.items()},
        "sizes": sizes,
        "texts": texts,
    }
