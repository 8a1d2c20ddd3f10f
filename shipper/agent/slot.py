"""Slots: code, dependency tree and environment of one running copy of the backend, made once, never changed."""

from __future__ import annotations

import glob
import json
import os
import shutil
from contextlib import suppress
from typing import Any, Optional

from . import bytecode, compose, environment, journal, ports, programs, systemd, tree
from .errors import AgentError
from .layout import SLOT_NAME, Layout

# Below the ports that the kernel gives to outgoing connections, ip(7) ip_local_port_range.
_FIRST_PORT, _PORTS = 20_000, 10_000


def exists(layout: Layout, name: str) -> bool:
    """Whether the slot is there, complete."""
    return os.path.isdir(layout.slot(name))


def make(layout: Layout, spec: dict[str, Any]) -> Optional[str]:
    """Make a slot from `spec`: name, python (program, "" for none), code and dependencies (manifests), static (folder
    or ""), port (whether a container publishes one).

    Returns its folder, or None when it existed. The environment is the one of this moment, so that a rollback brings
    it back as it was.
    """
    folder = layout.slot(spec["name"])
    if os.path.isdir(folder):
        return None
    ensure_user(layout)
    scratch = f"{folder}.{os.getpid()}.partial"
    os.mkdir(scratch)
    os.chmod(scratch, 0o755)
    try:
        tree.lay(layout, spec["code"], os.path.join(scratch, "backend"))
        tree.lay(layout, spec["dependencies"], os.path.join(scratch, "deps"))
        if spec.get("port"):
            with open(os.path.join(scratch, "port"), "w", encoding="utf-8") as file:
                file.write(f"SHIPPER_PORT={choose_port(layout, spec['name'])}\n")
        if spec["python"]:
            bytecode.add(layout, spec["python"], scratch, {"backend": spec["code"], "deps": spec["dependencies"]})
        _copy_environment(layout, os.path.join(scratch, "env"))
        if spec.get("static"):
            _make_owned(os.path.join(scratch, "backend", spec["static"]), layout.app)
        with open(os.path.join(scratch, "manifest.json"), "w", encoding="utf-8") as file:
            json.dump({"code": spec["code"], "dependencies": spec["dependencies"]}, file)
        os.sync()
        os.rename(scratch, folder)
        journal.sync_folder(layout.slots)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return folder


def choose_port(layout: Layout, name: str) -> int:
    """Return a loopback port for a slot's container: nobody listens there now, and no slot of any app has it.

    One that does not run may be rolled back to, and has its port for good.
    """
    taken = {entry["port"] for entry in ports.listening()}
    apps = glob.escape(os.path.dirname(layout.root))
    taken.update(_port_in(path) for path in glob.glob(os.path.join(apps, "*", "slots", "*", "port")))
    first = int(name, 16)
    return next(port for offset in range(_PORTS) if (port := _FIRST_PORT + (first + offset) % _PORTS) not in taken)


def _port_in(path: str) -> int:
    text = systemd.read_text(path).strip()
    return int(text.rpartition("=")[2]) if text else 0


def ensure_user(layout: Layout) -> None:
    """Make the app's own system user and the folder for its data."""
    import pwd

    environment.ensure_shared(layout)
    try:
        pwd.getpwnam(layout.app)
    except KeyError:
        argv = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", layout.data]
        outcome = programs.run([*argv, "--shell", "/usr/sbin/nologin", layout.app], timeout=30)
        if not outcome.ok:
            raise AgentError("release", f"The user {layout.app} could not be made.", outcome.text) from None
    if not os.path.isdir(layout.data):
        _make_owned(layout.data, layout.app, 0o750)


def _make_owned(folder: str, user: str, mode: int = 0o755) -> None:
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, mode)
    shutil.chown(folder, user, user)


def _copy_environment(layout: Layout, path: str) -> None:
    content = b""
    if os.path.exists(layout.env):
        with open(layout.env, "rb") as file:
            content = file.read()
    environment.write_private(path, content)


def names(layout: Layout) -> list[str]:
    """Return the names of the slots that are there, complete."""
    found = os.listdir(layout.slots) if os.path.isdir(layout.slots) else []
    return sorted(name for name in found if SLOT_NAME.fullmatch(name))


def stop(layout: Layout, name: str, *, tolerated: bool = False) -> None:
    """Stop the copy that runs from a slot, and remove its socket: most servers leave the file behind.

    With `tolerated`, there may be nothing to stop, not even a unit.
    """
    systemd.stop(layout.unit(name), tolerated=tolerated)
    _stop_containers(layout, name)
    with suppress(FileNotFoundError):
        os.unlink(layout.socket(name))


def _stop_containers(layout: Layout, name: str) -> None:
    """Do what the unit does at its end; it may belong to another release by now, or have failed long ago."""
    if SLOT_NAME.fullmatch(name) and os.path.exists(os.path.join(layout.slot(name), "port")):
        compose.stop(layout, name)


def prune(layout: Layout, used: set[str]) -> list[str]:
    """Remove the slots that no kept release uses, and half-made ones; return their names."""
    removed = []
    for name in os.listdir(layout.slots) if os.path.isdir(layout.slots) else []:
        if name not in used:
            _stop_containers(layout, name)
            tree.remove(os.path.join(layout.slots, name))
            removed.append(name)
            if SLOT_NAME.fullmatch(name) and os.path.exists(layout.socket(name)):
                os.unlink(layout.socket(name))
    return removed
