"""`--json`: what a task answers to a program is one object on standard output, also when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit

from shipper.errors import FindingsError, ShipperError


@contextmanager
def failures_as_json(wanted: bool) -> Iterator[None]:
    """Let an expected failure in the block become an answer, where JSON is wanted; the exit code stays its own."""
    try:
        yield
    except ShipperError as error:
        if not wanted:
            raise
        from shipper.report.answers import render_answer

        told = {"what": error.what, "why": error.why, "fix": error.fix}
        print_answer(
            render_answer(error.findings if isinstance(error, FindingsError) else (), error.exit_code, error=told)
        )
        raise Exit(code=error.exit_code) from error


def print_answer(text: str) -> None:
    """Print an answer as it is: no width, no colour."""
    print(text)  # noqa: T201 - for programs
