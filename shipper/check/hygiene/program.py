"""Runs git: an argument list, a prepared environment, bytes in and out; and says what a failure of git means."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from shipper.errors import ConfigError, RepositoryError, ShipperError

# Replace refs show other objects than those that a push sends; a file system monitor is a program of the repository.
_OPTIONS = ("--no-replace-objects", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false")
_CHUNK_BYTES = 1 << 20
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Answer:
    """How one run of git ended: its exit code, its output, and what it wrote to its standard error."""

    code: int
    output: bytes
    complaints: str


@dataclass(frozen=True)
class Git:
    """The program `program`, run in `folder` with exactly `environment`."""

    program: str
    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    def ask(self, *arguments: str, given: bytes = b"") -> Answer:
        """Run git with `given` as its input and return how it ended, whatever that is."""
        ended = subprocess.run(
            self._argv(arguments),
            cwd=self.folder,
            env=dict(self.environment),
            input=given,
            capture_output=True,
            check=False,
        )
        return Answer(ended.returncode, ended.stdout, ended.stderr.decode("utf-8", "replace"))

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run git and return its output. Raises ConfigError or RepositoryError when git fails or complains."""
        answer = self.ask(*arguments, given=given)
        refuse_failure(arguments, answer.code, answer.complaints)
        return answer.output

    def stream(self, *arguments: str, given: bytes = b"", end: bytes = b"\0") -> Iterator[bytes]:
        """Run git and yield its output piece by piece while it runs, split at `end`. Raises as `run` does, at the end.

        The input goes through a file: a pipe that both sides fill would stop them both.
        """
        with tempfile.TemporaryFile() as questions, tempfile.TemporaryFile() as complaints:
            questions.write(given)
            questions.seek(0)
            with self.start(*arguments, stdin=questions, stderr=complaints) as process:
                try:
                    assert process.stdout is not None
                    rest = b""
                    while chunk := process.stdout.read(_CHUNK_BYTES):
                        *pieces, rest = (rest + chunk).split(end)
                        yield from pieces
                    code = process.wait()
                finally:
                    # Nobody wants the rest when the caller stopped early.
                    if process.poll() is None:
                        process.kill()
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace")
            refuse_failure(arguments, code, said)
            if rest:
                raise failure(arguments, "Its output ends in the middle.")

    def start(self, *arguments: str, stdin: int | IO[bytes], stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start git with a pipe as its output; the caller ends it."""
        return subprocess.Popen(
            self._argv(arguments),
            cwd=self.folder,
            env=dict(self.environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=_CHUNK_BYTES,
        )

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [self.program, *_OPTIONS, *arguments]


def refuse_failure(arguments: Sequence[str], code: int, complaints: str) -> None:
    """Raise what `failure` returns when git failed, or ended well although it said "error:" on the way.

    `diff-tree --stdin` for one skips a commit that it cannot read and exits with 0.
    """
    if code or re.search(r"^(error|fatal): ", complaints, re.MULTILINE):
        raise failure(arguments, complaints or f"It ended with exit code {code} and without a word.")


def failure(arguments: Sequence[str], complaints: str) -> ShipperError:
    """Return the error that says what git's complaints mean. Passwords in addresses are left out."""
    why = _CREDENTIALS.sub("***@", complaints.strip())
    owned = re.search(r"dubious ownership in repository at|unsafe repository", why)
    if owned:
        advice = re.search(r"git config --global --add safe\.directory .*", why)
        return ConfigError(
            "Git does not read this repository, because its folder belongs to somebody else.",
            why=why,
            fix=advice[0].strip() if advice else "git config --global --add safe.directory <folder>",
        )
    if "lazy fetching disabled" in why or "from promisor remote" in why:
        return RepositoryError(
            "Not everything that is to be checked is in this partial clone.",
            why=why,
            fix="git fetch --refetch --no-filter",
        )
    return RepositoryError(
        f"git {arguments[0]} failed, so nothing can be said about what it was to show.",
        why=why,
        fix="git fsck --full",
    )
