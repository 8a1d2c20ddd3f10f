"""Tells people what happens while it happens: a line for every step, and bars where somebody looks at a terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from shipper.errors import ShipperError
from shipper.events import Event
from shipper.report.console import console, print_raw
from shipper.report.folded import FoldedOutput
from shipper.report.rows import print_row

# The output of these steps is what somebody wants to keep; that of a build is only wanted when it fails.
_HOOKS = ("before-build", "after-build", "before-switch", "after-switch", "on-failure")
_KEPT_OUTPUT = ("migrate", "collect-static", "logs", *_HOOKS)


class _KnownBar(BarColumn):
    """A bar only where it is known how much there is; the spinner says enough for the rest."""

    def render(self, task: Task) -> ProgressBar:
        """Return the bar of a task."""
        return super().render(task) if task.total else ProgressBar(width=0)


class Reporter:
    """Shows events as they come, from any thread: a line for every step that ended, and on a terminal a bar for every
    one that runs. `stages` are the steps that ended; an error that ends the block gets them, too. With `verbose`, what
    programs say is shown line by line below their step.
    """

    def __init__(self, verbose: bool = False) -> None:
        self.stages: list[Event] = []
        self._verbose = verbose
        self._live = _is_live(console)
        self._lock = threading.Lock()
        self._folded = FoldedOutput()
        self._bars: dict[tuple[str, str], TaskID] = {}
        self._progress = Progress(
            SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
            TextColumn("{task.description}", table_column=_one_line()),
            _KnownBar(bar_width=min(24, console.width // 4)),
            TextColumn("{task.fields[amount]}", table_column=_one_line()),
            TimeElapsedColumn(_one_line()),
            TextColumn("[dim]{task.fields[last]}[/dim]", table_column=_one_line(ratio=1)),
            console=console,
            expand=True,
            transient=True,
        )

    def __enter__(self) -> Self:
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:  # otherwise it would print an empty line
            self._progress.stop()
        print_raw(self._folded.take_all(), console)
        if isinstance(error, ShipperError):
            error.stages = tuple(self.stages)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question for the length of the block."""
        if self._live:
            self._progress.stop()
        try:
            yield
        finally:
            if self._live:
                self._progress.start()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            show = getattr(self, f"_show_{event.kind}")
            show(event)

    def _show_start(self, event: Event) -> None:
        if self._live:
            title = _on(event) + escape(event.text or event.step)
            self._bars[event.server, event.step] = self._progress.add_task(title, total=None, amount="", last="")
        elif event.text:
            console.print(f"  ... {_name(event)}: {event.text}", markup=False)

    def _show_progress(self, event: Event) -> None:
        bar = self._bars.get((event.server, event.step))
        if bar is not None:
            amount = f"{_amount(event.done, event.unit)} of {_amount(event.total, event.unit)}"
            self._progress.update(bar, completed=event.done, total=event.total or None, amount=amount)

    def _show_output(self, event: Event) -> None:
        bar = self._bars.get((event.server, event.step))
        if not event.text.strip():
            return
        if self._verbose or event.step.partition(".")[0] in _KEPT_OUTPUT:
            console.print(f"    | {_on(event)}{event.text}", markup=False, style="dim")
            return
        self._folded.keep(event)
        if bar is not None:
            self._progress.update(bar, last=escape(event.text.strip()[:60]))

    def _show_note(self, event: Event) -> None:
        _print_step("note", "cyan", _on(event) + event.text)

    def _show_done(self, event: Event) -> None:
        self._end(event)
        _print_step("ok", "green", event.text, f"{_name(event):<15}{_seconds(event.seconds)}", "dim")
        print_raw(self._folded.take(event), console)

    def _show_failed(self, event: Event) -> None:
        self._end(event)
        _print_step("fail", "red", event.text, f"{_name(event):<15}{_seconds(event.seconds)}")
        print_raw(self._folded.take(event), console)

    def _show_undone(self, event: Event) -> None:
        self.stages.append(event)
        _print_step("undo", "yellow", event.text, f"{_name(event):<15}")

    def _end(self, event: Event) -> None:
        self.stages.append(event)
        bar = self._bars.pop((event.server, event.step), None)
        if bar is not None:
            self._progress.remove_task(bar)


def _is_live(to: Console) -> bool:
    """Whether lines can be drawn over: a terminal that can, and somebody before it; a CI system keeps every state."""
    return to.is_terminal and to.file.isatty() and not to.is_dumb_terminal and not os.environ.get("CI")


def _one_line(ratio: int | None = None) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", ratio=ratio)


def _print_step(mark: str, colour: str, text: str, step: str = "", style: str = "") -> None:
    """Print a mark, the step with its time, and what it did."""
    print_row(Text.assemble("  ", (f"{mark:<4}", colour), f" {step}"), Text(text, style), console, "  " if step else "")


def _on(event: Event) -> str:
    return f"{event.server}: " if event.server else ""


def _name(event: Event) -> str:
    return _on(event) + event.step


def _seconds(seconds: float) -> str:
    return f"{seconds:6.1f} s" if seconds else " " * 8


def _amount(count: int, unit: str) -> str:
    return f"{count / 1_000_000:.1f} MB" if unit == "bytes" else f"{count} {unit}".strip()
