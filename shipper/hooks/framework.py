"""The push hook of the pre-commit framework (`.pre-commit-hooks.yaml`): what it says in variables, as git says it.

Run as a module. The framework reads git's standard input itself and names the first ref of the push that has
something new in variables (pre-commit.com, "pre-push"); for a first push of everything it names no commits at all.
Only that one ref is known here, so `inv hooks.install`, which reads git itself, sees more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from shipper.errors import ShipperError
from shipper.git import ask_git
from shipper.hooks.install import own_command

# git's name for "not there yet", in a repository of SHA-1 and in one of SHA-256.
_ZEROS = {40: "0" * 40, 64: "0" * 64}


def pushed_line(variables: Mapping[str, str], top: Path) -> bytes:
    """Return the line of githooks(5), pre-push, for what the framework says is pushed; empty when it says nothing.

    Raises ConfigError when the local ref is not in the repository at `top`.
    """
    local_ref = variables.get("PRE_COMMIT_LOCAL_BRANCH", "") or variables.get("PRE_COMMIT_TO_REF", "")
    if not local_ref:
        return b""
    wanted = variables.get("PRE_COMMIT_TO_REF") or local_ref
    local = ask_git(top, "rev-parse", "--verify", "--end-of-options", wanted).decode().strip()
    remote = variables.get("PRE_COMMIT_FROM_REF") or _ZEROS[len(local)]
    remote_ref = variables.get("PRE_COMMIT_REMOTE_BRANCH") or local_ref
    return os.fsencode(f"{local_ref} {local} {remote_ref} {remote}\n")


def check_push(variables: Mapping[str, str], command: Sequence[str]) -> int:
    """Run the check on what is pushed, or on the tree when nothing is (`pre-commit run --all-files` by hand).

    `command` are the words that start shipper. Returns the check's exit code.
    """
    line = pushed_line(variables, Path.cwd())
    if not line:
        return subprocess.run([*command, "check", "--tree"], check=False).returncode
    remote = variables.get("PRE_COMMIT_REMOTE_NAME", "origin")
    url = variables.get("PRE_COMMIT_REMOTE_URL", remote)
    return subprocess.run([*command, "check", "--push", remote, url], input=line, check=False).returncode


def main() -> None:
    """End with the check's exit code; 1 when there was no check."""
    try:
        code = check_push(os.environ, own_command())
    except ShipperError as error:
        sys.stderr.write(f"{error}\n")
        code = 1
    raise SystemExit(code)


if __name__ == "__main__":
    main()
