"""Laying out a tree of files from the store: the manifest is checked first, then every file is a hard link.

A manifest is a list of entries `[path, kind, value]`: kind "file" with the key in the store, "directory" (an empty
one; the others follow from the files) with "", "link" with the target. Paths are relative, with `/`.
"""

from __future__ import annotations

import errno
import itertools
import os
import posixpath
import pwd
import shutil
from collections.abc import Iterable, Sequence

from . import journal, store
from .errors import AgentError
from .layout import Layout

Entry = Sequence[str]
_NAME_BYTES = 255  # NAME_MAX of Linux, limits.h
# What was delivered to this process, by the digests of the manifests; shipper.agent.delivery fills it.
delivered: dict[str, list[Entry]] = {}


def named(digest: str) -> list[Entry]:
    """Return the manifest that was delivered under this digest. Raises AgentError when there is none."""
    if digest not in delivered:
        raise AgentError("bug", f"No tree {digest[:12]} was delivered.")
    return delivered[digest]


def check(entries: Iterable[Entry]) -> None:
    """Raise AgentError for an entry that would leave the tree or cannot be a path; the client checked it before."""
    kinds: dict[str, str] = {}
    for path, kind, value in entries:
        _check_path(path)
        if kind not in ("file", "directory", "link"):
            raise AgentError("config", f"{path!r} is of the unknown kind {kind!r}.")
        if kind == "link":
            _check_link(path, value)
        if kind == "file":
            store.check_key(value)
        if path in kinds:
            raise AgentError("config", f"{path!r} is in the manifest twice.")
        kinds[path] = kind
    for path in kinds:
        parent = posixpath.dirname(path)
        while parent:
            if kinds.get(parent, "directory") != "directory":
                raise AgentError("config", f"{path!r} lies below {parent!r}, which is not a folder.")
            parent = posixpath.dirname(parent)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise AgentError("config", f"{path!r} is not a path inside the tree.")
    if any(len(os.fsencode(part)) > _NAME_BYTES for part in parts):
        raise AgentError("config", f"{path!r} has a name of more than {_NAME_BYTES} bytes.")


def _check_link(path: str, target: str) -> None:
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = sum(1 for _ in itertools.takewhile("..".__eq__, parts))
    # Only at the beginning does `..` climb from a real folder: behind the name of another link it would climb from
    # wherever that one leads, and each of the two would look harmless.
    if not target or "\0" in target or target.startswith("/") or climbs > path.count("/") or ".." in parts[climbs:]:
        raise AgentError("config", f"The link {path!r} points to {target!r}, which may be outside of the tree.")


def lay(layout: Layout, entries: Sequence[Entry], folder: str) -> None:
    """Make `folder`, which must not exist, with all entries. Folders get 0755, files the mode of their content."""
    check(entries)
    _make(folder)
    made = {""}
    try:
        for path, kind, value in entries:
            parent = path if kind == "directory" else posixpath.dirname(path)
            _make_parents(folder, parent, made)
            if kind == "file":
                link(store.path_of(layout, value), f"{folder}/{path}")
            elif kind == "link":
                os.symlink(value, os.path.join(folder, path))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise store.write_error(error, layout.root) from error


def remove(folder: str) -> None:
    """Remove a folder. However it is cut short, what is left under its own name is whole or not there.

    A release or a slot that lost only some of its files would be taken for a good one by the next ship.
    """
    scratch = f"{folder}.{os.getpid()}.partial"  # a name that shipper.agent.leftovers knows
    os.rename(folder, scratch)
    journal.sync_folder(os.path.dirname(folder))
    shutil.rmtree(scratch)


def _make_parents(folder: str, path: str, made: set[str]) -> None:
    if path in made:
        return
    _make_parents(folder, posixpath.dirname(path), made)
    _make(os.path.join(folder, path))
    made.add(path)


def _make(folder: str) -> None:
    os.mkdir(folder)
    os.chmod(folder, 0o755)  # whatever the umask says (field note U1)


def link(content: str, path: str) -> None:
    """Make `path` a hard link to `content`, or a copy where it has as many links as it can have."""
    try:
        os.link(content, path)
    except OSError as error:
        # ext4 allows 65,000 links to one file; an empty __init__.py can get there.
        if error.errno != errno.EMLINK:
            raise
        shutil.copy2(content, path)


def first_unreadable(path: str, user: str) -> str:
    """Return the first folder on the way to `path` (or itself) that `user` may not enter; "" when all is well.

    It is tried in a child process with the user's own identity, so that groups and access lists count as they will
    for nginx (field note U1). Raises AgentError when there is no such user.
    """
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise AgentError("host", f"nginx is to run as {user!r}, but the server has no such user.") from None
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.write(writer, os.fsencode(_blocked_for(path, account)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        blocked = os.fsdecode(answer.read())
    os.waitpid(child, 0)
    return blocked


def _blocked_for(path: str, account: pwd.struct_passwd) -> str:
    os.setgroups(os.getgrouplist(account.pw_name, account.pw_gid))
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    walked = "/"
    for part in os.path.realpath(path).strip("/").split("/"):
        if not os.access(walked, os.X_OK):
            return walked
        walked = os.path.join(walked, part)
    mode = os.R_OK | os.X_OK if os.path.isdir(walked) else os.R_OK
    return "" if os.access(walked, mode) else walked
