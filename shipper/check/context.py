"""What must not be in an image, because everybody who gets the image gets it too (field note B5)."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable

from shipper.findings import Finding

# Patterns of names, lower case, and what they are.
_NEVER = {
    ".env": "an environment with its secrets",
    ".env.*": "an environment with its secrets",
    "*.pem": "a key or certificate",
    "*.key": "a private key",
    "id_rsa": "a private key",
    "id_ed25519": "a private key",
    "*.ppk": "a private key",
    ".git": "the whole history of the project",
    "*.dump": "a database dump",
    "*.sql.gz": "a database dump",
    "*.sqlite3": "a database",
    "*.db": "a database",
    ".npmrc": "a file that often holds a token",
    ".pypirc": "a file that often holds a token",
    ".netrc": "a file that holds passwords",
}
_EXAMPLES = (".example", ".sample", ".template", ".dist")
# Changes with the table, for those who remember what was found with it.
NAMES_DIGEST = hashlib.sha256(repr((_NEVER, _EXAMPLES)).encode()).hexdigest()


def what_it_is(path: str) -> str:
    """Return what a file or folder with this path (with `/`) is that must not be in an image, "" for any other."""
    name = path.rpartition("/")[2].lower()
    if name.endswith(_EXAMPLES):
        return ""
    return next((what for pattern, what in _NEVER.items() if fnmatch.fnmatchcase(name, pattern)), "")


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


def check_context(files: Iterable[str], folder: str) -> list[Finding]:
    """Return a finding for each file of a build context that must stay on this machine."""
    found = []
    for path in files:
        what = what_it_is(path)
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
