"""Where all output leaves: secrets masked, letters that an encoding lacks written by their number, and no word about a
reader that has left (`| head`). With `--json`, standard output is for JSON alone, and everything else goes beside it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from shipper.masking import masked, masked_data

_machine: Outlet | None = None


class Outlet:
    """A text stream whose reader may leave: from then on what is written goes nowhere, and the work goes on.

    A ship must not end half-way because somebody looked at its first lines only, and its exit code is that of the work.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.left = False
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            # A console of Windows, or a pipe there, may only have the letters of cp949 or cp1252.
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write text, masked."""
        return self.write_line(masked(text))

    def write_line(self, text: str) -> int:
        """Write text as it is."""
        if not self.left:
            with self._noticed():
                self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Bring what was written to the reader."""
        if not self.left:
            with self._noticed():
                self.stream.flush()

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Windows says EINVAL of a pipe that nobody reads.
            if not isinstance(error, BrokenPipeError) and error.errno != errno.EINVAL:
                raise
            self.left = True
            # Python writes what is left at its end, and would complain: docs.python.org, signal, "Note on SIGPIPE".
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.stream.fileno())
                os.close(nowhere)


@contextmanager
def open_streams(as_json: bool = False) -> Iterator[None]:
    """Let all output of the block leave through outlets; with `as_json` only `tell` writes to standard output."""
    global _machine
    before = sys.stdout, sys.stderr, _machine
    out, err = _outlet(sys.stdout), _outlet(sys.stderr)
    sys.stdout, sys.stderr = cast(TextIO, err if as_json else out), cast(TextIO, err)
    _machine = out if as_json else None
    try:
        yield
    finally:
        out.flush()
        sys.stdout, sys.stderr, _machine = before


def _outlet(stream: TextIO) -> Outlet:
    return stream if isinstance(stream, Outlet) else Outlet(stream)


def tell(data: Mapping[str, Any]) -> None:
    """Write one line of JSON, in ASCII, to what is standard output for programs; at once, so that they can follow."""
    import json

    assert _machine is not None
    _machine.write_line(json.dumps(masked_data(data)) + "\n")
    _machine.flush()


def reader_left() -> bool:
    """Whether nobody reads standard output any more: for what would otherwise go on for ever."""
    return isinstance(sys.stdout, Outlet) and sys.stdout.left
