"""Packs the agent into one zip that Python can run, the same bytes for the same sources on every machine."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# The earliest time a zip can hold; a real one would make every checkout another agent.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_PACKAGE = "shipper_agent"
_ENTRY = f"from {_PACKAGE}.__main__ import main\nmain()\n"


@dataclass(frozen=True)
class Bundle:
    """The packed agent and the SHA-256 of it, as hex digits."""

    content: bytes
    digest: str


@cache
def pack_agent() -> Bundle:
    """Return the agent of this version of shipper."""
    sources = sorted(
        (entry for entry in files("shipper.agent").iterdir() if entry.name.endswith(".py")),
        key=lambda entry: entry.name,
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _add(archive, "__main__.py", _ENTRY.encode())
        for source in sources:
            _add(archive, f"{_PACKAGE}/{source.name}", source.read_bytes().replace(b"\r\n", b"\n"))
    content = buffer.getvalue()
    return Bundle(content, hashlib.sha256(content).hexdigest())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    archive.writestr(entry, content)
