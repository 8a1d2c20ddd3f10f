"""The base images of the examples in containers: pulled, or where no image can be pulled, made from Debian's packages.

What is made here is marked with a label and stays on this machine and its practice servers. This machine's way to the
package index (addresses, certificates) gets into the Python image, and into no file of this repository.
"""

from __future__ import annotations

import ast
import hashlib
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipper.archive import tar_of
from shipper.errors import HostError
from shipper.events import Emit, Event
from shipper.sandbox.image import ensure_base

PYTHON, POSTGRES = "python:3.11-slim", "postgres:15"

_RECIPES = {PYTHON: "python", POSTGRES: "postgres"}
_FOLDER = Path(__file__).resolve().parent / "stand-ins"
_LABEL = "shipper.stand-in"
_STEP = "example.images"
_LAST_LINES = 15
# What of pip's configuration says how the index is reached: https://pip.pypa.io/en/stable/topics/configuration/
_NETWORK_SETTINGS = ("index-url", "extra-index-url", "proxy", "timeout", "trusted-host")
# Weakest first; environment variables are stronger than all files.
_SECTIONS = ("global", "install", ":env:")
_CERTIFICATES = "pip-certificates.pem"


def provide(client: Any, emit: Emit) -> None:
    """Make sure that the engine has all images that the examples begin from. Raises HostError."""
    for image in _RECIPES:
        ensure(client, image, emit)


def ensure(client: Any, image: str, emit: Emit) -> None:
    """Make sure that the engine has an image: as it is, pulled, or a stand-in of today's recipe. Raises HostError."""
    from docker.errors import APIError, ImageNotFound

    try:
        label = client.images.get(image).labels.get(_LABEL)
    except ImageNotFound:
        try:
            client.images.pull(image)
        except APIError:
            label = ""
        else:
            return
    if label is None:
        return
    files = _files(_RECIPES[image])
    digest = _digest(files)
    if label != digest:
        emit(Event("note", _STEP, f"{image} cannot be pulled; a stand-in is made from Debian's packages (once)."))
        _build(client, image, files, {_LABEL: digest}, emit)


def load(client: Any, server: str, image: str) -> None:
    """Put an image into the engine of the practice server `server`: what a server of people would pull.

    Nothing happens when it is there already. Raises HostError.
    """
    container = client.containers.get(server)
    mine = client.images.get(image)
    question = ["docker", "image", "inspect", "--format", '{{join .RootFS.Layers " "}}', image]
    if container.exec_run(question, stderr=False).output.decode().split() == mine.attrs["RootFS"]["Layers"]:
        return
    # The engine unpacks what it is given, so the archive is packed again on the way in; nothing is held in memory.
    folder = "/var/lib/docker/tmp/example-image"
    _run(container, ["mkdir", "-p", folder])
    try:
        container.put_archive(folder, mine.save(named=image))
        _run(container, ["sh", "-c", f"tar -C {folder} -c . | docker load"])
    finally:
        _run(container, ["rm", "-rf", folder])


def build(client: Any, image: str, files: Mapping[str, bytes], base: str) -> None:
    """Build an image from a Dockerfile and the files beside it; BASE is its build argument."""
    client.images.build(fileobj=tar_of(files), custom_context=True, tag=image, buildargs={"BASE": base}, rm=True)


def _run(container: Any, argv: list[str]) -> None:
    done = container.exec_run(argv)
    if done.exit_code != 0:
        raise HostError(
            f"The practice server '{container.name}' could not take an image.",
            why=f"{' '.join(argv)}: {done.output.decode('utf-8', 'replace').strip()}",
            fix="Look at its disk and its engine with: inv sandbox.ssh",
        )


def _files(recipe: str) -> dict[str, bytes]:
    files = {file.name: file.read_bytes() for file in sorted((_FOLDER / recipe).iterdir())}
    if recipe == "python":
        files |= _pip_files()
    return files


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _build(client: Any, image: str, files: Mapping[str, bytes], labels: dict[str, str], emit: Emit) -> None:
    messages = client.api.build(
        fileobj=tar_of(files),
        custom_context=True,
        tag=image,
        buildargs={"BASE": ensure_base(client, emit)},
        labels=labels,
        rm=True,
        forcerm=True,
        decode=True,
    )
    seen: list[str] = []
    for message in messages:
        seen += str(message.get("stream", "")).splitlines()
        # Errors arrive inside the stream, without an exception of the SDK's.
        if "error" in message:
            raise HostError(
                f"The stand-in for {image} could not be built.",
                why="\n".join([*seen[-_LAST_LINES:], str(message["error"])]),
                fix=f"If a download failed, check the network and repeat; or type: docker pull {image}",
            )


def pip_configuration(settings: Mapping[str, str]) -> str:
    """Return the text of a pip.conf for an image, from the options that apply on this machine.

    Addresses with a password and folders of this machine are left out. Raises HostError when no index is left then.
    """
    usable = {name: [word for word in settings.get(name, "").split() if _is_usable(word)] for name in _NETWORK_SETTINGS}
    if settings.get("index-url") and not usable["index-url"]:
        raise HostError(
            "An image that is built here cannot reach the package index of this machine.",
            why="pip's index-url is a folder, or has a password in it, which must not get into an image.",
            fix="Name another one for this command, such as: PIP_INDEX_URL=https://pypi.org/simple",
        )
    lines = [f"{name} = {' '.join(words)}" for name, words in usable.items() if words]
    return "\n".join(["[global]", *lines, f"cert = /etc/ssl/certs/{_CERTIFICATES}", ""])


def _is_usable(word: str) -> bool:
    """Whether a value means the same in an image, so is no path of this machine, and may get there."""
    return not word.startswith(("/", ".", "file:")) and "@" not in word


def _pip_files() -> dict[str, bytes]:
    """Return pip's configuration for the image and the certificates it trusts, both as on this machine."""
    settings = _pip_settings()
    trusted = Path(settings.get("cert") or ssl.get_default_verify_paths().cafile or "")
    if not trusted.is_file():
        raise HostError(f"The certificates that pip trusts were not found: {trusted}.", fix="Correct pip's `cert`.")
    return {"pip.conf": pip_configuration(settings).encode(), _CERTIFICATES: trusted.read_bytes()}


def _pip_settings() -> dict[str, str]:
    """Return what applies to `pip install` on this machine, by option."""
    argv = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for section in _SECTIONS:
        found |= {name: value for part, name, value in _pip_lines(done.stdout) if part == section}
    return found


def _pip_lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, option and value of lines such as `global.timeout='60'`."""
    for line in text.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        yield section, name, str(ast.literal_eval(value))
