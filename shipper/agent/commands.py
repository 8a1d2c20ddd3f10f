"""What the client may ask for: a name, its arguments as data, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Union

from . import (
    activation,
    clean,
    compare,
    contents,
    delivery,
    environment,
    facts,
    freeze,
    images,
    journal,
    lock,
    logs,
    recovery,
    shapes,
    status,
    store,
)
from .channel import Channel
from .errors import AgentError
from .layout import Layout

Request = dict[str, Any]
_REASONS = {"ship": "shipping", "rollback": "rolling back", "env": "changing the environment"}


def _facts(_: Request, __: Channel) -> dict[str, Any]:
    return facts.full()


def _state(request: Request, channel: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    _settle_if_free(layout, channel)
    return status.state(layout, bool(request.get("containers")))


def _status(request: Request, channel: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    _settle_if_free(layout, channel)
    return status.status(layout)


def _releases(request: Request, channel: Channel) -> list[dict[str, Any]]:
    layout = Layout(request["app"])
    _settle_if_free(layout, channel)
    return contents.releases(layout)


def _compare(request: Request, channel: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    _settle_if_free(layout, channel)
    return compare.compare(layout, request)


def _settle_if_free(layout: Layout, channel: Channel) -> None:
    """End what was cut off, unless somebody is at it, or the folder is not root's: who only looks shall see a server
    that is in order."""
    if recovery.unfinished(layout) is None:
        return
    try:
        taken = lock.take(layout, {"who": "shipper"}, "ending what was cut off", channel)
    except AgentError:
        return
    try:
        recovery.recover(layout, channel.note)
    finally:
        if taken:
            lock.release(layout)


def _begin(request: Request, channel: Channel, reason: str) -> Layout:
    """Take the lock for a change, and end first what was cut off."""
    layout = Layout(request["app"])
    lock.take(layout, request["holder"], reason, channel, request.get("wait", 0.0))
    recovery.recover(layout, channel.note)
    return layout


def _missing(request: Request, _: Channel) -> list[str]:
    return store.missing(Layout(request["app"]), request["keys"])


def _lock(request: Request, channel: Channel) -> dict[str, Any]:
    """Take the lock for what `_REASONS` names, and say what the server is like now that nobody else changes it."""
    action = request["action"]
    layout = _begin(request, channel, _REASONS[action])
    if action != "rollback":
        freeze.refuse(layout)
    elif (frozen := freeze.current(layout)) is not None:
        channel.note(f"{layout.app} is frozen by {frozen['who']} ({frozen['reason']}); a rollback goes through.")
    return status.state(layout, bool(request.get("containers")))


def _deliver(request: Request, channel: Channel) -> list[Union[str, int]]:
    """Take trees with their contents, and the lock first, where the client left that to this request.

    `expected` is the token of the state that the client made its plan for, "" when it has the lock already.
    """
    layout = _begin(request, channel, _REASONS["ship"])
    if request["expected"]:
        freeze.refuse(layout)
        if status.state(layout, containers=False)["token"] != request["expected"]:
            raise delivery.stale("The server was changed meanwhile.")
    return delivery.deliver(layout, request, channel.frames(), channel)


def _upload(request: Request, channel: Channel) -> list[str]:
    layout = _begin(request, channel, _REASONS["ship"])
    return store.receive(layout, request["objects"], channel.frames(), channel)


def _fetch(request: Request, channel: Channel) -> list[str]:
    layout = _begin(request, channel, _REASONS["ship"])
    return images.fetch(layout, request, channel)


def _activate(request: Request, channel: Channel) -> dict[str, Any]:
    layout = _begin(request, channel, _REASONS[request["action"]])
    return activation.activate(layout, request, channel)


def _env_push(request: Request, channel: Channel) -> dict[str, Any]:
    layout = _begin(request, channel, _REASONS["env"])
    freeze.refuse(layout)
    if request.get("expected") not in (None, environment.digest(layout)):
        raise AgentError(
            "config",
            "Somebody else changed the environment meanwhile; nothing was sent.",
            "What they changed would be lost.",
            "Begin again, from what is there now: inv env.edit",
        )
    if environment.parse(request["text"]) != request["values"]:
        raise AgentError("bug", "The environment would not be read back as it was sent; nothing was changed.")
    difference = environment.compare(layout, request["values"])
    environment.replace(layout, request["text"])
    journal.write(
        layout, kind="env", who=request["holder"]["who"], changed=difference["missing"] + difference["changed"]
    )
    return {**difference, "stale": shapes.stale(layout)}


def _lock_show(request: Request, _: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    return {"holder": lock.holder(layout), "freeze": freeze.current(layout)}


def _lock_freeze(request: Request, channel: Channel) -> None:
    layout = _begin(request, channel, "freezing")
    freeze.set_freeze(layout, request["holder"], request["reason"], request["seconds"])
    journal.write(layout, kind="freeze", who=request["holder"]["who"], reason=request["reason"])


def _lock_lift(request: Request, _: Channel) -> dict[str, Any]:
    """Lift a freeze. A living holder of the lock cannot be sent away: it would be in the middle of its work."""
    layout = Layout(request["app"])
    lifted = freeze.lift(layout)
    if lifted:
        journal.write(layout, kind="unfreeze", who=request["holder"]["who"], reason=lifted["reason"])
    return {"lifted": lifted, "holder": lock.holder(layout)}


def _env_compare(request: Request, _: Channel) -> dict[str, Any]:
    return environment.compare(Layout(request["app"]), request["values"])


def _env_describe(request: Request, _: Channel) -> dict[str, Any]:
    return shapes.describe(Layout(request["app"]), request["values"])


def _env_read(request: Request, _: Channel) -> dict[str, Any]:
    """Hand out the environment with its values, to be edited; the digest says later whether it is still the same."""
    layout = Layout(request["app"])
    return {"values": environment.read(layout.env), "digest": environment.digest(layout)}


def _clean(request: Request, _: Channel) -> dict[str, Any]:
    return clean.clean(request["days"], aggressive=request["aggressive"])


def _logs(request: Request, channel: Channel) -> None:
    logs.logs(Layout(request["app"]), request, channel)


COMMANDS: dict[str, Callable[[Request, Channel], object]] = {
    "facts": _facts,
    "state": _state,
    "status": _status,
    "releases": _releases,
    "compare": _compare,
    "missing": _missing,
    "lock": _lock,
    "deliver": _deliver,
    "upload": _upload,
    "fetch": _fetch,
    "activate": _activate,
    "lock.show": _lock_show,
    "lock.freeze": _lock_freeze,
    "lock.lift": _lock_lift,
    "env.push": _env_push,
    "env.compare": _env_compare,
    "env.describe": _env_describe,
    "env.read": _env_read,
    "clean": _clean,
    "logs": _logs,
}
