"""What `inv watch` prints: a heading for each ship, its steps, and how long after the save it was live."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rich.markup import escape

from shipper.errors import AfterSwitchError, ShipperError
from shipper.events import Emit
from shipper.pipeline.rollout import Report
from shipper.report.console import console, show_error, show_findings
from shipper.report.outcome import refuse_failed_hooks
from shipper.report.reporter import Reporter

_NAMED_PATHS = 3


class WatchFace:
    """Prints what happens while somebody watches; a context manager, because a terminal shows bars meanwhile."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._reporter: Reporter | None = None

    def __exit__(self, *_: object) -> None:
        self._end()

    def __enter__(self) -> WatchFace:
        return self

    def begins(self, paths: Sequence[str]) -> Emit:
        """Print what is shipped, and return what shows the steps."""
        self._end()
        named = ", ".join(paths[:_NAMED_PATHS])
        more = f" and {len(paths) - _NAMED_PATHS} more" if len(paths) > _NAMED_PATHS else ""
        what = f"changed: {named}{more}" if paths else "what is here"
        console.print(f"\n[bold]{datetime.datetime.now():%H:%M:%S}[/bold] {escape(what)}")
        self._reporter = Reporter()
        self._reporter.__enter__()
        return self._reporter

    def live(self, report: Report, seconds: float | None) -> None:
        """Print what is live now."""
        self._end()
        if report.outcome == "unchanged":
            console.print(f"  Nothing to ship: {report.live} has it already.", markup=False)
            return
        after = f", {seconds:.1f} s after the save" if seconds is not None else f"  ({report.seconds:.1f} s)"
        dirty = " [dim](with changes that are in no commit)[/dim]" if report.plan.record.get("dirty") else ""
        console.print(f"[green bold]{report.live}[/green bold] is live at {report.url}{after}{dirty}")
        for line in report.trouble:
            console.print(f"  [yellow]afterwards[/yellow] {escape(line)}")
        show_findings(report.findings)
        try:
            refuse_failed_hooks(report, self._target)
        except AfterSwitchError as error:
            show_error(error)

    def failed(self, error: ShipperError) -> None:
        """Print why a ship failed, and that the watching goes on."""
        self._end()
        show_error(error)
        console.print("  Still watching; the next save tries again.", style="dim")

    def says(self, text: str) -> None:
        """Print a line."""
        console.print(f"  {text}", markup=False)

    def _end(self) -> None:
        if self._reporter:
            self._reporter.__exit__(None, None, None)
            self._reporter = None
