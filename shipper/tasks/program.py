"""Invoke's program as shipper is typed: its exit codes, and words in places where Invoke expects none."""

from __future__ import annotations

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

_USAGE = 2


class Shipper(Program):
    """Invoke's program with shipper's exit codes, `shipper rollback RELEASE` as people type it, and a hook's words."""

    def parse_tasks(self) -> None:
        """Parse the tasks and their options; what cannot be understood is a usage error."""
        words = self.core.unparsed
        # Invoke knows no positional argument that may be left out.
        if words[:1] == ["rollback"] and len(words) > 1 and not words[1].startswith("-"):
            words.insert(1, "--release")
        # The two words that git gives its hook pre-push, githooks(5).
        if words[:2] == ["check", "--push"]:
            for option, value in zip(("--remote", "--url"), words[2:4], strict=False):
                if not value.startswith("-"):
                    words[words.index(value, 2)] = f"{option}={value}"
        try:
            super().parse_tasks()
        except ParseError as error:
            raise _usage(str(error)) from error
        except ValueError as error:  # Invoke hands a word for a number to int() and lets its error through
            word = str(error).partition(": ")[2]
            raise _usage(f"{word} is not a whole number, which is expected there.") from error


def _usage(what: str) -> Exit:
    return Exit(f"{what}\n-> shipper --list, or: shipper --help <task>", code=_USAGE)
