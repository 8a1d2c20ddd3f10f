"""An image taken out of the engine as a file (`docker save`), for an engine that cannot push to this machine.

Docker Desktop's engine and one behind a remote DOCKER_HOST have another loopback interface than this machine. The
result is what a push would have left: compressed layers, configuration and manifest in the registry's folder.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import tarfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from shipper.deliver.image import STEP, Pushed, push_here, read_pushed
from shipper.deliver.registry import Registry
from shipper.errors import BuildError
from shipper.events import Emit, Event
from shipper.remembered import remembered

_READ_BYTES = 1 << 20
# Configurations and manifests are smaller by far.
_JSON_BYTES = 4 << 20
# Half the time of level 6 for 2.6 % more bytes (the layers of a Debian with Python).
_LEVEL = 4
_GZIP = b"\x1f\x8b"
# https://distribution.github.io/distribution/spec/manifest-v2-2/
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIGURATION = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
# Since Docker 25 a layer goes by its digest, https://github.com/opencontainers/image-spec/blob/main/image-layout.md
_CONTENT = re.compile(r"blobs/sha256/([0-9a-f]{64})")


def hand_over(client: Any, image: str, app: str, registry: Registry, emit: Emit) -> Pushed:
    """Bring the image with the id `image` into our own registry: by a push, or by an export where there is no way.

    Raises BuildError.
    """
    try:
        pushed = push_here(client, image, app, registry)
    except BuildError:
        if registry.was_reached:
            raise
    else:
        if pushed:
            return pushed
    emit(Event("note", STEP, "The engine does not reach this machine's loopback address: the image is exported."))
    return export_here(client, image, registry)


def export_here(client: Any, image: str, registry: Registry) -> Pushed:
    """Let the engine export the image with the id `image` into the folder of our own registry. Raises BuildError.

    A layer is compressed once: its digest is remembered by its DiffID in `images.json` beside the folder.
    """
    with remembered(registry.folder.with_name("images.json")) as packed:
        for diff_id in [known for known, digest in packed.items() if not registry.file_of(digest).exists()]:
            del packed[diff_id]
        texts: dict[str, bytes] = {}
        for diff_id, file in saved_layers(client, image, registry.folder, packed, texts):
            if diff_id not in packed:
                packed[diff_id] = _pack(file, registry)
        return read_pushed(registry, _write_manifest(texts, packed, registry))


def saved_layers(
    client: Any, image: str, folder: Path, known: Collection[str], texts: dict[str, bytes]
) -> Iterator[tuple[str, Path]]:
    """Yield the DiffID and the archive (compressed or not) of each layer that the engine exports, in any order.

    An archive is there until the next one is asked for; `folder` is for it. Layers that are `known` may be left out.
    `texts` gets the JSON files of the export by their names. Reads both layouts: `<id>/layer.tar`, and OCI's since
    Docker 25. Raises BuildError when the export ends early.
    """
    scratch = folder / f"{secrets.token_hex(16)}.partial"
    try:
        with tarfile.open(fileobj=_Chunks(client.api.get_image(image)), mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                named = _CONTENT.fullmatch(member.name)
                if content is None or (named and f"sha256:{named[1]}" in known):
                    continue
                text = _text(member, content, scratch)
                if text is not None:
                    texts[member.name] = text
                elif named or member.name.endswith("/layer.tar"):
                    yield _diff_id(scratch), scratch
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BuildError("The image could not be exported.", why=str(error), fix="Ship again.") from error
    finally:
        scratch.unlink(missing_ok=True)
    if "manifest.json" not in texts:
        raise BuildError("The engine stopped before the image was exported.", fix="Ship again.")


def configuration_of(texts: Mapping[str, bytes]) -> bytes:
    """Return the image's configuration among the JSON files of its export."""
    return texts[json.loads(texts["manifest.json"])[0]["Config"]]


def open_layer(file: Path) -> IO[bytes]:
    """Open a layer's archive, unpacked."""
    with file.open("rb") as content:
        packed = content.read(len(_GZIP)) == _GZIP
    opened: Any = gzip.open(file) if packed else file.open("rb")  # noqa: SIM115 - the caller closes it
    return cast("IO[bytes]", opened)


class _Chunks(io.RawIOBase):
    """What the engine sends, as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is there, at most; 0 at the end."""
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _text(member: tarfile.TarInfo, content: IO[bytes], scratch: Path) -> bytes | None:
    """Return a member that is JSON; write any other one to `scratch`. In OCI's layout both have names alike."""
    data = content.read(_JSON_BYTES) if member.size <= _JSON_BYTES else b""
    if data.startswith((b"{", b"[")):
        try:
            json.loads(data)
        except ValueError:
            pass
        else:
            return data
    with scratch.open("wb") as file:
        file.write(data)
        shutil.copyfileobj(content, file, _READ_BYTES)
        if file.tell() != member.size:
            raise EOFError(f"{member.name} is cut off")
    return None


def _diff_id(layer: Path) -> str:
    digest = hashlib.sha256()
    with open_layer(layer) as content:
        while data := content.read(_READ_BYTES):
            digest.update(data)
    return f"sha256:{digest.hexdigest()}"


def _pack(layer: Path, registry: Registry) -> str:
    """Put a layer into the registry's folder, compressed the same way every time; return its digest there."""
    made = layer.with_name(f"{secrets.token_hex(16)}.partial")
    with layer.open("rb") as content:
        if content.read(len(_GZIP)) == _GZIP:
            content.seek(0)
            with made.open("wb") as target:
                shutil.copyfileobj(content, target, _READ_BYTES)
        else:
            content.seek(0)
            with (
                made.open("wb") as target,
                gzip.GzipFile("", "wb", _LEVEL, target, mtime=0) as compressed,
            ):
                shutil.copyfileobj(content, compressed, _READ_BYTES)
    with made.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    made.replace(registry.file_of(digest))
    return digest


def _write_manifest(texts: dict[str, bytes], packed: dict[str, str], registry: Registry) -> str:
    """Put configuration and manifest beside the layers; return the manifest's digest."""
    configuration = configuration_of(texts)
    layers = json.loads(configuration)["rootfs"]["diff_ids"]
    lost = [diff_id for diff_id in layers if diff_id not in packed]
    if lost:
        raise BuildError(
            "The image could not be exported.",
            why=f"The engine's export has no layer {lost[0]} in a form that is known here.",
            fix='Deliver through a registry instead: [backend.image] delivery = "registry"',
        )
    blobs = [_described(_LAYER, packed[diff_id], registry) for diff_id in layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _described(_CONFIGURATION, registry.put(configuration), registry),
        "layers": blobs,
    }
    return registry.put(json.dumps(manifest, separators=(",", ":")).encode())


def _described(kind: str, digest: str, registry: Registry) -> dict[str, object]:
    os.utime(registry.file_of(digest))  # it is of use (keep_only)
    return {"mediaType": kind, "size": registry.file_of(digest).stat().st_size, "digest": digest}
