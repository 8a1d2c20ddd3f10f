"""Making the server exactly what a release describes: that is how an activation is undone, and how a broken one ends.

Nothing here asks what was done before: each part looks at what there is and changes what is wrong, so it may be begun
at any point, any number of times. What visitors see is put right first, what only lies around last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Optional

from . import compose, health, leftovers, nginx, release, slot, store, systemd
from .errors import AgentError
from .layout import Layout

# `say(kind, step, text)`: tells the client what was put back.
Say = Callable[[str, str, str], None]
_START_SECONDS = 30.0
_DRAIN_SECONDS = 2.0  # FACTS of field note S4: without a pause, requests that just arrived are cut


def settle(layout: Layout, release_id: str, say: Say) -> list[str]:
    """Make `release_id` live with all that belongs to it ("": nothing was live before); return what was put back.

    A part that fails is told and does not keep the others from being tried.
    """
    record = release.find(layout, release_id)
    if record is None and release_id:
        say("failed", "switch", f"{release_id} is no longer on the server, so nothing can be put back.")
        return []
    name = str((record or {}).get("slot") or "")
    moved = release.live(layout) != release_id
    parts: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("unit", lambda: _units(layout, record)),
        ("services", lambda: _services(layout, record)),
        ("start", lambda: bool(name) and _running(layout, name, record or {})),
        ("switch", lambda: _switched(layout, release_id)),
        ("nginx", lambda: _nginx(layout, record)),
        ("stop", lambda: _others_stopped(layout, name, moved)),
        ("lay", lambda: _unused_removed(layout)),
    )
    done = []
    for step, part in parts:
        try:
            if part():
                done.append(step)
                say("undone", step, _WORDS[step])
        except Exception as error:  # a record that makes no sense, too, shall not keep visitors from the old release
            told = error if isinstance(error, (AgentError, OSError)) else f"{type(error).__name__} {error}"
            say("failed", step, f"could not be put back: {told}")
    return done


_WORDS = {
    "services": "the lasting services are as they were",
    "start": "what was live runs again",
    "switch": "what was live is live again",
    "nginx": "the old files are back",
    "unit": "the old unit is back",
    "stop": "the new backend is stopped",
    "lay": "what was half made is removed",
}


def _services(layout: Layout, record: Optional[Mapping[str, Any]]) -> bool:
    """Bring the lasting services back to the old definition; without an old release they stay, with their data."""
    services = (record or {}).get("services")
    if not services:
        return False
    gone = compose.retire(layout, services)
    if compose.installed(layout) == services["text"]:
        return bool(gone)
    return compose.ensure(layout, services, lambda line: None) or bool(gone)


def _running(layout: Layout, name: str, record: Mapping[str, Any]) -> bool:
    """Start the slot when it does not run, and wait until it answers; return whether it had to be started."""
    if systemd.state_of(layout.unit(name)).running:
        return False
    systemd.start(layout.unit(name))
    wait_healthy(layout, record, _START_SECONDS)
    return True


def wait_healthy(layout: Layout, record: Mapping[str, Any], seconds: float) -> health.Answer:
    """Ask the release's backend on its socket until it is healthy or time is up; return the last answer."""
    deadline = time.monotonic() + seconds
    socket = layout.socket(str(record["slot"]))
    while True:
        answer = health.ask_socket(socket, record["health"], record["host"], record["scheme"])
        if answer.ok or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


def _switched(layout: Layout, release_id: str) -> bool:
    if release.live(layout) == release_id:
        return False
    release.switch(layout, release_id)
    return True


def _nginx(layout: Layout, record: Optional[Mapping[str, Any]]) -> bool:
    return nginx.put(layout, record["nginx"] if record else dict.fromkeys(nginx.files(layout), ""))


def _units(layout: Layout, record: Optional[Mapping[str, Any]]) -> bool:
    if record is None:
        return systemd.install_units(layout, {})
    return bool(record.get("slot")) and systemd.install_units(layout, units_of(layout, record))


def units_of(layout: Layout, record: Mapping[str, Any]) -> dict[str, str]:
    """Return the unit files of a release with a backend; one made before there was a boot unit leaves it as it is."""
    units = {name: str(record.get(name) or "") for name in layout.unit_files}
    return {**units, "boot": units["boot"] or systemd.installed_units(layout)["boot"]}


def _others_stopped(layout: Layout, name: str, moved: bool) -> bool:
    others = [other for other in systemd.running_slots(layout) if other != name]
    if others and moved:
        time.sleep(_DRAIN_SECONDS)
    for other in others:
        slot.stop(layout, other)
    # One that systemd is about to start again is inactive for a moment: it is stopped without being asked.
    for other in set(slot.names(layout)) - {*others, name}:
        slot.stop(layout, other, tolerated=True)
    return bool(others)


def _unused_removed(layout: Layout) -> bool:
    """Remove the slots that no good release uses, and what somebody who was killed left in the middle of its work."""
    alive = release.live(layout)
    used = {
        str(entry["slot"])
        for entry in release.records(layout)
        if entry.get("slot") and (entry["state"] == "good" or entry["id"] == alive)
    }
    removed = slot.prune(layout, used | set(systemd.running_slots(layout)))
    if removed:
        store.begin(layout)  # their contents are there still, and no release has them
    return bool(leftovers.sweep(layout) or removed)
