"""The agent compiled, so that the next start does not compile it again: that took most of the time of a start.

It is checked at every start as the agent itself is (shipper.host.bootstrap): its hash stands before it. It is made for
one agent and one release of Python, and made anew when it is not there or damaged.
"""

from __future__ import annotations

import hashlib
import io
import marshal
import os
import sys
import time
import zipfile
from contextlib import suppress
from importlib.util import MAGIC_NUMBER

# Flags of a compiled file: found by its name alone, never compared with a source (PEP 552, "unchecked").
_UNCHECKED = MAGIC_NUMBER + (0b01).to_bytes(4, "little") + bytes(8)
_MOMENT = (1980, 1, 1, 0, 0, 0)
_KEPT_SECONDS = 30 * 86_400


def keep(archive: str, folder: str) -> None:
    """Compile the agent in `archive`, called `<sha256>.pyz`, and keep it in `folder` for the next start.

    Whatever hinders it only costs the next start some time.
    """
    name = os.path.basename(archive).partition(".")[0]
    target = os.path.join(folder, f"{name}.{sys.implementation.cache_tag}.{sys.hexversion:x}.zip")
    with suppress(OSError):
        content = _compiled(archive)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        scratch = f"{target}.{os.getpid()}"
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(hashlib.sha256(content).hexdigest().encode() + content)
        os.replace(scratch, target)
        _remove_old(folder, target)


def _compiled(archive: str) -> bytes:
    """Return a zip with every module compiled, and its source for who reads a traceback."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(archive) as sources, zipfile.ZipFile(buffer, "w") as target:
        for name in sources.namelist():
            source = sources.read(name)
            code = compile(source, os.path.join(archive, name), "exec", dont_inherit=True)
            target.writestr(zipfile.ZipInfo(name + "c", _MOMENT), _UNCHECKED + marshal.dumps(code))
            target.writestr(zipfile.ZipInfo(name, _MOMENT), source)
    return buffer.getvalue()


def _remove_old(folder: str, kept: str) -> None:
    for name in os.listdir(folder):
        other = os.path.join(folder, name)
        if other != kept and os.stat(other).st_mtime < time.time() - _KEPT_SECONDS:
            os.unlink(other)
