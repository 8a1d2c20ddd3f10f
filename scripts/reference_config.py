"""The keys of `ship.toml` as Markdown tables, read from the models: name, type, default, meaning."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator, Sequence
from datetime import date

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shipper.config.explain import tables

_DEFAULT = "; default: "
_WORDS = {str: "text", int: "number", float: "number", bool: "true or false", date: "date"}
# Values stand in single quotes where the same text is shown in a terminal; an apostrophe begins nothing.
_IN_QUOTES = re.compile(r"(?<![\w`])'([^' ]+)'(?!\w)")


def table_names() -> list[str]:
    """Return the names of all tables as pages ask for them; `top` is the file itself."""
    return [name or "top" for name in tables()]


def keys(names: str) -> str:
    """Return the keys of a table, or of several that are alike, without those that are tables themselves."""
    known = tables()
    first, *others = (_rows(known["" if name == "top" else name]) for name in names.split())
    if any(rows != first for rows in others):
        raise SystemExit(f"These tables are not alike, so each needs a place of its own: {names}")
    if not first:
        return "This table has no keys of its own, only the tables in it."
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *first])


def _rows(model: type[BaseModel]) -> list[str]:
    return [_row(name, field) for name, field in model.model_fields.items() if not _holds_tables(field.annotation)]


def _row(name: str, field: FieldInfo) -> str:
    meaning, _, default = (field.description or "").partition(_DEFAULT)
    if not meaning:
        raise SystemExit(f"The key '{name}' has no description.")
    meaning = _IN_QUOTES.sub(r"`\1`", meaning)
    cells = (f"`{name}`", _type(field), default or _default(field), f"{meaning[0].upper()}{meaning[1:]}.")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return "none"
    if value == {}:
        return "empty"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _type(field: FieldInfo) -> str:
    words = list(dict.fromkeys(_names(field.annotation)))
    limits = list(_limits(field.annotation, field.metadata))
    text = ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]
    return f"{text}, {limits[0]}" if limits else text


def _names(annotation: object) -> Iterator[str]:
    """Yield what people would call the type; one word for each of its alternatives."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is type(None):
        return
    if origin is typing.Annotated:
        yield from _names(arguments[0])
    elif origin in (typing.Union, types.UnionType):
        for one in arguments:
            yield from _names(one)
    elif origin is typing.Literal:
        yield from (f"`{json.dumps(one)}`" for one in arguments)
    elif origin is tuple:
        yield f"list of {'/'.join(_names(arguments[0]))}s"
    elif origin is dict:
        yield f"table of {'/'.join(_names(arguments[1]))}s"
    else:
        yield _WORDS[typing.cast("type", annotation)]


def _limits(annotation: object, metadata: Sequence[object]) -> Iterator[str]:
    """Yield `1 to 50`, or `at least 1`, where a number has limits; pydantic keeps them beside the type or around it."""
    found = [one for one in _flat(metadata) if isinstance(one, (Ge, Le))]
    low = next((one.ge for one in found if isinstance(one, Ge)), None)
    high = next((one.le for one in found if isinstance(one, Le)), None)
    if low is not None:
        yield f"{low} to {high}" if high is not None else f"at least {low}"
    for part in typing.get_args(annotation):
        if typing.get_origin(part) is typing.Annotated:
            yield from _limits(None, part.__metadata__)


def _flat(metadata: Sequence[object]) -> Iterator[object]:
    for one in metadata:
        yield from one.metadata if isinstance(one, FieldInfo) else (one,)


def _holds_tables(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_holds_tables(part) for part in typing.get_args(annotation))
