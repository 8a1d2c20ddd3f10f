"""Where errors meet people: a task whose expected failures become a few lines and an exit code, never a traceback."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from invoke.exceptions import Exit
from invoke.tasks import task

from shipper.config.handed import take_secrets
from shipper.errors import ConfigError, ShipperError, StoppedError
from shipper.masking import hide_environment, masked
from shipper.report.streams import open_streams, tell

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_STOPPED = "A release that was on its way live is finished or undone by the server."


def command(
    **options: Any,
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Make a function an Invoke task that ends with the exit codes of shipper.errors; `options` are Invoke's own.

    One with a parameter `json` writes nothing but JSON to standard output when it is true: what it told meanwhile, and
    at the end the shipper.report.as_json.Answer that it returns, or the error. An answer's exit code always counts.
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def guarded(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            as_json = bool(named.get("json"))
            # Invoke turns it off for the sake of tasks.py: all that is imported from here on would never be kept.
            sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
            take_secrets()
            hide_environment()
            with open_streams(as_json):
                try:
                    answer = function(*arguments, **named)
                except ShipperError as error:
                    _show_error(_name_of(function), error, as_json)
                    raise Exit(code=error.exit_code) from error
                except (KeyboardInterrupt, EOFError):  # Ctrl-C; Ctrl-D at a question, or a terminal that is gone
                    _show_error(_name_of(function), StoppedError("Stopped.", why=_STOPPED, fix="inv status"), as_json)
                    raise Exit(code=StoppedError.exit_code) from None
                except Exit:
                    raise
                except Exception as error:
                    _show_defect(_name_of(function), error, as_json)
                    raise Exit(code=1) from error
                _end(_name_of(function), answer, as_json)
                return answer

        return cast(Callable[Arguments, Result], task(**options)(guarded))

    return decorate


def _name_of(function: Callable[..., Any]) -> str:
    """Return the name of a task as people type it: `ship`, `host.check`."""
    module = function.__module__.rpartition(".")[2]
    return function.__name__ if module in ("ship", "releases", function.__name__) else f"{module}.{function.__name__}"


def _end(name: str, answer: object, as_json: bool) -> None:
    """Tell a program how the command ended; raise Exit with the exit code of its answer."""
    if answer is None:
        return
    from shipper.report.as_json import Answer, answer_object

    assert isinstance(answer, Answer)
    if as_json:
        tell(answer_object(name, answer))
    if answer.exit_code:
        raise Exit(code=answer.exit_code)


def _show_error(name: str, error: ShipperError, as_json: bool) -> None:
    if as_json:
        from shipper.report.as_json import error_object

        tell(error_object(name, error))
    else:
        from shipper.report.console import show_error

        show_error(error)
    _summarise(name, error)


def _show_defect(name: str, error: Exception, as_json: bool) -> None:
    what, why = f"shipper itself failed: {type(error).__name__}.", f"Details: {_keep_traceback()}"
    if as_json:  # whoever reads it shall not take silence for a pass
        _show_error(name, ShipperError(what, why=why), as_json)
    else:
        print(what, why, file=sys.stderr)  # noqa: T201 - the console may be what failed


def _summarise(name: str, error: ShipperError) -> None:
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        from shipper.report.summary import summarise_failure

        summarise_failure(name, error)


def _keep_traceback() -> Path:
    """Write the traceback to a file that only this user can read, and return the file."""
    from platformdirs import user_log_path

    folder = user_log_path("shipper", ensure_exists=True)
    folder.chmod(0o700)
    file = folder / "last-error.log"
    file.write_text(masked(traceback.format_exc()), encoding="utf-8")
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


def refuse_negative(option: str, number: int) -> None:
    """Raise ConfigError when the number behind an option such as `--lines` counts something and is below zero."""
    if number < 0:
        raise ConfigError(f"{option} {number} is below zero.", fix=f"Give a number from 0 on, such as {option} 7.")
