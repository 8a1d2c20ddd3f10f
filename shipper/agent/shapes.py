"""What may be said of the values of an environment: of which kind each is, and how long. Never more of a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from . import environment, mask, release
from .layout import Layout

_KINDS = (
    ("switch", re.compile(r"true|false|yes|no|on|off", re.IGNORECASE)),
    ("number", re.compile(r"-?\d+(?:\.\d+)?")),
    ("address", re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)),
    ("path", re.compile(r"/[\w./-]*")),
)


def shape(name: str, value: str) -> str:
    """Return the kind and the length of a value in words; of a secret only whether it is long enough.

    Its exact length helps who guesses.
    """
    if not value.strip():
        return "empty"
    if _is_secret(name, value):
        size = "32 or more" if len(value) >= 32 else "8 to 31" if len(value) >= 8 else "fewer than 8"
        return f"secret, {size} characters"
    return f"{_kind(name, value)}, {len(value)} character{'s' if len(value) != 1 else ''}"


def _is_secret(name: str, value: str) -> bool:
    if re.search(r"://[^/\s]*@", value) or "PRIVATE KEY" in value:
        return True
    return bool(mask.SECRET_NAME.search(name)) and not re.fullmatch(r"\d{1,4}|(?i:true|false)", value)


def _kind(name: str, value: str) -> str:
    text = value.strip()
    if text.startswith("[") or "," in text:
        entries = [part for part in re.split(r"[,\s]+", text.strip("[]")) if part]
        return f"list of {len(entries)}"
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), "text")


def describe(layout: Layout, wanted: Mapping[str, str]) -> dict[str, Any]:
    """Compare the environment here with what the client has, by key, and say of what shape both sides' values are.

    `stale` are the names whose value the running backend does not have yet: it keeps the environment of its start.
    """
    here = environment.read(layout.env)
    return {
        **environment.compare(layout, wanted),
        "server": {name: shape(name, value) for name, value in here.items()},
        "client": {name: shape(name, value) for name, value in wanted.items()},
        "stale": stale(layout),
    }


def stale(layout: Layout) -> list[str]:
    """Return the names in which the live backend's environment differs from the one that the next ship gets."""
    record = release.find(layout, release.live(layout))
    slot = str((record or {}).get("slot") or "")
    if not slot:
        return []
    running, here = environment.read(os.path.join(layout.slot(slot), "env")), environment.read(layout.env)
    return sorted(name for name in {*running, *here} if running.get(name) != here.get(name))
