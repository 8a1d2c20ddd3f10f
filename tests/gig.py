"""The tests' app in containers: its base image and its database's image, made here and put into the practice server."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corner import Corner, make_corner

from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox.image import ensure_base
from shipper.sandbox.server import Sandbox

SOURCE = Path(__file__).parent / "fixtures" / "gig"
ENVIRONMENT = "TOKEN='marker-$x 1\"2'\nDATABASE_PASSWORD='marker-1a2b3c4d5e6f'\n"
_BASE, _DATABASE = "shipper-test/python:1", "gig-database:1"
_BASE_RECIPE = """
ARG BASE
FROM ${BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-minimal libpython3-stdlib \
    && rm -rf /var/lib/apt/lists/*
"""


def make_gig(root: Path, sandbox: Sandbox) -> Corner:
    """Put the app into a new repository, and its database's image onto the server."""
    with connect() as client:
        _build(client, _BASE, {"Dockerfile": _BASE_RECIPE.encode()}, ensure_base(client, discard))
        files = {file.name: file.read_bytes() for file in (SOURCE / "database").iterdir()}
        _build(client, _DATABASE, files, _BASE)
        _load(client, sandbox.name)
    return make_corner(root, sandbox, SOURCE, ENVIRONMENT)


def containers(run: Callable[[Sequence[str]], tuple[int, str]]) -> dict[str, str]:
    """Return the ids of the containers that run, by their names without the slot, as either Compose makes them."""
    lines = run(["docker", "ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}"])[1].splitlines()
    return {
        re.sub(r"-[0-9a-f]{12}-", "-", name.replace("_", "-")): identity for name, identity in map(str.split, lines)
    }


@contextmanager
def edited(app: Corner, path: str, old: str, new: str) -> Iterator[None]:
    """Change a file of the app for the length of the block."""
    before = (app.root / path).read_bytes()
    app.edit(path, old, new)
    try:
        yield
    finally:
        (app.root / path).write_bytes(before)


def _build(client: Any, tag: str, files: dict[str, bytes], base: str) -> None:
    client.images.build(fileobj=_archive(files), custom_context=True, tag=tag, buildargs={"BASE": base}, rm=True)


def _load(client: Any, server: str) -> None:
    """What a server of people fetches from Docker Hub."""
    container = client.containers.get(server)
    if container.exec_run(["docker", "image", "inspect", _DATABASE]).exit_code == 0:
        return
    image = b"".join(client.images.get(_DATABASE).save(named=True))
    container.put_archive("/root", _archive({"database.tar": image}).getvalue())
    loaded = container.exec_run(["docker", "load", "--input", "/root/database.tar"])
    assert loaded.exit_code == 0, loaded.output
    container.exec_run(["rm", "/root/database.tar"])


def _archive(files: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer
