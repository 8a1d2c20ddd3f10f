"""What stands in a hook: one marked block of POSIX sh, in a file of its own or within somebody's script. Only computes.

A block either runs shipper itself, with the absolute Python of this machine, or, where the hook's file is shared by
git, calls the *part of this clone*: a file in the git folder (`part_of_clone`) that does. Lines end in LF everywhere.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

HOOKS = ("pre-commit", "pre-push")
KEPT_SUFFIX = ".before-shipper"
SHEBANG = b"#!/bin/sh\n"

_OWN = "# >>> shipper made this file"
_WITHIN = "# >>> shipper"
_END = "# <<< shipper"
_WRITTEN_BY = "inv hooks.install writes what stands between these marks, inv hooks.remove takes it away."
# Also with CRLF, which git may have given a tracked file.
_BLOCK = re.compile(rb"(?:^|(?<=\n))# >>> shipper[^\n]*\n.*?\n# <<< shipper[^\n]*(?:\n|\Z)", re.DOTALL)
_RECORD = re.compile(r"^# runs (\[.*\])\r?$", re.MULTILINE)
# husky 5 to 8: that line starts the script a second time, and what stands above it would run twice.
_HUSKY_START = re.compile(rb"^[ \t]*\.[ \t][^\n]*/_/husky\.sh[^\n]*\n", re.MULTILINE)

_OPTIONS: Mapping[str, str] = {"pre-commit": "check --staged", "pre-push": 'check --push "$@"'}
_AROUND: Mapping[str, str] = {"pre-commit": "git commit --no-verify", "pre-push": "git push --no-verify"}


@dataclass(frozen=True)
class Block:
    """What one block does.

    `command` are the words that start shipper, empty where the part of this clone is called. `own_file` says that the
    whole file is shipper's; then `chained` runs the hook that was there before, first, and `framework` says that this
    one is the pre-commit framework's.
    """

    hook: str
    command: tuple[str, ...] = ()
    own_file: bool = False
    chained: bool = False
    framework: bool = False


def render_block(block: Block) -> bytes:
    """Return the block's lines, marks included, with a newline at the end."""
    lines = [f"{_OWN if block.own_file else _WITHIN}. {_WRITTEN_BY}"]
    if block.hook == "pre-push":
        lines += _REMEMBER_INPUT
    if block.chained:
        lines += _chain(block)
    lines += _run(block.hook, block.command) if block.command else _call_part_of_clone(block.hook)
    if block.hook == "pre-push" and not block.own_file:
        lines += _GIVE_INPUT_BACK
    return "\n".join([*lines, _END, ""]).encode("utf-8", "surrogateescape")


def render_part_of_clone(hook: str, command: Sequence[str]) -> bytes:
    """Return the file in the git folder that a block without a command calls."""
    remember = _REMEMBER_INPUT if hook == "pre-push" else []
    lines = ["#!/bin/sh", f"# What the hook {hook} calls on this machine. {_WRITTEN_BY}", *remember]
    return "\n".join([*lines, *_run(hook, command), ""]).encode("utf-8", "surrogateescape")


def find_block(content: bytes) -> bytes | None:
    """Return the block in a hook's content as it stands there, None when there is none."""
    found = _BLOCK.search(content)
    return found[0] if found else None


def read_block(hook: str, text: bytes) -> Block:
    """Return what a block does, to be compared with how it would be written today."""
    lines = text.decode("utf-8", "surrogateescape")
    return Block(
        hook=hook,
        command=read_command(text),
        own_file=lines.startswith(_OWN),
        chained=KEPT_SUFFIX in lines,
        framework="PRE_COMMIT_RUNNING_LEGACY" in lines,
    )


def read_command(text: bytes) -> tuple[str, ...]:
    """Return the words that start shipper, as recorded in a block or in the part of the clone; empty without them."""
    found = _RECORD.search(text.decode("utf-8", "surrogateescape"))
    try:
        words = json.loads(found[1]) if found else []
    except ValueError:
        return ()
    return tuple(str(word) for word in words)


