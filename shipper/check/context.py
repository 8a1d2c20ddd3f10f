"""What must not be in an image, because everybody who gets the image gets it too (field note B5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from shipper.check.hygiene.names import LOOKED_AT_BYTES, check_name
from shipper.findings import Finding


def what_it_is(path: str, size: int, read_beginning: Callable[[], bytes]) -> str:
    """Return what a file or folder with this path (with `/`) is that must not be in an image, "" for any other.

    These are the names that must not be in git, and git's own folder.
    """
    if path.rpartition("/")[2] == ".git":
        return "the whole history of the project"
    found = check_name(path, size, read_beginning)
    return found.message[:1].lower() + found.message[1:].rstrip(".") if found and found.severity == "error" else ""


def propose_ignore_file(lines: Iterable[str], folder: str) -> list[Finding]:
    """Return a note with the lines that are proposed for the .dockerignore of a folder without one."""
    text = "\n".join(lines)
    if not text:
        return []
    return [
        Finding(
            rule="image-ignore-file",
            severity="note",
            path=f"{folder}/.dockerignore",
            message=f"{folder} has no .dockerignore: everything in it is sent to the builder.",
            why="Builds are slower, any changed file makes layers anew, and what is private may get into the image.",
            fix=f"Write {folder}/.dockerignore:\n\n{text}",
        )
    ]


def check_context(files: Iterable[str], context: Path, folder: str) -> list[Finding]:
    """Return a finding for each file of a build context (paths in the folder `context`) that must stay on this machine.

    `folder` is the context's path in the project.
    """
    found = []
    for path in files:
        what = _what_is_there(context, path)
        if what:
            found.append(
                Finding(
                    rule="image-context",
                    severity="error",
                    path=f"{folder}/{path}",
                    message=f"{path} would be a part of what the image is built from: it is {what}.",
                    fix=f"Add this line to {folder}/.dockerignore: {path}",
                )
            )
    return found


def _what_is_there(context: Path, path: str) -> str:
    file = context / path

    def beginning() -> bytes:
        with file.open("rb") as opened:
            return opened.read(LOOKED_AT_BYTES)

    if file.is_symlink() or not file.is_file():
        return what_it_is(path, 0, bytes) if file.name == ".git" else ""
    return what_it_is(path, file.stat().st_size, beginning)
