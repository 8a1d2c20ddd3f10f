"""What a killed agent leaves in the middle of its work: half-made folders, scratch files, sockets without a server.

All of it has names that nothing else has, and none of it is ever read. Only who holds the lock may remove it.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from contextlib import suppress

from . import compose, nginx, systemd
from .layout import Layout


def sweep(layout: Layout) -> list[str]:
    """Remove all of it; return the paths."""
    found = [path for pattern in _patterns(layout) for path in glob.glob(pattern)]
    if sockets := glob.glob(os.path.join(layout.sockets, "*.sock")):
        found += sorted(set(sockets) - _sockets(layout))
    for path in found:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                os.unlink(path)
    return found


def _patterns(layout: Layout) -> list[str]:
    written = [*nginx.files(layout).values(), *layout.unit_files.values(), compose.services_file(layout)]
    return [
        os.path.join(layout.root, ".current.*"),
        layout.journal + ".new",
        os.path.join(layout.releases, "*.partial"),
        os.path.join(layout.releases, "*", "*.new"),
        os.path.join(layout.slots, "*.partial"),
        os.path.join(layout.store, "incoming.*"),
        *(f"{path}.*.*" for path in (layout.env, layout.salt, layout.freeze)),
        *(f"{path}.*.shipper-new" for path in written),
        os.path.join(tempfile.gettempdir(), nginx.scratch_prefix(layout) + "*"),
    ]


def _sockets(layout: Layout) -> set[str]:
    # Without its path, a socket that systemd holds would be of no use to the next start of its slot.
    held = (*systemd.running_slots(layout), *systemd.proxied_slots(layout))
    return {layout.socket(name) for name in held}