def put_block(content: bytes | None, block: Block) -> bytes:
    """Return a hook's content with the block: in place of the one it has, or as high up as it may stand.

    High up, because what a script does further down (`exit 0`, `exec`) must not leave the block out. None is a file
    that does not exist; it becomes shipper's own.
    """
    if content is None:
        return SHEBANG + render_block(replace(block, own_file=True))
    text = render_block(block)
    found = _BLOCK.search(content)
    if found:
        ended = found[0].endswith(b"\n")
        return content[: found.start()] + (text if ended else text[:-1]) + content[found.end() :]
    start = _HUSKY_START.search(content)
    shebang = re.match(rb"#![^\n]*\n?", content)
    place = start.end() if start else shebang.end() if shebang else 0
    before, after = content[:place], content[place:]
    if before and not before.endswith(b"\n"):
        return before + b"\n" + text[:-1]
    return before + text + after


def take_block(content: bytes) -> bytes | None:
    """Return a hook's content as it was before `put_block`; None when the file was made by shipper and holds nothing
    else."""
    found = _BLOCK.search(content)
    if found is None:
        return content
    before, after = content[: found.start()], content[found.end() :]
    if not found[0].endswith(b"\n"):
        before = before.removesuffix(b"\n")
    own = found[0].startswith(_OWN.encode())
    return None if own and not after.strip() and before.replace(b"\r", b"") == SHEBANG else before + after


# git says on the standard input what is pushed, once; each of those who want it gets all of it.
_REMEMBER_INPUT = [
    "shipper_pushed=$(cat)",
    """shipper_give() { if [ -n "$shipper_pushed" ]; then printf '%s\\n' "$shipper_pushed"; fi; }""",
]
_GIVE_INPUT_BACK = [
    'if [ -n "$shipper_pushed" ]; then exec <<SHIPPER_PUSHED',
    "$shipper_pushed",
    "SHIPPER_PUSHED",
    "else exec </dev/null; fi",
]


def _chain(block: Block) -> list[str]:
    give = "shipper_give | " if block.hook == "pre-push" else ""
    # The framework runs this file itself when it was installed once more; it must not be started by it again.
    unless = ' && [ -z "$PRE_COMMIT_RUNNING_LEGACY" ]' if block.framework else ""
    return [
        f'shipper_kept=$(dirname "$0")/{block.hook}{KEPT_SUFFIX}',
        f'if [ -x "$shipper_kept" ]{unless}; then {give}"$shipper_kept" "$@" || exit $?; fi',
    ]


def _run(hook: str, command: Sequence[str]) -> list[str]:
    """Run shipper. Whatever is not a clean answer stops git: a check that did not happen is no pass.

    MSYS_NO_PATHCONV: without it Git for Windows makes `C:/Program Files/Git/x` of an argument such as `/x`.
    """
    give = "shipper_give | " if hook == "pre-push" else ""
    program, *words = (shlex.quote(word) for word in command)
    return [
        f"# runs {json.dumps(list(command))}",
        f"shipper_program={program}",
        'if ! command -v "$shipper_program" >/dev/null 2>&1; then',
        '  echo "shipper: nothing was checked, so git stops here: $shipper_program is gone." >&2',
        *_way_out(hook),
        "  exit 1",
        "fi",
        "shipper_code=0",
        " ".join(
            [f'{give}MSYS_NO_PATHCONV=1 "$shipper_program"', *words, _OPTIONS[hook], "|| shipper_code=$?"],
        ),
        "if [ $shipper_code -eq 3 ]; then exit 3; fi",
        "if [ $shipper_code -ne 0 ]; then",
        '  echo "shipper: the check itself failed with exit code $shipper_code, so git stops here." >&2',
        *_way_out(hook),
        "  exit $shipper_code",
        "fi",
    ]


def _call_part_of_clone(hook: str) -> list[str]:
    give = "shipper_give | " if hook == "pre-push" else ""
    return [
        f"shipper_part=$(git rev-parse --git-common-dir)/shipper/{hook}",
        'if [ ! -s "$shipper_part" ]; then',
        '  echo "shipper: nothing was checked, so git stops here: the hooks are not installed in this clone." >&2',
        *_way_out(hook),
        "  exit 1",
        "fi",
        f'{give}sh "$shipper_part" "$@" || exit $?',
    ]


def _way_out(hook: str) -> list[str]:
    return [
        "  echo '  -> inv hooks.install   (in an environment that has shipper)' >&2",
        f"  echo '  or, for this once: {_AROUND[hook]}' >&2",
    ]
