"""Looks at files on the disk as they are named by git, and never at anything behind a link."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from shipper.check.hygiene.changes import decode_path
from shipper.check.hygiene.subjects import Subject
from shipper.errors import RepositoryError

# A file that became a link or a pipe since it was looked at is not followed and does not keep us waiting.
_OPEN = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOINHERIT")
)
# An index can hold names that no file of this system has: too long, with signs that Windows reserves.
_NOT_THERE = frozenset([errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP])


class Disk:
    """The files below the folder `top`; paths are from there, with slashes, their bytes UTF-8 as in git."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._folders = {"": True}

    def subject(self, path: str) -> Subject | None:
        """Return the file or link `path`, None when it is not there (any more), or is neither.

        Raises RepositoryError when that cannot be seen.
        """
        full = self._full(path)
        if not self._is_real(path.rpartition("/")[0]):
            return None
        status = _status(path, full)
        if status is None:
            return None
        if _is_link(status):
            target = os.fsencode(os.readlink(full))  # noqa: PTH115 - bytes
            return Subject(path, "", "symlink", len(target), lambda limit: target[:limit])
        if not stat.S_ISREG(status.st_mode):
            return None
        return Subject(path, "", "file", status.st_size, partial(_read, full))

    def walk(self) -> Iterator[str]:
        """Yield the paths of all files and links, without what is in a `.git`."""
        for parent, folders, files in os.walk(self._full(""), onerror=_refuse):
            below = os.path.relpath(parent, self._full(""))
            prefix = "" if below == "." else _text(below).replace(os.sep, "/") + "/"
            links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118
            folders[:] = sorted(name for name in folders if _text(name) != ".git" and name not in links)
            for name in sorted([*files, *links]):
                if _text(name) != ".git":
                    yield prefix + _text(name)

    def _is_real(self, folder: str) -> bool:
        """Say whether `folder` and those above it are folders: git takes what is behind a link for deleted."""
        known = self._folders.get(folder)
        if known is None:
            known = self._is_real(folder.rpartition("/")[0]) and _is_folder(_status(folder, self._full(folder)))
            self._folders[folder] = known
        return known

    def _full(self, path: str) -> str:
        return os.path.join(self.top, _system_name(path))  # noqa: PTH118 - thousands of times; Path costs ten times as much


def _system_name(path: str) -> str:
    """Return git's path as the system wants it: the same bytes, whatever encoding the locale speaks of."""
    return path if sys.platform == "win32" else os.fsdecode(path.encode("utf-8", "surrogateescape"))


def _text(name: str) -> str:
    """Return a name of the system as git would write it."""
    return name if sys.platform == "win32" else decode_path(os.fsencode(name))


def unreadable(path: str, error: OSError) -> RepositoryError:
    """Return the error for something that is there and cannot be looked at."""
    return RepositoryError(
        f"{path} cannot be read, so nothing can be said about it.",
        why=error.strerror or type(error).__name__,
        fix="Make it readable for you, or have .gitignore cover it.",
    )


def _status(path: str, full: str) -> os.stat_result | None:
    try:
        return os.lstat(full)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise unreadable(path, error) from error


def _is_folder(status: os.stat_result | None) -> bool:
    return status is not None and stat.S_ISDIR(status.st_mode) and not _is_link(status)


def _is_link(status: os.stat_result) -> bool:
    """Say whether it leads elsewhere: a junction of Windows does, too, but Python calls it a folder."""
    if sys.platform == "win32" and status.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT:
        return True
    return stat.S_ISLNK(status.st_mode)


def _read(full: str, limit: int) -> bytes:
    descriptor = os.open(full, _OPEN)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        data = file.read(limit)
        # A read may give less than was asked for; only an empty one is the end.
        while data and len(data) < limit and (more := file.read(limit - len(data))):
            data += more
    return data


def _refuse(error: OSError) -> None:
    raise unreadable(str(error.filename), error) from error
