"""Finding and reading `ship.toml`, and choosing a target. Every mistake is named with its line, all in one go."""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from shipper.config.explain import explain, nearest
from shipper.config.lines import find_lines
from shipper.config.project import Project, Workspace
from shipper.config.target import Target
from shipper.config.text import decode_text
from shipper.errors import ConfigError

# The practice server: a target that is there without being configured.
SANDBOX = "sandbox"
FILE_NAME = "ship.toml"

_MINIMAL = """\
name = "my-app"

[frontend]
path = "frontend"
preset = "next"

[targets.production]
host = "app.example.com\""""

# What tomllib says, and what people usually did; first match wins.
_SYNTAX_HINTS = (
    (
        r"Invalid hex value|Unescaped '\\'|escape",
        "a backslash begins an escape here; use / or put the text in 'single quotes'",
    ),
    (r"Cannot declare|Cannot overwrite|twice", "this key or table is in the file twice"),
    (
        r"Invalid value|Invalid initial character",
        "expected a value: text in quotes, a number, true, false, [ ... ] or { ... }",
    ),
    (r"Expected '=' after a key", "expected '=' after the key (a key with spaces needs quotes)"),
    (r"Unterminated string|Expected \"'\"|Illegal character '\\n'", "a quote is opened but never closed"),
    (r"Unclosed array|inline table", "a bracket is opened but never closed"),
    (r"Expected newline or end of document", "expected the end of the line after the value"),
    (r"Expected '\]", "expected ']' at the end of the table's name"),
    (r"Invalid statement", "expected a key, a [table] or a comment"),
)


def find_workspace(start: Path) -> Workspace:
    """Return the project whose `ship.toml` is in the folder `start` or nearest above it.

    The search ends at the git root, or at the file system's. Raises ConfigError when there is no `ship.toml`, or
    when it cannot be right.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / FILE_NAME
        if file.is_file():
            return Workspace(root=folder, project=load_project(file))
        if (folder / ".git").exists():
            break
    raise ConfigError(
        f"There is no {FILE_NAME} in {start} or above it.",
        why=f"{FILE_NAME} says what is built here and where it is shipped to.",
        fix=f"In your project's folder, let this write it: shipper init\nOr put this into {FILE_NAME}:\n\n{_MINIMAL}",
    )


def load_project(file: Path) -> Project:
    """Read a `ship.toml`. Raises ConfigError that names every mistake with its line and key."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read.", why=str(error.strerror), fix="Look at the file's rights."
        ) from None
    return parse_project(decode_text(content, file.name), file.name)


def parse_project(text: str, source: str) -> Project:
    """Read the text of a `ship.toml`; `source` names it in errors. Raises ConfigError like `load_project`."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, source) from None
    try:
        # JSON mode is what lets a list of the file become a tuple of the strict, frozen models.
        return Project.model_validate_json(json.dumps(data, default=_dates_as_lists))
    except ValidationError as error:
        mistakes = explain(error.errors(include_url=False), data, find_lines(text))
    entries = [
        f"{source}:{mistake.line}  {mistake.key + '  ' if mistake.key else ''}{mistake.text}" for mistake in mistakes
    ]
    count = f"{len(entries)} mistakes" if len(entries) > 1 else "a mistake"
    raise ConfigError(
        f"There {'are' if len(entries) > 1 else 'is'} {count} in {source}.",
        why="\n".join(entries),
        fix=f"Correct {source} and run the command again. Every key is explained in docs/ship-toml.md.",
    )


def choose_target(workspace: Workspace, name: str | None, sandbox: Target | None) -> tuple[str, Target]:
    """Return the name and the target to ship to.

    That is the one named, else `default_target`, else the only one configured, else the sandbox. `sandbox` is the
    practice server as a target, None when it is not running; a configured target of that name goes first. Raises
    ConfigError when nothing is named and several are configured, when the name is unknown, and when the sandbox is
    meant but not running.
    """
    targets = workspace.project.targets
    chosen = name or workspace.project.default_target
    if chosen is None and len(targets) > 1:
        raise ConfigError(
            f"Which target? {FILE_NAME} has {', '.join(targets)}.",
            fix=f"Name one, such as: --to {next(iter(targets))}\n"
            f'or write default_target = "{next(iter(targets))}" at the top of {FILE_NAME}.',
        )
    if chosen is None:
        chosen = next(iter(targets), SANDBOX)
    if chosen in targets:
        return chosen, targets[chosen]
    if chosen != SANDBOX:
        raise _unknown_target(chosen, [*targets, SANDBOX])
    if sandbox is None:
        raise ConfigError(
            "The target is the sandbox, but it is not running.",
            why="The sandbox is a practice server in a container on this machine.",
            fix="Start it with: inv sandbox.up",
        )
    return chosen, sandbox


def _unknown_target(name: str, known: list[str]) -> ConfigError:
    guess = nearest(name, known)
    return ConfigError(
        f"There is no target '{name}'" + (f"; did you mean '{guess}'?" if guess else "."),
        why=f"The targets are: {', '.join(known)}.",
        fix=f"Use one of these, or add [targets.{name}] with its host to {FILE_NAME}."
        if re.fullmatch(r"[a-z][a-z0-9-]*", name)
        else "Use one of these.",
    )


def _dates_as_lists(value: object) -> list[list[str | None]]:
    """Stand in for a TOML date or time, which JSON does not know: a list in a list, which fails the type of every key
    but those that want a date (`shipper.config.check`). A time fails those, too.
    """
    is_date = isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    return [[str(value) if is_date else None]]


def _syntax_error(message: str, text: str, source: str) -> ConfigError:
    """Turn what tomllib says into place, line and expectation; before Python 3.14 its message is all there is."""
    lines = text.split("\n")
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    if place:
        number, column = int(place[1]), int(place[2])
    else:
        number = max((index for index, line in enumerate(lines, 1) if line.strip()), default=1)
        column = len(lines[number - 1]) + 1
    said = re.sub(r" \(at .*\)$", "", message)
    hint = next((hint for pattern, hint in _SYNTAX_HINTS if re.search(pattern, said)), said)
    shown = lines[number - 1].replace("\t", " ")
    return ConfigError(
        f"{source}:{number}:{column}  {hint}",
        why=f"  {shown}\n  {' ' * (column - 1)}^",
        fix=f"Correct line {number} of {source} and run the command again.",
    )
