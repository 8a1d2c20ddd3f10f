"""What pydantic found wrong in a project, in words for people: one entry for each mistake.

pydantic's errors hold the values they complain about; a value is repeated only where it cannot be a secret.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shipper.config.lines import Location, nearest_line
from shipper.config.project import Project

# What a key wants, for those whose rule is a pattern, and what to write when it is missing. `*` is any target's name.
EXPECTED: Mapping[str, str] = {
    "backend.service": "the name of a service of the compose file, such as 'api'",
    "backend.image.stage": "the name of a stage of the Dockerfile, such as 'runtime'",
    "backend.image.args": "names of build arguments, such as PYTHON_VERSION = '3.12'",
    "backend.image.secrets": "names of variables of this machine, such as 'PIP_TOKEN'",
    "backend.image.repository": "a repository's name, such as 'team/music' or 'registry.example.com/team/music'",
    "backend.image.region": "an AWS region, such as 'ap-northeast-2'",
    "backend.image.expected_account": "the twelve digits of an AWS account",
    "name": "lower-case letters, digits and dashes, at most 31, beginning with a letter, such as 'my-app'",
    "frontend.api_url_variable": "a variable's name, such as 'NEXT_PUBLIC_API_URL'",
    "frontend.api_path": "a path without a slash at its end, such as '/api'",
    "frontend.variables": "variable names of letters, digits and '_', such as 'NEXT_PUBLIC_TITLE'",
    "frontend.hashed": "a folder of the built site, such as 'assets'",
    "frontend.allow.url": "an address, such as 'http://localhost:3000'",
    "frontend.allow.reason": "a reason, such as 'shown in the help page as an example'",
    "backend.app": "a module and the name in it, such as 'config.asgi:application'",
    "backend.python": "a version such as '3.11'",
    "backend.prefixes": "path prefixes with a slash at both ends, such as '/api/'",
    "backend.health": "a path such as '/api/health'",
    "backend.static.url": "a path prefix with a slash at both ends, such as '/static/'",
    "backend.required_env": "variable names of letters, digits and '_', such as 'SECRET_KEY'",
    "backend.memory": "a size such as '384M' or '1g'",
    "nginx.body_size": "a size such as '10m' or '1g'",
    "nginx.rate": "a rate such as '30r/s' or '100r/m', or 'off'",
    "nginx.websockets": "path prefixes with a slash at both ends, such as '/ws/'",
    "check.allow.rule": "a rule's id, such as 'secret.aws-key', or '*'",
    "check.allow.commit": "a commit's id: at least seven of the characters 0 to 9 and a to f",
    "check.allow.reason": "a reason, such as 'a key of the public sandbox, worth nothing'",
    "targets": "names of lower-case letters, digits and dashes, such as 'production'",
    "targets.*.host": "a name or an address, such as 'app.example.com'",
    "targets.*.user": "a user's name, such as 'ubuntu'",
    "targets.*.host_key": "a fingerprint such as 'SHA256:...' (`inv host.trust` writes it)",
    "targets.*.more.host": "a name or an address, such as '10.0.0.12'",
    "targets.*.more.host_key": "a fingerprint such as 'SHA256:...' (`inv host.trust` writes it)",
    "targets.*.domain": "a host name, such as 'app.example.com'",
}

_TYPES = {
    "string_type": "text in quotes",
    "int_type": "a whole number without quotes",
    "int_from_float": "a whole number without quotes",
    "bool_type": "true or false without quotes",
    "tuple_type": "a list of texts, such as ['npm', 'run', 'build']",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_PLAIN_WORD = re.compile(r"[A-Za-z0-9._-]{1,20}")
_INSIDE_QUOTES = re.compile(r"'([^']*)'")


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake in the file: the line (from 1), the dotted key, and what is wrong with it."""

    line: int
    key: str
    text: str


def explain(errors: list[ErrorDetails], data: Mapping[str, object], lines: dict[Location, int]) -> list[Mistake]:
    """Turn pydantic's errors about `data` into mistakes, sorted by line, one for each key.

    `lines` is what `find_lines` says about the text that `data` came from.
    """
    mistakes: dict[Location, Mistake] = {}
    for error in errors:
        location = _location(error, data)
        if location not in mistakes:
            text = _describe(error, location, data)
            mistakes[location] = Mistake(nearest_line(lines, location), dotted(location), text)
    return sorted(mistakes.values())


