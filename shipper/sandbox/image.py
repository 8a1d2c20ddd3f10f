"""The practice server's image, built when its recipe changed and found again when it did not.

The base is Debian 12. Where no image can be pulled, it is made from the packages of the mirror that apt uses.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from shipper.archive import tar_of
from shipper.errors import HostError
from shipper.events import Emit, Event

_REPOSITORY = "shipper/sandbox"
_RELEASE = "bookworm"
_PUBLIC_BASE = f"debian:{_RELEASE}-slim"
_OWN_BASE = f"shipper/debian-base:{_RELEASE}-slim"
# What Debian's own slim images do without, then and in every later package: dpkg(1), --path-exclude.
_DOCUMENTS = tuple(f"/usr/share/{name}/*" for name in ("doc", "groff", "info", "lintian", "locale", "man"))
# What was needed to make it: packages, and apt's tables of them, which it makes anew.
_MADE_WITH = ("/var/cache/apt/archives/*.deb", "/var/cache/apt/*.bin", "/var/lib/apt/lists/*", "/var/log/*.log")
_LAST_LINES = 15


def ensure_image(client: Any, emit: Emit) -> str:
    """Return the tag of the image for the recipe of this version, building it when it is not there.

    Raises HostError when the base cannot be had or the build fails.
    """
    recipe = _recipe()
    tag = f"{_REPOSITORY}:{_digest(recipe)}"
    if _has(client, tag):
        return tag
    base = ensure_base(client, emit)
    emit(Event("note", "sandbox.image", "Building the practice server's image (once; about a minute)."))
    lines = client.api.build(
        fileobj=tar_of(recipe),
        custom_context=True,
        tag=tag,
        buildargs={"BASE": base},
        rm=True,
        forcerm=True,
        decode=True,
    )
    _follow(lines, emit)
    if not _has(client, tag):
        raise HostError("The build of the practice server's image ended without an image.", fix="Repeat it.")
    return tag


def _recipe() -> dict[str, bytes]:
    folder = resources.files("shipper.sandbox") / "recipe"
    return {entry.name: entry.read_bytes() for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)}


def _digest(recipe: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in recipe.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _follow(lines: Iterable[dict[str, Any]], emit: Emit) -> None:
    """Pass a build's output on. Errors arrive inside the stream, without an exception of the SDK's."""
    seen: list[str] = []
    for line in lines:
        for text in str(line.get("stream", "")).splitlines():
            if text.strip():
                seen.append(text.rstrip())
                emit(Event("output", "sandbox.image", text.rstrip()))
        if "error" in line:
            raise HostError(
                "The practice server's image could not be built.",
                why="\n".join([*seen[-_LAST_LINES:], str(line["error"])]),
                fix="If a download failed, check the network and type: inv sandbox.up",
            )


def ensure_base(client: Any, emit: Emit) -> str:
    """Return the tag of a plain Debian 12, getting or making it when it is not there. Raises HostError."""
    for tag in (_PUBLIC_BASE, _OWN_BASE):
        if _has(client, tag):
            return tag
    from docker.errors import APIError

    try:
        client.images.pull(_PUBLIC_BASE)
    except APIError as error:
        return _bootstrap_base(client, emit, error.explanation or str(error))
    return _PUBLIC_BASE


def _bootstrap_base(client: Any, emit: Emit, reason: str) -> str:
    """Make the base from Debian's packages with debootstrap(8), which needs root and a Debian or Ubuntu."""
    debootstrap, mirror = shutil.which("debootstrap"), _debian_mirror()
    if debootstrap is None or mirror is None or not _is_root():
        raise HostError(
            f"The base image {_PUBLIC_BASE} could not be pulled, and it cannot be made from packages here.",
            why=f"The engine said: {reason}\nMaking it needs Debian, root and the program debootstrap.",
            fix=f"Check the network and type: docker pull {_PUBLIC_BASE}\n"
            "Or, as root on Debian: apt-get install debootstrap, and repeat.",
        )
    emit(Event("note", "sandbox.image", "No image can be pulled; making the base from Debian's packages (once)."))
    # Only /var/tmp is a real disk everywhere; /tmp may be mounted without device files.
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "root"
        done = subprocess.run(
            [debootstrap, "--variant=minbase", _RELEASE, str(root), mirror],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise HostError(
                "The base of the practice server could not be made from Debian's packages.",
                why="\n".join((done.stdout + done.stderr).splitlines()[-_LAST_LINES:]),
                fix="Check with: apt-get update   and type: inv sandbox.up",
            )
        settings = "".join(f"path-exclude={pattern}\n" for pattern in _DOCUMENTS)
        (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(settings, encoding="utf-8")
        _import_tree(client, root)
    return _OWN_BASE


def _import_tree(client: Any, root: Path) -> None:
    repository, _, tag = _OWN_BASE.partition(":")
    left_out = [f"--exclude=.{pattern}" for pattern in (*_DOCUMENTS, *_MADE_WITH)]
    argv = ["tar", "-C", str(root), *left_out, "-c", "."]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as packer:
        client.api.import_image_from_stream(packer.stdout, repository=repository, tag=tag)
    if packer.returncode != 0:
        client.images.remove(_OWN_BASE, force=True)
    if packer.returncode != 0 or not _has(client, _OWN_BASE):
        raise HostError(
            "The base of the practice server could not be brought into the Docker engine.",
            fix="Check that the disk has a free gigabyte (df -h) and type: inv sandbox.up",
        )


def _debian_mirror() -> str | None:
    """Return the mirror that apt uses for Debian on this machine, None where there is none (apt-get(8))."""
    apt = shutil.which("apt-get")
    if apt is None:
        return None
    argv = [apt, "indextargets", "--format", "$(LABEL) $(SITE)", "Identifier: Packages"]
    lines = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    return next((site for label, _, site in (line.partition(" ") for line in lines) if label == "Debian"), None)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _has(client: Any, tag: str) -> bool:
    from docker.errors import ImageNotFound

    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True
