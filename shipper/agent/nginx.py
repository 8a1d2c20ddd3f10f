"""nginx: shipper's own two files for an app are tested as a candidate, put in place, and put back when that fails.

Everything else under /etc/nginx belongs to the server's owner and is never written (field notes N4 and N5).
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from . import ports, programs
from .errors import AgentError
from .layout import Layout
from .systemd import read_text, write_text

_SERVER_NAME = re.compile(r"^\s*server_name\s+(\S+);", re.MULTILINE)
_TEST_SECONDS = 30.0
# In a mount namespace of its own, the candidate folder takes the place of /etc/nginx: absolute includes find it, and
# the running nginx, which anybody may reload at any time, never sees an untested file. Both paths are arguments.
_TEST_IN_PLACE = 'mount --bind "$1" "$2" && exec nginx -t'


def files(layout: Layout) -> dict[str, str]:
    """Return the paths of the app's two files by their names in a release: "http" and "server"."""
    return {
        "http": os.path.join(layout.nginx, "conf.d", f"shipper-{layout.app}.conf"),
        "server": os.path.join(layout.nginx, "shipper", f"{layout.app}.conf"),
    }


def installed(layout: Layout) -> dict[str, str]:
    """Return the texts of the app's files as they are now; "" for one that is not there."""
    return {name: read_text(path) for name, path in files(layout).items()}


def sharing_name(layout: Layout, texts: Mapping[str, str]) -> list[str]:
    """Return the other apps of shipper's on this server whose server block has the same name as that in `texts`.

    nginx only warns ("conflicting server name ... ignored") and gives every request to the block that it reads first.
    """
    wanted = set(_SERVER_NAME.findall(texts["http"]))
    found = []
    for path in sorted(glob.glob(os.path.join(layout.nginx, "conf.d", "shipper-*.conf"))):
        if path != files(layout)["http"] and wanted & set(_SERVER_NAME.findall(read_text(path))):
            found.append(os.path.basename(path)[len("shipper-") : -len(".conf")])
    return found


def install(layout: Layout, texts: Mapping[str, str]) -> bool:
    """Test the candidate, put it in place and reload; return whether anything changed. Raises AgentError."""
    old = installed(layout)
    if old == dict(texts):
        return False
    test_candidate(layout, texts)
    try:
        put(layout, texts)
    except AgentError:
        _write(layout, old)
        with suppress(AgentError):  # one that was only too slow has taken the new files
            _reload()
        raise
    return True


def put(layout: Layout, texts: Mapping[str, str]) -> bool:
    """Put files in place that were live before, without a test, and reload; return whether anything changed."""
    if installed(layout) == dict(texts):
        return False
    _write(layout, texts)
    _reload()
    return True


def _write(layout: Layout, texts: Mapping[str, str]) -> None:
    for name, path in files(layout).items():
        write_text(path, texts[name])


def test_candidate(layout: Layout, texts: Mapping[str, str]) -> None:
    """Raise AgentError unless nginx accepts its whole configuration with `texts` in it. Nothing live is changed."""
    with tempfile.TemporaryDirectory(prefix=scratch_prefix(layout)) as scratch:
        candidate = os.path.join(scratch, "nginx")
        # The scratch files of another app (write_text) may have their own names before they are copied.
        shutil.copytree(layout.nginx, candidate, symlinks=True, ignore=shutil.ignore_patterns("*.shipper-new"))
        for name, path in files(layout).items():
            write_text(os.path.join(candidate, os.path.relpath(path, layout.nginx)), texts[name])
        argv = ["unshare", "--mount", "sh", "-c", _TEST_IN_PLACE, "sh", candidate, layout.nginx]
        outcome = programs.run(argv, timeout=_TEST_SECONDS)
    if outcome.ok:
        return
    own = any(path in outcome.text for path in files(layout).values())
    whose = "with shipper's files for this app" if own else "because of another file of this server"
    raise AgentError(
        "release",
        f"nginx does not accept its configuration, {whose}.",
        outcome.text,
        "Mend what nginx names (on the server: `sudo nginx -t`), then ship again. The running nginx was not touched.",
    )


def start_if_down() -> bool:
    """Start nginx when it does not run; return whether that was so. Raises AgentError when it does not start."""
    if programs.run(["systemctl", "is-active", "--quiet", "nginx"], timeout=_TEST_SECONDS).ok:
        return False
    _reload()
    return True


def scratch_prefix(layout: Layout) -> str:
    """Return how the names of this app's candidate folders begin; those of other apps begin otherwise."""
    return f"shipper-nginx-{layout.app}."


def _reload() -> None:
    outcome = programs.run(["systemctl", "reload-or-restart", "nginx"], timeout=_TEST_SECONDS)
    if outcome.ok:
        return
    others = {f"{entry['process']} holds port {entry['port']}" for entry in ports.listening() if _in_the_way(entry)}
    raise AgentError(
        "release",
        "nginx could not be reloaded" + (f": {', '.join(sorted(others))}." if others else "."),
        outcome.text,
        "On the server: `sudo nginx -t`, `sudo systemctl status nginx`",
    )


def _in_the_way(entry: Mapping[str, Any]) -> bool:
    return entry["port"] in (80, 443) and entry["process"] not in ("", "nginx")


def worker_user(layout: Layout) -> str:
    """Return the user nginx's workers run as, from nginx.conf; Debian's www-data when it does not say."""
    for line in read_text(os.path.join(layout.nginx, "nginx.conf")).splitlines():
        words = line.split("#")[0].replace(";", " ").split()
        if len(words) >= 2 and words[0] == "user":
            return words[1]
    return "www-data"