def dotted(location: Location) -> str:
    """Return a location as people write it: `frontend.allow[1].url`."""
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(words).removeprefix(".")


def tables() -> dict[str, type[BaseModel]]:
    """Return every table of `ship.toml` with its model: "" (the file itself), "frontend", "targets.*", ..."""
    found: dict[str, type[BaseModel]] = {}

    def visit(name: str, model: type[BaseModel]) -> None:
        found[name] = model
        for key, field in model.model_fields.items():
            many = typing.get_origin(field.annotation) is dict
            for inner in _models_in(field.annotation):
                visit(".".join(part for part in (name, key, "*" if many else "") if part), inner)

    visit("", Project)
    return found


def nearest(word: str, known: typing.Iterable[str]) -> str | None:
    """Return the known word that was probably meant, or None when none is near."""
    matches = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models_in(part)]


def _location(error: ErrorDetails, data: Mapping[str, object]) -> Location:
    """Return where the mistake is: without what pydantic adds for unions and for the names of a table's keys."""
    wanted = error["loc"]
    location: Location = ()
    value: object = data
    for part in wanted:
        try:
            value = value[part]  # type: ignore[index]
        except (LookupError, TypeError):
            break
        location += (part,)
    if error["type"] == "missing":
        return (*location, wanted[-1])
    return location


def _describe(error: ErrorDetails, location: Location, data: Mapping[str, object]) -> str:
    kind = error["type"]
    context = error.get("ctx", {})
    expected = EXPECTED.get(_schema_path(location)) or EXPECTED.get(_schema_path(location[:-1]))
    if kind == "extra_forbidden":
        return _describe_unknown_key(location)
    if kind == "missing":
        options = _literals(location)
        return f"is missing; expected {expected or options or 'a value'}"
    found = _value_at(data, location)
    if kind == "literal_error" and not expected:
        return _describe_wrong_word(str(context["expected"]), found)
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, found {_human_type(found)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return f"expected a number that is {limit}, found {found}"
    if expected:
        return f"expected {expected}"
    if kind == "string_too_short":
        return f"expected at least {context['min_length']} characters"
    return error["msg"]


def _describe_wrong_word(expected: str, found: object) -> str:
    if not isinstance(found, str) or not _PLAIN_WORD.fullmatch(found):
        return f"expected {expected}, found {_human_type(found)}"
    guess = nearest(found, _INSIDE_QUOTES.findall(expected))
    return f"expected {expected}, found '{found}'" + (f" (did you mean '{guess}'?)" if guess else "")


def _describe_unknown_key(location: Location) -> str:
    known = tables()
    table = _schema_path(location[:-1])
    key = str(location[-1])
    homes = [name for name, model in known.items() if key in model.model_fields and name != table]
    # A key that exists elsewhere is no slip of the finger.
    guess = nearest(key, known[table].model_fields) if table in known and not homes else None
    text = "is not a known key"
    if guess:
        text += f"; did you mean '{guess}'?"
    if homes:
        places = " or ".join(_table_name(home) for home in homes)
        text += f"; a key of this name belongs {places}"
    if not guess and not homes and table in known:
        text += f"; known here: {', '.join(known[table].model_fields)}"
    return text


def _table_name(table: str) -> str:
    if not table:
        return "at the top of the file, above the first [table]"
    return f"in [{table.replace('*', '<name>')}]"


def _schema_path(location: Location) -> str:
    """Return the dotted path of a location in the models: no indices, and `*` for a target's name."""
    names = [part for part in location if isinstance(part, str)]
    if len(names) > 1 and names[0] == "targets":
        names[1] = "*"
    return ".".join(names)


def _literals(location: Location) -> str:
    """Return the words a key allows, as `'next', 'vite' or 'static'`; empty when it is no enumeration."""
    model = tables().get(_schema_path(location[:-1]))
    field = model.model_fields.get(str(location[-1])) if model else None
    if field is None or typing.get_origin(field.annotation) is not typing.Literal:
        return ""
    words = [f"'{word}'" for word in typing.get_args(field.annotation)]
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _value_at(data: object, location: Location) -> object:
    for part in location:
        data = data[part]  # type: ignore[index]
    return data


def _human_type(value: object) -> str:
    """Name a value's type. bool and datetime come first: in Python they are also an int and a date."""
    names: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number with a fraction"),
        (str, "text in quotes"),
        ((datetime, date, time), "a date or time"),
        (list, "a list"),
        (dict, "a table"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "something else")
