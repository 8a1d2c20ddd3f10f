"""What the client may ask for: a name, its arguments as data, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import activation, environment, facts, journal, lock, logs, release, status, steps, store
from .channel import Channel
from .errors import AgentError
from .layout import Layout

Request = dict[str, Any]


def _facts(_: Request, __: Channel) -> dict[str, Any]:
    return facts.full()


def _state(request: Request, _: Channel) -> dict[str, Any]:
    return status.state(Layout(request["app"]))


def _status(request: Request, _: Channel) -> dict[str, Any]:
    return status.status(Layout(request["app"]))


def _missing(request: Request, _: Channel) -> list[str]:
    return store.missing(Layout(request["app"]), request["keys"])


def _prepare(request: Request, _: Channel) -> list[str]:
    """Take the lock, make room, and say what has to be sent: the first request that changes anything."""
    layout = Layout(request["app"])
    lock.take(layout, request["who"], "shipping")
    environment.ensure_shared(layout)
    release.make_folders(layout)
    # The release to come is one of the kept ones.
    steps.prune(layout, request["keep"] - 1, request["keys"])
    return store.missing(layout, request["keys"])


def _upload(request: Request, channel: Channel) -> None:
    layout = Layout(request["app"])
    lock.take(layout, request["who"], "shipping")
    store.receive(layout, request["objects"], channel.frames(), channel)


def _activate(request: Request, channel: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    lock.take(layout, request["who"], request["action"])
    return activation.activate(layout, request, channel)


def _env_push(request: Request, _: Channel) -> dict[str, Any]:
    layout = Layout(request["app"])
    lock.take(layout, request["who"], "changing the environment")
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
