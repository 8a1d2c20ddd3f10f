"""Reads objects of a repository: kinds and sizes of many at once, contents one by one, through one lasting process.

What a partial clone left at its remote is fetched before it is read, all of it at once.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from shipper.check.hygiene.program import Git, failure
from shipper.errors import RepositoryError


class Header(NamedTuple):
    """What an object is: git's word for its kind, and the size of its contents in bytes."""

    kind: str
    size: int


class Objects:
    """The objects of the repository that `git` runs in; `common` is its folder of things that working trees share."""

    def __init__(self, git: Git, common: Path) -> None:
        self._git = git
        self._common = common
        self._present_ids: frozenset[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the process that reads contents."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def headers(self, object_ids: Iterable[str]) -> dict[str, Header]:
        """Return kind and size of each object. Raises RepositoryError when one is missing or broken."""
        wanted = list(dict.fromkeys(object_ids))
        if self._is_partial:
            self._fetch_missing(wanted)
        found = {}
        for object_id, header in zip(wanted, self._ask(wanted), strict=True):
            if header is None:
                raise _unreadable(object_id)
            found[object_id] = header
        return found

    def known(self, object_ids: Iterable[str]) -> dict[str, Header]:
        """Return kind and size of those objects that are here; the others are left out."""
        wanted = list(dict.fromkeys(object_ids))
        if self._is_partial:
            wanted = [object_id for object_id in wanted if object_id in self._present()]
        return {object_id: header for object_id, header in zip(wanted, self._ask(wanted), strict=True) if header}

    def read(self, object_id: str, header: Header, limit: int) -> bytes:
        """Return the contents of an object, at most the first `limit` bytes; more than that is not read from git.

        `header` is what `headers` said of it. Raises RepositoryError when the object is missing or broken.
        """
        if header.size > limit:
            return self._read_beginning(object_id, header, limit)
        process = self._reader()
        assert process.stdin is not None
        assert process.stdout is not None
        _tell(process, object_id)
        first = process.stdout.readline()
        if first.decode().split() != [object_id, header.kind, str(header.size)]:
            raise self._broken(process, object_id)
        data = process.stdout.read(header.size + 1)
        if len(data) != header.size + 1:
            raise self._broken(process, object_id)
        return data[:-1]

    def _read_beginning(self, object_id: str, header: Header, limit: int) -> bytes:
        with self._git.start(
            "cat-file", header.kind, object_id, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            data = process.stdout.read(limit)
            process.kill()
        if len(data) != limit:
            raise _unreadable(object_id)
        return data

    def _ask(self, object_ids: list[str]) -> list[Header | None]:
        """Return a header for each, None for one that is not there."""
        given = "".join(f"{object_id}\n" for object_id in object_ids).encode()
        lines = self._git.run("cat-file", "--batch-check", given=given).decode().splitlines() if object_ids else []
        words = [line.split() for line in lines]
        return [Header(found[1], int(found[2])) if len(found) == 3 else None for found in words]

    def _reader(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # Its complaints are asked for again when it ends too early: a pipe that nobody reads would stop it.
            self._process = self._git.start("cat-file", "--batch", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self._process

    def _broken(self, process: subprocess.Popen[bytes], object_id: str) -> RepositoryError:
        process.kill()
        said = self._git.ask("cat-file", "--batch", given=f"{object_id}\n".encode()).complaints
        return _unreadable(object_id, said)

    @cached_property
    def _is_partial(self) -> bool:
        """Whether things were left at the remote on purpose: gitrepository-layout(5), "pack-*.promisor"."""
        packs = Path(self._git.environment.get("GIT_OBJECT_DIRECTORY", self._common / "objects")) / "pack"
        return any(packs.glob("*.promisor"))

    def _present(self) -> frozenset[str]:
        """Return the ids of all objects that are here. Asking git for one that is not would fetch it, alone."""
        if self._present_ids is None:
            shape = "--batch-check=%(objectname)"
            lines = self._git.stream("cat-file", "--batch-all-objects", "--unordered", shape, end=b"\n")
            self._present_ids = frozenset(line.decode() for line in lines)
        return self._present_ids

    def _fetch_missing(self, object_ids: list[str]) -> None:
        missing = [object_id for object_id in object_ids if object_id not in self._present()]
        if not missing:
            return
        # The call that git itself makes for objects that it misses: fetch_objects() in its promisor-remote.c.
        allowed = {name: value for name, value in self._git.environment.items() if name != "GIT_NO_LAZY_FETCH"}
        complaints = ""
        for remote in self._promisors():
            answer = replace(self._git, environment=allowed).ask(
                *("-c", "fetch.negotiationAlgorithm=noop", "fetch", remote, "--no-tags", "--no-write-fetch-head"),
                *("--recurse-submodules=no", "--filter=blob:none", "--stdin"),
                given="".join(f"{object_id}\n" for object_id in missing).encode(),
            )
            complaints = answer.complaints
            if answer.code == 0:
                self._present_ids = self._present() | frozenset(missing)
                return
        raise RepositoryError(
            f"{len(missing)} files that are to be checked are not in this partial clone, and could not be fetched.",
            why=failure(["fetch"], complaints).why,
            fix="git fetch --refetch --no-filter",
        )

    def _promisors(self) -> list[str]:
        answer = self._git.ask("config", "-z", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$")
        named = []
        for entry in answer.output.decode("utf-8", "replace").split("\0"):
            name, _, value = entry.partition("\n")
            if name == "extensions.partialclone":
                named.append(value)
            elif name and value != "false":
                named.append(name.removeprefix("remote.").removesuffix(".promisor"))
        return list(dict.fromkeys(named))


def _tell(process: subprocess.Popen[bytes], object_id: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(object_id.encode() + b"\n")
        process.stdin.flush()
    except OSError:
        return  # it ended: its answer will be missing


def _unreadable(object_id: str, said: str = "") -> RepositoryError:
    return RepositoryError(
        f"The object {object_id[:12]} cannot be read, so nothing can be said about it.",
        why=said.strip() or "It is missing in the repository, or its file is broken.",
        fix="git fsck --full",
    )
