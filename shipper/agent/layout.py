"""Where everything of an app is on the server. Names only; nothing here touches the disk."""

from __future__ import annotations

import os
import re

from .errors import AgentError

APP_NAME = re.compile(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?")
RELEASE_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9]{1,16}")
SLOT_NAME = re.compile(r"[0-9a-f]{12}")

# What the agent keeps for itself, for all apps.
STATE = "/var/lib/shipper"


class Layout:
    """The paths of one app. `base` and `etc` differ only in the agent's own tests."""

    def __init__(self, app: str, base: str = "/srv", etc: str = "/etc", run: str = "/run") -> None:
        check_name("app", app, APP_NAME)
        self.app = app
        self.root = os.path.join(base, app)
        self.current = os.path.join(self.root, "current")
        self.releases = os.path.join(self.root, "releases")
        self.slots = os.path.join(self.root, "slots")
        self.store = os.path.join(self.root, "store")
        self.assets = os.path.join(self.root, "assets")
        self.shared = os.path.join(self.root, "shared")
        self.env = os.path.join(self.shared, "env")
        self.salt = os.path.join(self.shared, "salt")
        self.data = os.path.join(self.shared, "data")
        self.journal = os.path.join(self.root, "journal.jsonl")
        self.lock = os.path.join(self.root, "lock")
        self.freeze = os.path.join(self.root, "freeze")
        self.nginx = os.path.join(etc, "nginx")
        self.units = os.path.join(etc, "systemd", "system")
        self.sockets = os.path.join(run, app)

    def release(self, release_id: str) -> str:
        """Return the folder of a release."""
        return os.path.join(self.releases, check_name("release", release_id, RELEASE_ID))

    def slot(self, name: str) -> str:
        """Return the folder of a slot."""
        return os.path.join(self.slots, check_name("slot", name, SLOT_NAME))

    def socket(self, slot: str) -> str:
        """Return the unix socket that a slot listens on."""
        return os.path.join(self.sockets, check_name("slot", slot, SLOT_NAME) + ".sock")

    def unit(self, slot: str) -> str:
        """Return the name of the unit that runs a slot."""
        return f"{self.app}@{check_name('slot', slot, SLOT_NAME)}.service"

    @property
    def access_log(self) -> str:
        """Where nginx logs the requests of the app."""
        return f"/var/log/nginx/{self.app}.access.log"

    @property
    def unit_file(self) -> str:
        """The template of all units of this app."""
        return self.unit_files["unit"]

    @property
    def unit_files(self) -> dict[str, str]:
        """All unit files of the app by their names in a release.

        "unit" is the template of its slots, "socket" and "proxy" are what containers have in front, and "boot" brings
        up after a reboot what is live.
        """
        names = {"unit": "@.service", "socket": "-proxy@.socket", "proxy": "-proxy@.service", "boot": ".service"}
        return {name: os.path.join(self.units, self.app + ending) for name, ending in names.items()}


def check_name(what: str, value: str, pattern: re.Pattern[str]) -> str:
    """Return `value` when the whole of it has the form of a name; a name becomes part of paths. Raises AgentError."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise AgentError("config", f"{value!r} cannot be the name of a {what}.")
    return value
