"""Invoke's program as shipper is typed: its exit codes, and words in places where Invoke expects none."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from shipper.errors import ConfigError
from shipper.report.streams import open_streams, tell

_USAGE = ConfigError.exit_code
# The options that the first words behind a task stand for.
_PLACES = {"rollback": ("--release",), "diff": ("--old", "--new")}


# How Invoke tells of an option at the end of the line that wants a word behind it.
_VALUELESS = re.compile(r"Flag <Argument: (\w+).*> needed value.*")


def _without_value(told: re.Match[str]) -> str:
    return f"--{told[1].replace('_', '-')} wants a word behind it."


class Shipper(Program):
    """Invoke's program with shipper's exit codes, `shipper rollback RELEASE` and
    `shipper diff OLD NEW` as people type them, and a hook's words."""

    def parse_tasks(self) -> None:
        """Parse the tasks and their options; what cannot be understood is a usage error."""
        words = self.core.unparsed
        # Invoke knows no positional argument that may be left out.
        for number, option in enumerate(_PLACES.get(words[0], ()) if words else ()):
            place = 1 + 2 * number
            if len(words) <= place or words[place].startswith("-"):
                break
            words.insert(place, option)
        # The two words that git gives its hook pre-push, githooks(5).
        if words[:2] == ["check", "--push"]:
            for option, value in zip(("--remote", "--url"), words[2:4], strict=False):
                if not value.startswith("-"):
                    words[words.index(value, 2)] = f"{option}={value}"
        try:
            super().parse_tasks()
        except ParseError as error:
            raise _usage(_VALUELESS.sub(_without_value, str(error)), words) from error
        except ValueError as error:  # Invoke hands a word for a number to int() and lets its error through
            word = str(error).partition(": ")[2]
            raise _usage(f"{word} is not a whole number, which is expected there.", words) from error

    def no_tasks_given(self) -> None:
        """Show the tasks to who typed nothing else; Invoke would put its own thirty lines of options before them."""
        self.list_tasks()
        sys.stdout.write("shipper --help <task> explains one; in a new project, shipper init comes first.\n")
        raise Exit


def _usage(what: str, words: Sequence[str]) -> Exit:
    fix = "shipper --list, or: shipper --help <task>"
    if "--json" not in words:
        return Exit(f"{what}\n-> {fix}", code=_USAGE)
    from shipper.report.as_json import error_object

    with open_streams(as_json=True):
        tell(error_object(words[0], ConfigError(what, fix=fix)))
    return Exit(code=_USAGE)
