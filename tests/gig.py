"""The tests' app in containers: its base image and its database's image, made here and put into the practice server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corner import Corner, make_corner
from example_images import build, load

from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox.image import ensure_base
from shipper.sandbox.server import Sandbox

SOURCE = Path(__file__).parent / "fixtures" / "gig"
ENVIRONMENT = "TOKEN='marker-$x 1\"2'\nDATABASE_PASSWORD='marker-1a2b3c4d5e6f'\n"
_BASE, _DATABASE = "shipper-test/python:3", "gig-database:1"
# Nothing but what the tests run in containers: every first ship compresses, looks through and unpacks all of it.
_PROGRAMS = "cat chmod cut ls mkdir rm sha256sum sleep true"
_MODULES = (
    "encodings.ascii, encodings.idna, encodings.latin_1, http.server, json, pathlib, signal, subprocess, threading, "
    "traceback, urllib.request"
)
# Modules that can do without: they would bring OpenSSL along.
_LIST = f"""
import os, sys
sys.modules.update(_hashlib=None, _ssl=None)
import {_MODULES}
found = {{getattr(module, name, None) for module in sys.modules.values() for name in ("__file__", "__cached__")}}
print(*sorted(file for file in found if file and os.path.exists(file)), sep=chr(10))
"""
_BASE_RECIPE = rf"""
ARG BASE
FROM ${{BASE}} AS debian
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-minimal libpython3-stdlib
COPY list.py /
RUN programs="/bin/sh /usr/bin/python3 $(printf '/bin/%s ' {_PROGRAMS})" && python3 /list.py > /modules \
    && libraries="$(ldd $programs $(grep '[.]so$' /modules) | grep -o '/[^ :]*\.so[^ :]*' | sort -u)" \
    && mkdir --parents /lower/tmp /upper && chmod 1777 /lower/tmp \
    && cp --archive --dereference --parents /etc/passwd /etc/group $programs $libraries /lower \
    && xargs cp --archive --dereference --parents --target-directory=/upper < /modules
FROM scratch
COPY --from=debian /lower /
COPY --from=debian /upper /
"""


def make_images(client: Any) -> None:
    """Make the images that the app rests on, where they are not there yet."""
    build(client, _BASE, {"Dockerfile": _BASE_RECIPE.encode(), "list.py": _LIST.encode()}, ensure_base(client, discard))
    files = {file.name: file.read_bytes() for file in (SOURCE / "database").iterdir()}
    build(client, _DATABASE, files, _BASE)


def load_images(sandbox: Sandbox) -> None:
    """Make the images, and put the database's onto the server, where they are not there yet."""
    with connect() as client:
        make_images(client)
        load(client, sandbox.name, _DATABASE)


def make_gig(root: Path, sandbox: Sandbox) -> Corner:
    """Put the app into a new repository."""
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
