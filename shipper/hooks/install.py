"""Installing the hooks, taking them away, and saying how things stand. Nothing is written before all of it can be."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from shipper.errors import ConfigError
from shipper.hooks.kept import Existing, choose_way, kept_file
from shipper.hooks.place import Place
from shipper.hooks.text import (
    HOOKS,
    Block,
    find_block,
    put_block,
    read_block,
    read_command,
    render_block,
    render_part_of_clone,
    take_block,
)

_ALREADY = "installed already"
State = Literal["installed", "not installed", "somebody else's", "outdated", "its Python is gone"]


@dataclass(frozen=True)
class HookStatus:
    """How things stand with one hook: its name, its state, its file, and what else there is to know."""

    hook: str
    state: State
    file: Path
    note: str = ""


@dataclass(frozen=True)
class Change:
    """What was done to one file of a hook."""

    hook: str
    file: Path
    text: str


def own_command() -> tuple[str, ...]:
    """Return the words that start this very shipper, whatever environment is active when git runs the hook.

    `-P` keeps the folder git is in off Python's path: a repository may have a folder of its own called `shipper`.
    """
    return (Path(sys.executable).as_posix(), "-P", "-m", "shipper")


def install(place: Place, command: Sequence[str] = ()) -> tuple[Change, ...]:
    """Install both hooks, or bring them up to date; done twice is done once.

    `command` are the words that start shipper, this Python's by default; the options of `shipper check` follow them.
    Raises ConfigError, before anything is changed, when the folder is not this repository's alone or when a hook that
    is there cannot be kept and run.
    """
    if place.foreign:
        raise _refusal(place)
    plans = [_plan(place, hook, tuple(command) or own_command()) for hook in HOOKS]
    return tuple(_carry_out(plan) for plan in plans)


def remove(place: Place) -> tuple[Change, ...]:
    """Take both hooks away: what was there before is there again, to the byte. Nothing to do is no error.

    Also from git's default folder, where they stand when core.hooksPath was set later. Raises ConfigError when
    somebody wrote more lines into a file that shipper made and that would give its place to a kept hook.
    """
    steps = []
    for hook in HOOKS:
        for file in dict.fromkeys(_candidates(place, hook)):
            content = _read(file)
            if content is not None and find_block(content) is not None:
                steps.append((hook, file, _rest(hook, file, content)))
    changes = [_take_away(hook, file, rest) for hook, file, rest in steps]
    for hook in HOOKS:
        _part_of_clone(place, hook).unlink(missing_ok=True)
    folder = place.common / "shipper"
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return tuple(changes)


def look(place: Place) -> tuple[HookStatus, ...]:
    """Say how things stand with both hooks. Changes nothing."""
    return tuple(_look_at(place, hook) for hook in HOOKS)


@dataclass(frozen=True)
class _Plan:
    """What will be written: `keep` first copies the file to where it is kept, `part` is the part of the clone."""

    hook: str
    file: Path
    content: bytes
    text: str
    keep: bool = False
    part: tuple[Path, bytes] | None = None


def _plan(place: Place, hook: str, command: tuple[str, ...]) -> _Plan:
    file = _file_of(place, hook)
    content = _read(file)
    own = Block(hook, command=() if place.shared_by_git else command, own_file=True)
    if content is None and not file.is_symlink():
        # A kept hook without the hook that ran it: somebody deleted ours, and theirs shall run again.
        block, text = replace(own, chained=kept_file(file, hook).exists()), "installed"
    elif content is not None and (present := find_block(content)) is not None:
        found = read_block(hook, present)
        calls_part = place.shared_by_git or not found.own_file
        block, text = replace(found, command=() if calls_part else command), "brought up to date"
    else:
        existing = Existing(file, content or b"", _runs(place, file))
        if choose_way(existing, place.shared_by_git) == "chain":
            block = replace(own, chained=True, framework=existing.is_framework)
            text = f"installed; the hook that was there is {kept_file(file, hook).name} now and runs first"
            return _Plan(hook, file, put_block(None, block), text, keep=True, part=_part(place, block, command))
        block, text = Block(hook), "installed as a block within the hook that was there"
    planned, part = put_block(content, block), _part(place, block, command)
    if planned == content and _is_executable(file) and (part is None or _read(part[0]) == part[1]):
        text = _ALREADY
    return _Plan(hook, file, planned, text, part=part)


def _part(place: Place, block: Block, command: Sequence[str]) -> tuple[Path, bytes] | None:
    return None if block.command else (_part_of_clone(place, block.hook), render_part_of_clone(block.hook, command))


def _carry_out(plan: _Plan) -> Change:
    """Write a plan. At any moment there is a whole hook: the old one, or the new one with the old one kept."""
    if plan.text == _ALREADY:
        return Change(plan.hook, plan.file, plan.text)
    plan.file.parent.mkdir(parents=True, exist_ok=True)
    if plan.keep:
        shutil.copy2(plan.file, kept_file(plan.file, plan.hook), follow_symlinks=False)
    if plan.part:
        plan.part[0].parent.mkdir(exist_ok=True)
        _replace(plan.part[0], plan.part[1], 0o755)
    file = plan.file if plan.keep else plan.file.resolve()
    mode = 0o755 if plan.keep or not file.exists() else file.stat().st_mode | 0o111
    _replace(file, plan.content, mode)
    return Change(plan.hook, plan.file, plan.text)


def _take_away(hook: str, file: Path, rest: bytes | None) -> Change:
    if rest is not None:
        _replace(file.resolve(), rest, file.stat().st_mode)
        return Change(hook, file, "shipper's block is taken away")
    kept = kept_file(file, hook)
    if file.name != hook and kept.exists() and Existing(kept, kept.read_bytes(), runs=True).is_framework:
        kept.unlink()  # the framework's hook stands in its place again, with ours moved aside
    if kept.exists() or kept.is_symlink():
        kept.replace(file)
        return Change(hook, file, "removed; the hook that was there before is back")
    file.unlink()
    return Change(hook, file, "removed")


def _rest(hook: str, file: Path, content: bytes) -> bytes | None:
    """Return what stays of a file, None when it goes or gives its place to the kept hook."""
    rest = take_block(content)
    kept = kept_file(file, hook)
    if rest is not None and kept.exists():
        raise ConfigError(
            f"{file} has lines that shipper did not write, and the hook before it is kept as {kept.name}.",
            why="Putting the kept hook back would delete these lines.",
            fix=f"Move the lines outside of shipper's marks into {kept.name}, then: inv hooks.remove",
        )
    return rest


def _look_at(place: Place, hook: str) -> HookStatus:
    file = _file_of(place, hook)
    content = _read(file)
    if place.foreign:
        return HookStatus(hook, "not installed", file, place.foreign)
    if content is None:
        return HookStatus(hook, "not installed", file)
    present = find_block(content)
    if present is None:
        return HookStatus(hook, "somebody else's", file, "inv hooks.install keeps it and runs it first.")
    block = read_block(hook, present)
    part = b"" if block.command else _read(_part_of_clone(place, hook))
    if part is None or not (block.command or part):
        return HookStatus(hook, "not installed", file, "It is in the file, but not in this clone: inv hooks.install")
    command = block.command or read_command(part)
    wanted = b"" if block.command or not command else render_part_of_clone(hook, command)
    if present != render_block(block) or part != wanted:
        return HookStatus(hook, "outdated", file, "It is not what this shipper would write: inv hooks.install")
    if not _runs(place, file):
        return HookStatus(hook, "outdated", file, "git passes it over, since it is not executable: inv hooks.install")
    if shutil.which(command[0]) is None:
        return HookStatus(hook, "its Python is gone", file, f"{command[0]} is not there: inv hooks.install")
    if place.files != place.folder and not (place.folder / hook).is_file():
        return HookStatus(hook, "outdated", file, f"husky has not made {place.folder / hook}: install your packages.")
    return HookStatus(hook, "installed", file, f"runs {' '.join(command)}")


def _file_of(place: Place, hook: str) -> Path:
    """Return the file to write. The pre-commit framework, installed later, moved ours aside and calls it there."""
    file = place.files / hook
    moved = file.with_name(f"{hook}.legacy")
    is_framework = Existing(file, _read(file) or b"", runs=True).is_framework
    return moved if is_framework and find_block(_read(moved) or b"") is not None else file


def _candidates(place: Place, hook: str) -> Iterator[Path]:
    if not place.foreign:
        yield _file_of(place, hook)
        yield place.files / hook
    yield place.default_folder / hook


def _part_of_clone(place: Place, hook: str) -> Path:
    return place.common / "shipper" / hook


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _runs(place: Place, file: Path) -> bool:
    # husky 9 hands the file to sh itself.
    return _is_executable(file) or place.files != place.folder


def _is_executable(file: Path) -> bool:
    return os.access(file, os.X_OK)


def _replace(file: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step: git finds the old hook or the new one, never a part."""
    handle, scratch = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(scratch).chmod(mode & 0o777)
        Path(scratch).replace(file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _refusal(place: Place) -> ConfigError:
    return ConfigError(
        "The folder of the hooks is not this repository's alone, so nothing was installed.",
        why=f"{place.foreign}\nA hook there would run, with this project's Python, wherever that folder is used.",
        fix=f'git config core.hooksPath "{place.default_folder.as_posix()}"\nthen: inv hooks.install\n'
        f"The hooks in {place.folder} do not run in this repository then; call them from its own, if you want them.",
    )
