"""Showing an address in the browser of whoever is at work here; nothing where there is none."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping


def has_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a browser can be expected to have a screen to show itself on; `platform` is as in sys.platform.

    Without one, `webbrowser` would fall back to a browser in the terminal (www-browser, lynx, w3m), and a command that
    is to print an address would take the terminal over.
    """
    if environment.get("CI"):
        return False
    if environment.get("BROWSER") or platform in ("win32", "cygwin"):
        return True
    if platform == "darwin":
        return not environment.get("SSH_CONNECTION")
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_in_browser(url: str) -> bool:
    """Open an address; whether a browser took it."""
    if not has_browser(os.environ, sys.platform):
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
