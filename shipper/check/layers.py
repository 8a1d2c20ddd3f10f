"""What must not be in an image and is (field note B5): its layers, each looked through by itself.

What a later step removes is in the image all the same: whoever gets it gets every layer.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import IO

from shipper.check import context
from shipper.check.hygiene.contents import rules_digest as rules_of_names
from shipper.check.hygiene.names import LOOKED_AT_BYTES
from shipper.findings import Finding

# What base images and package managers bring along: certificates, examples, tests of libraries.
_SYSTEM = re.compile(
    r"(?:usr/(?:local/)?(?:share|lib|lib32|lib64|libexec|include|bin|sbin)|lib|lib64|bin|sbin"
    r"|etc/(?:ssl|pki|ca-certificates|alternatives)|var/(?:lib/(?:dpkg|apt|rpm|ucf|pam|systemd|misc)|cache))/"
    r"|(?:.*/)?(?:site-packages|dist-packages|node_modules)/"
)
_SHOWN_STEP = 80
# How the engine's own builder tells a step: "/bin/sh -c #(nop) COPY file:1a2b in /app", "|1 KEY=value /bin/sh -c make".
_INSTRUCTION = re.compile(r"^(?:/bin/sh -c )?#\(nop\)\s+")
_VALUE = re.compile(r"(?<=\w)=[^\s;&|]+")
_COMMAND = re.compile(r"^(?:RUN )?(?:\|\d+ .*?)?/bin/(?:ba)?sh -c ")


def rules_digest() -> str:
    """Return what changes with the rules: a verdict under other ones means nothing."""
    return hashlib.sha256(f"{rules_of_names()} {_SYSTEM.pattern}".encode()).hexdigest()[:16]


def look_into(layer: IO[bytes]) -> Iterator[list[str]]:
    """Yield what must not be in a layer, as `[path, what it is]`; `layer` is its archive, unpacked.

    Nothing is read beyond what is looked at, but for what makes a block. Raises tarfile.TarError for a damaged one.
    """
    with tarfile.open(fileobj=layer, mode="r|") as archive:
        for member in archive:
            path = member.name.removeprefix("./").strip("/")
            name = path.rpartition("/")[2]
            # Names that begin so stand for what a layer takes away (OCI image specification, "Whiteouts").
            if _SYSTEM.match(path) or name.startswith(".wh.") or not (member.isreg() or path.endswith(".git")):
                continue
            what = context.what_it_is(path, member.size, partial(_beginning, archive, member))
            if what:
                yield [path, what]


def _beginning(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member) if member.isreg() else None
    return content.read(LOOKED_AT_BYTES) if content else b""


def step_of(created_by: str) -> str:
    """Return the line of the Dockerfile that made a layer, as an image's history tells it, without values in it."""
    text = _INSTRUCTION.sub("", created_by)
    text = _COMMAND.sub("RUN ", text).removesuffix("# buildkit")
    text = _VALUE.sub("=...", " ".join(text.split()))
    return text if len(text) <= _SHOWN_STEP else text[: _SHOWN_STEP - 3] + "..."


def layer_findings(step: str, found: Iterable[Sequence[str]]) -> list[Finding]:
    """Return the findings about one layer, made by `step`, of which `look_into` found this."""
    return [
        Finding(
            rule="image-layer",
            severity="error",
            path=f"/{path}",
            message=f"/{path} is in the image: it is {what}. The step that put it there: {step}",
            why="Everybody who gets the image gets it, too, also when a later step removes it.",
            fix="Name it in .dockerignore; what a step needs for itself is mounted: [backend.image] secrets.\n"
            f'If it is meant to be there, say why in ship.toml: [[check.allow]] path = "/{path}"',
        )
        for path, what in found
    ]
