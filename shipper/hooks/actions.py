"""What a run of GitHub's actions shall check: the commits of its push or pull request, by the file of its event.

Run as a module; it prints the options for `shipper check`. Hooks can be bypassed (field note G4), this cannot.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipper.errors import ConfigError, ShipperError
from shipper.git import ask_git

_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def options(name: str, event: Mapping[str, Any], top: Path) -> tuple[str, ...]:
    """Return `--range A..B` for the commits that an event brought in, `--tree` for an event that brings in none.

    `name` and `event` are GITHUB_EVENT_NAME and the content of GITHUB_EVENT_PATH, `top` is inside the clone. Where the
    commit before a push is not known here (a new branch, a force push), what the default branch has is left out; on
    the default branch itself, nothing is. Raises ConfigError when the clone lacks the commits.
    """
    if name in ("pull_request", "pull_request_target"):
        change = event["pull_request"]
        return "--range", f"{change['base']['sha']}..{_here(change['head']['sha'], top)}"
    if name == "merge_group":
        group = event["merge_group"]
        return "--range", f"{group['base_sha']}..{_here(group['head_sha'], top)}"
    if name == "push" and event["after"].strip("0"):
        after = _here(event["after"], top)
        return "--range", f"{_before(event, top)}..{after}"
    return ("--tree",)


def _before(event: Mapping[str, Any], top: Path) -> str:
    before = _object_id(event["before"])
    if before.strip("0") and _is_here(before, top):
        return before
    default = event["repository"]["default_branch"]
    base = f"refs/remotes/origin/{default}"
    if event["ref"] != f"refs/heads/{default}" and _is_here(base, top):
        return ask_git(top, "rev-parse", "--verify", "--end-of-options", base).decode().strip()
    return "0" * len(before)


def _here(commit: str, top: Path) -> str:
    """Return the commit, which has to be here with its history: actions/checkout fetches no history by itself."""
    shallow = ask_git(top, "rev-parse", "--is-shallow-repository").strip() == b"true"
    if shallow or not _is_here(_object_id(commit), top):
        raise ConfigError(
            "This clone has no history." if shallow else f"The commit {commit} is not in this clone.",
            why="What was pushed cannot be checked.",
            fix="In the workflow, with actions/checkout: fetch-depth: 0",
        )
    return commit


def _is_here(revision: str, top: Path) -> bool:
    # 1 is git's answer for what is not there.
    answer = ask_git(
        top, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}", codes=(0, 1)
    )
    return bool(answer.strip())


def _object_id(text: str) -> str:
    if not _OBJECT_ID.fullmatch(text):
        raise ConfigError("The event of this run names no commit.", why=f"It says {text[:80]!r}.")
    return text


def main() -> None:
    """Print the options; end with 1 when there are none."""
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())
        words = options(os.environ["GITHUB_EVENT_NAME"], event, Path.cwd())
    except ShipperError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    except KeyError as error:
        sys.stderr.write(f"This is no run of GitHub's actions: {error} is missing.\n")
        raise SystemExit(1) from None
    sys.stdout.write(" ".join(words) + "\n")


if __name__ == "__main__":
    main()
