"""What happens while steps run, as data. The console, the journal and `--json` are renderings of these events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["start", "progress", "output", "note", "done", "failed", "undone"]


@dataclass(frozen=True)
class Event:
    """One thing that happened in one step.

    `step` is the step's name (`build.frontend`, `upload`, `migrate`, ...). `text` is for people: a title for
    "start", one line of a program's output for "output", a result for "done", a reason for "failed".
    `done` and `total` belong to "progress" and count `unit` ("bytes", "files", "pages" or ""); `total` is 0 when
    it is not known. They belong as well to the "done" of what sent something, in bytes: what travelled, and what a copy
    of everything would have been before compression. `seconds` belongs to "done" and "failed". `server` says which
    one, where there are several.
    """

    kind: Kind
    step: str
    text: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    seconds: float = 0.0
    server: str = ""


Emit = Callable[[Event], None]


def discard(event: Event) -> None:
    """Take an event and do nothing: for callers that only want the result."""


def of_server(emit: Emit, server: str) -> Emit:
    """Return an `emit` whose events say that they happened on this server."""

    def tell(event: Event) -> None:
        emit(replace(event, server=server))

    return tell if server else emit


def count_files(count: int) -> str:
    """Return "1 file" or "2,000 files"."""
    return f"{count:,} file" + "s" * (count != 1)


def count_sent(files: int, sent: int) -> str:
    """Return "2 files as 90 bytes", or "90 bytes" when there was no file among them."""
    return f"{count_files(files)} as {sent:,} bytes" if files else f"{sent:,} bytes"


def count_layers(count: int) -> str:
    """Return "1 layer" or "12 layers"."""
    return f"{count} layer" + "s" * (count != 1)
