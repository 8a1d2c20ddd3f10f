"""A pytest plugin that gives shipper's local half, and it alone, what Python has on Windows.

To modules of shipper (the agent aside, which only ever runs on servers), POSIX-only modules do not exist, `os` and
`signal` lack what they lack there, `os.name`, `os.sep` and `sys.platform` say Windows, a pure path is a Windows path,
and a relative path turned into text has backslashes. Text is written with CRLF unless the code says otherwise, and
text read or written in the system's encoding is an error. The libraries keep their own world, because they choose by
`sys.platform` what to import.
"""

from __future__ import annotations

import builtins
import os
import pathlib
import platform
import signal
import socket
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

MODULES = frozenset("crypt curses fcntl grp nis posix pty pwd readline resource spwd syslog termios tty".split())
# What the documentation of `os`, `signal` and `socket` marks as "Availability: Unix".
LACKING: Mapping[str, frozenset[str]] = {
    "os": frozenset(
        """
        O_CLOEXEC O_DIRECTORY O_DSYNC O_NOCTTY O_NOFOLLOW O_NONBLOCK O_SYNC WEXITSTATUS WIFEXITED WIFSIGNALED WNOHANG
        WTERMSIG chflags chown chroot confstr ctermid fchdir fchmod fchown fork forkpty getegid geteuid getgid
        getgrouplist getgroups getloadavg getpgid getpgrp getpriority getresgid getresuid getsid getuid initgroups
        killpg lchown lockf major makedev minor mkfifo mknod nice openpty pathconf pipe2 posix_fadvise posix_fallocate
        posix_spawn posix_spawnp pread preadv pwrite pwritev readv sched_getaffinity sched_yield sendfile setegid
        seteuid setgid setgroups setpgid setpriority setregid setreuid setsid setuid statvfs sync sysconf tcgetpgrp
        tcsetpgrp ttyname uname wait wait3 wait4 waitid writev
        """.split()
    ),
    "signal": frozenset(
        """
        SIGALRM SIGCHLD SIGCONT SIGHUP SIGIO SIGKILL SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGUSR1
        SIGUSR2 SIGWINCH alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigwait
        """.split()
    ),
    "socket": frozenset(["AF_UNIX"]),
}


class _Path(type(pathlib.Path())):  # type: ignore[misc]
    """A path of this system whose text looks, and whose files are written, as on Windows."""

    def __str__(self) -> str:
        text = super().__str__()
        return text if text.startswith("/") else text.replace("/", "\\")

    def __fspath__(self) -> str:
        return super().__str__()

    def as_posix(self) -> str:
        return super().__str__()

    def write_text(self, data: str, encoding: str | None = None, errors: str | None = None, newline: Any = None) -> int:
        _refuse_system_encoding(encoding)
        return super().write_text(data, encoding, errors, "\r\n" if newline is None else newline)

    def read_text(self, encoding: str | None = None, errors: str | None = None, *newline: Any, **more: Any) -> str:
        _refuse_system_encoding(encoding)
        return super().read_text(encoding, errors, *newline, **more)


class _Module(types.ModuleType):
    """A module as shipper sees it: with what stands in for the real one's names, and without what Windows lacks."""

    def __init__(self, real: types.ModuleType, **instead: object) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(instead)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> object:
        if name in LACKING.get(self.__name__, ()):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}' on Windows")
        return getattr(self.__dict__["_real"], name)


def _refuse_system_encoding(encoding: str | None) -> None:
    if encoding is None:
        raise AssertionError("The system's encoding is cp949 on a Korean Windows; say which one is meant.")


WORLD: Mapping[str, types.ModuleType] = {
    "os": _Module(os, name="nt", sep="\\", altsep="/", linesep="\r\n"),
    "pathlib": _Module(pathlib, Path=_Path, PurePath=pathlib.PureWindowsPath),
    "platform": _Module(platform, system=lambda: "Windows"),
    "signal": _Module(signal),
    "socket": _Module(socket),
    "sys": _Module(sys, platform="win32"),
}
_import = builtins.__import__


def _import_as_on_windows(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> types.ModuleType:
    importer = str((globals or {}).get("__name__", ""))
    if level or not is_local_half(importer):
        return _import(name, globals, locals, fromlist, level)
    top = name.partition(".")[0]
    if top in MODULES:
        raise ModuleNotFoundError(f"No module named '{name}' on Windows, which {importer} wants", name=name)
    real = _import(name, globals, locals, fromlist, level)
    return WORLD.get(name if fromlist else top, real)


def is_local_half(module: str) -> bool:
    """Say whether a module of this name runs on a developer's machine."""
    return module.split(".")[0] == "shipper" and not module.startswith("shipper.agent")


def enter() -> None:
    """Make the world, for this process and for good. No module of shipper may have been imported before."""
    assert not any(is_local_half(name) for name in sys.modules), "shipper was imported before its world was made"
    builtins.__import__ = _import_as_on_windows


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Enter before conftest.py imports shipper."""
    enter()
