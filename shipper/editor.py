"""Editing a text that nobody else may read: a private file that does not survive, and the editor of whoever is here."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from shipper.errors import ConfigError

_PREFIX = "shipper-edit-"
_SET_BY = ("VISUAL", "EDITOR")
_NO_EDITOR = "Set EDITOR to an editor that waits until the file is closed: export EDITOR=nano, or EDITOR='code --wait'"


@contextmanager
def private_file(name: str, text: str) -> Iterator[Path]:
    """Make a file that only this user can read, in a folder of its own, and remove both at the end of the block.

    The folder is there because editors write copies beside a file. It is in memory where the system has such a place
    for each user, so that no disk ever holds the text. It is gone too after Ctrl-C, an error, a closed terminal or a
    polite kill; what an impolite one left is removed by the next call.
    """
    place = _place(os.environ)
    _remove_leftovers(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))  # 0700, tempfile's promise
    try:
        with _ended_in_order():
            file = folder / name
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(environment: Mapping[str, str]) -> Path:
    """Return a folder in memory: the user's own (XDG Base Directory Specification), or Linux's; else the usual one."""
    for name in (environment.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a folder of our own is made there
        if name and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    return Path(tempfile.gettempdir())


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of processes that are gone. Windows cannot ask for a process without ending it."""
    if os.name == "nt":
        return
    for folder in place.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if owner.isdigit() and not _runs(int(owner)) and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a request to end this process unwind the block instead of cutting it off."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [(one, signal.signal(one, leave)) for one in wanted]
    try:
        yield
    finally:
        for one, handler in before:
            signal.signal(one, handler)


def editor_command(environment: Mapping[str, str], platform: str = sys.platform) -> Sequence[str]:
    """Return the editor as an argument list: VISUAL, EDITOR, or the first that is there. Raises ConfigError."""
    for name in _SET_BY:
        if words := environment.get(name, "").strip():
            try:
                parts = shlex.split(words, posix=platform != "win32")
            except ValueError as error:
                raise ConfigError(f"{name} cannot be read as a command.", why=str(error), fix=_NO_EDITOR) from None
            return [part.strip('"') for part in parts]
    for program in ("notepad",) if platform == "win32" else ("sensible-editor", "nano", "vim", "vi"):
        if found := shutil.which(program):
            return [found]
    raise ConfigError("There is no editor on this machine.", fix=_NO_EDITOR)


def edit(file: Path) -> None:
    """Open a file in the editor and wait until it is closed. Raises ConfigError when the editor fails.

    Without a terminal only an editor that somebody has set is run, for it may be a program that edits by itself. What
    it says goes nowhere then: an editor that expects a terminal would write the whole text into a log.
    """
    command = editor_command(os.environ)
    attended = os.isatty(0) and os.isatty(1)
    if not attended and not any(os.environ.get(name, "").strip() for name in _SET_BY):
        raise ConfigError("There is no terminal for an editor.", fix=_NO_EDITOR)
    place = None if attended else subprocess.DEVNULL
    # Ctrl-C belongs to the editor. A handler, not SIG_IGN: what is ignored here would be ignored by the editor, too.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run([*command, str(file)], check=False, stdin=place, stdout=place, stderr=place).returncode
    except OSError as error:
        raise ConfigError(f"The editor {command[0]} cannot be started.", why=str(error), fix=_NO_EDITOR) from None
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        raise ConfigError(f"The editor {command[0]} ended with exit code {code}, so nothing was taken over.")
