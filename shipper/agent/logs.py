"""The logs of an app, from journald or from nginx's files, masked, and followed until the client leaves."""

from __future__ import annotations

import os
import select
import subprocess
from typing import Any

from . import environment, programs, release, slot
from .channel import Channel
from .errors import AgentError
from .layout import Layout

_LOOK_SECONDS = 1.0


def logs(layout: Layout, request: dict[str, Any], channel: Channel) -> None:
    """Send the last `lines` lines of `source` ("backend", "nginx") as events; `follow`: until the client leaves."""
    slots = _maskable_slots(layout)
    mask = environment.mask_of(layout.env, *(f"{layout.slot(name)}/env" for name in slots))
    argv = _nginx(layout, request) if request["source"] == "nginx" else _backend(layout, slots, request)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        pending = b""
        while channel.alive:
            ready, _, _ = select.select([process.stdout], [], [], _LOOK_SECONDS)
            if not ready:
                channel.event({"kind": "idle"})  # writing is how a vanished client is noticed
                continue
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                text = programs.plain(line.decode("utf-8", "replace"))
                channel.event({"kind": "output", "step": "logs", "text": mask(text)})
        process.terminate()


def _maskable_slots(layout: Layout) -> list[str]:
    """Return the slots whose lines can be shown: those whose environment is known, so that it can be masked.

    That is every slot that is kept. A slot that failed is gone, but it ran with the environment of that time: as long
    as nobody pushed another one since, its last words can be shown, too.
    """
    slots = {str(entry["slot"]) for entry in release.records(layout) if entry.get("slot")}
    return sorted(name for name in slots if slot.exists(layout, name) or _failed_with_this_environment(layout, name))


def _failed_with_this_environment(layout: Layout, name: str) -> bool:
    failed = [entry["id"] for entry in release.records(layout) if entry.get("slot") == name]
    made = os.path.getmtime(os.path.join(layout.release(failed[0]), "release.json"))
    return not os.path.exists(layout.env) or os.path.getmtime(layout.env) < made


def _backend(layout: Layout, slots: list[str], request: dict[str, Any]) -> list[str]:
    if not slots:
        raise AgentError("config", f"{layout.app} has no backend on the server.", "", "inv ship")
    argv = ["journalctl", "--all", "--no-pager", "--quiet", "--output=short-iso", f"--lines={int(request['lines'])}"]
    follow = ["--follow"] if request["follow"] else []
    return [*argv, *follow, *(f"--unit={layout.unit(name)}" for name in slots)]


def _nginx(layout: Layout, request: dict[str, Any]) -> list[str]:
    files = [layout.access_log, layout.access_log.replace(".access.", ".error.")]
    present = [path for path in files if os.path.exists(path)]
    if not present:
        raise AgentError("config", f"nginx has no log of {layout.app} yet.", "", "inv ship")
    follow = ["--follow=name"] if request["follow"] else []
    return ["tail", "--quiet", f"--lines={int(request['lines'])}", *follow, "--", *present]
