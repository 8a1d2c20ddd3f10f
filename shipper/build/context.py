"""What an image is built from: the files of its folder that .dockerignore leaves, read the way Docker reads it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shipper.config.text import decode_text
from shipper.errors import BuildError


def context_files(context: Path, dockerfile: Path) -> list[str]:
    """Return the paths of a build context, relative and with `/`, folders included, sorted.

    Raises ConfigError for an ignore file that is no UTF-8 text: what it names would be sent all the same.
    """
    from docker.utils.build import exclude_paths

    patterns = _ignored(context, dockerfile)
    name = dockerfile.relative_to(context).as_posix()
    return sorted(path.replace("\\", "/") for path in exclude_paths(str(context), patterns, dockerfile=name))


def _ignored(context: Path, dockerfile: Path) -> list[str]:
    """Return the lines of the ignore file; one beside the Dockerfile, with its name in front, goes first."""
    for file in (dockerfile.with_name(dockerfile.name + ".dockerignore"), context / ".dockerignore"):
        if file.is_file():
            lines = decode_text(file.read_bytes(), file.name).splitlines()
            return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return []


@contextmanager
def pack_context(context: Path, dockerfile: Path) -> Iterator[BinaryIO]:
    """Give the build context as a tar archive. Raises BuildError for a file that cannot be read."""
    from docker.utils.build import create_archive

    try:
        archive = create_archive(str(context), files=context_files(context, dockerfile))
    except (OSError, tarfile.TarError) as error:
        raise BuildError(
            "The image's files cannot be packed.", why=str(error), fix="Mend it, or name it in .dockerignore."
        ) from None
    with archive:
        yield archive
