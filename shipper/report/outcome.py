"""How a ship or a rollback ended, in two lines."""

from __future__ import annotations

from rich.markup import escape

from shipper.events import count_files
from shipper.pipeline.rollout import Report
from shipper.report.console import console, show_findings


def show_report(report: Report, target: str) -> None:
    """Print what is live now, where, and what it took."""
    show_findings(report.plan.findings)
    if report.outcome == "declined":
        console.print("Nothing was changed.")
        return
    if report.outcome == "unchanged":
        console.print(f"Nothing to do: [bold]{report.live}[/bold] is live at {report.url}  ({report.seconds:.1f} s)")
        return
    travelled = f", {count_files(report.files)} as {report.bytes_sent:,} bytes" if report.plan.action == "ship" else ""
    console.print(
        f"[green bold]{report.live}[/green bold] is live at {report.url}  ({report.seconds:.1f} s{travelled})"
    )
    if len(report.servers) > 1:
        console.print(f"  on {', '.join(report.servers)}", markup=False)
    for line in report.trouble:
        console.print(f"  [yellow]afterwards[/yellow] {escape(line)}")
