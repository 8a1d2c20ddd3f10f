"""What the client may ask for: a name, its arguments as data, and the function that does it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import activation, environment, facts, journal, lock, logs, recovery, release, room, status, steps, store
from .channel import Channel
from .errors import AgentError
from .layout import Layout

Request = dict[str, Any]


def _facts(_: Request, __: Channel) -> dict[str, Any]:
    return facts.full()


def _state(request: Request, channel: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    _settle_if_free(layout, channel)
    return status.state(layout)


def _status(request: Request, channel: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    _settle_if_free(layout, channel)
    return status.status(layout)


def _settle_if_free(layout: Layout, channel: Channel) -> None:
    """End what was cut off, unless somebody is at it: who only looks shall see a server that is in order."""
    if recovery.unfinished(layout) is None:
        return
    try:
        lock.take(layout, "shipper", "ending what was cut off")
    except AgentError:
        return
    try:
        _recover(layout, channel)
    finally:
        lock.release(layout)


def _recover(layout: Layout, channel: Channel) -> None:
    recovery.recover(layout, lambda text: channel.event({"kind": "note", "step": "recovery", "text": text}))


def _claim(layout: Layout) -> None:
    """Refuse a folder that is somebody else's: whoever owns it could make anything live."""
    try:
        owner = os.lstat(layout.root).st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid() or not os.path.isdir(layout.root) or os.path.islink(layout.root):
        raise AgentError(
            "config",
            f"{layout.root} is there already, and is not a folder of root's own (its owner has the number {owner}).",
            "shipper keeps the releases there, and whoever owns it could change what visitors get.",
            f"If it is this app's, on the server: `sudo chown root: {layout.root}`; else another `name` in ship.toml.",
        )


def _begin(request: Request, channel: Channel, reason: str) -> Layout:
    """Take the lock for a change, and end first what was cut off."""
    layout = Layout(request["app"])
    _claim(layout)
    lock.take(layout, request["who"], reason)
    _recover(layout, channel)
    return layout


def _missing(request: Request, _: Channel) -> list[str]:
    return store.missing(Layout(request["app"]), request["keys"])


def _prepare(request: Request, channel: Channel) -> list[str]:
    """Take the lock, make room, and say what has to be sent: the first request that changes anything."""
    layout = _begin(request, channel, "shipping")
    environment.ensure_shared(layout)
    release.make_folders(layout)
    # The release to come is one of the kept ones.
    sizes: dict[str, int] = dict(request["objects"])
    steps.prune(layout, request["keep"] - 1, sizes)
    store.remove_damaged(layout, sizes)
    missing = store.missing(layout, sizes)
    more = request["room"]
    room.check(layout, sum(sizes[key] for key in missing) + more["bytes"], len(missing) + more["inodes"])
    return missing


def _upload(request: Request, channel: Channel) -> None:
    layout = _begin(request, channel, "shipping")
    store.receive(layout, request["objects"], channel.frames(), channel)


def _activate(request: Request, channel: Channel) -> dict[str, Any]:
    layout = _begin(request, channel, request["action"])
    return activation.activate(layout, request, channel)


def _env_push(request: Request, channel: Channel) -> dict[str, Any]:
    layout = _begin(request, channel, "changing the environment")
    difference = environment.compare(layout, request["values"])
    environment.replace(layout, request["text"])
    if environment.read(layout.env) != request["values"]:
        raise AgentError("bug", "The environment was not read back as it was sent.")
    journal.write(layout, kind="env", who=request["who"], changed=difference["missing"] + difference["changed"])
    return difference


def _env_compare(request: Request, _: Channel) -> dict[str, Any]:
    return environment.compare(Layout(request["app"]), request["values"])


def _logs(request: Request, channel: Channel) -> None:
    logs.logs(Layout(request["app"]), request, channel)


COMMANDS: dict[str, Callable[[Request, Channel], object]] = {
    "facts": _facts,
    "state": _state,
    "status": _status,
    "missing": _missing,
    "prepare": _prepare,
    "upload": _upload,
    "activate": _activate,
    "env.push": _env_push,
    "env.compare": _env_compare,
    "logs": _logs,
}
