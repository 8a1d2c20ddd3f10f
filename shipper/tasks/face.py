"""Where errors meet people: a task whose expected failures become a few lines and an exit code, never a traceback."""

from __future__ import annotations

import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from invoke.exceptions import Exit
from invoke.tasks import task

from shipper.config.handed import take_secrets
from shipper.errors import ConfigError, ShipperError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
# 128 and the number of SIGINT, as every shell reports it.
_INTERRUPTED = 130


def command(
    **options: Any,
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Make a function an Invoke task that ends with the exit codes of shipper.errors; `options` are Invoke's own."""

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def guarded(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            take_secrets()
            _write_every_letter()
            try:
                return function(*arguments, **named)
            except ShipperError as error:
                from shipper.report.console import show_error

                show_error(error)
                _summarise(function, error)
                raise Exit(code=error.exit_code) from error
            except KeyboardInterrupt:
                _say("Stopped. A release that was on its way live is finished or undone by the server; see: inv status")
                raise Exit(code=_INTERRUPTED) from None
            except Exit:
                raise
            except Exception as error:
                _say(f"shipper itself failed: {type(error).__name__}. Details: {_keep_traceback()}")
                raise Exit(code=1) from error

        return cast(Callable[Arguments, Result], task(**options)(guarded))

    return decorate


def _write_every_letter() -> None:
    """Show what the output's encoding lacks (a piped one on Windows has CP949 or CP1252) instead of failing at it.

    GitHub's runners read UTF-8 on every system; they say nothing about it to the programs they start.
    """
    encoding = "utf-8" if os.environ.get("GITHUB_ACTIONS") == "true" else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _summarise(function: Callable[..., Any], error: ShipperError) -> None:
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        from shipper.report.summary import summarise_failure

        module = function.__module__.rpartition(".")[2]
        summarise_failure(function.__name__ if module == "ship" else f"{module}.{function.__name__}", error)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the console may be what failed


def _keep_traceback() -> Path:
    """Write the traceback to a file that only this user can read, and return the file."""
    from platformdirs import user_log_path

    folder = user_log_path("shipper", ensure_exists=True)
    folder.chmod(0o700)
    file = folder / "last-error.log"
    file.write_text(traceback.format_exc(), encoding="utf-8")
    return file


def confirmed(question: str, yes: bool) -> bool:
    """Ask at the terminal. Without one, nothing is assumed: raises ConfigError that names the option for it."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError("There is nobody to ask: this is not a terminal.", fix="Add --yes.")
    from rich.prompt import Confirm

    from shipper.report.console import console

    return Confirm.ask(question, console=console, default=True)
