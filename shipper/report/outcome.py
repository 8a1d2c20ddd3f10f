"""How a ship or a rollback ended, in a few lines; in a run of GitHub's actions also in the job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.text import Text

from shipper.errors import AfterSwitchError
from shipper.events import Event, count_sent
from shipper.pipeline.rollout import Report
from shipper.report.console import console, show_findings
from shipper.report.rows import print_row
from shipper.report.summary import summarise_report


def show_report(report: Report, target: str, stages: Sequence[Event] = ()) -> None:
    """Print what is live now, where, and what it took; `stages` are the steps that ended."""
    summarise_report(report, target, stages)
    show_findings(report.plan.findings)
    if report.outcome == "declined":
        console.print("Nothing was changed.")
        return
    if report.outcome == "unchanged":
        live = Text.assemble("Nothing to do: ", (report.live, "bold"), f" is live at {report.url}")
        print_row(Text(), live + Text(f"  ({report.seconds:.1f} s)"), console, "")
        return
    travelled = f", {count_sent(report.files, report.bytes_sent)}" if report.plan.action == "ship" else ""
    live = Text.assemble((report.live, "green bold"), f" is live at {report.url}")
    print_row(Text(), live, console, "")
    print_row(Text(" "), Text(f"{report.seconds:.1f} s{travelled}"), console, " ")
    if len(report.servers) > 1:
        console.print(f"  on {', '.join(report.servers)}", markup=False)
    for line in report.trouble:
        console.print(f"  [yellow]afterwards[/yellow] {escape(line)}")
    show_findings(report.findings)


def refuse_failed_hooks(report: Report, target: str) -> None:
    """Raise AfterSwitchError when the release is live, but a hook of the project after the switch failed."""
    if report.failed_hooks:
        names = ", ".join(report.failed_hooks)
        raise AfterSwitchError(
            f"{report.live} is live on {target}, but a hook after the switch failed: {names}",
            why="The release stays. Its output is above.",
            fix=f"Do by hand what the hook was to do, or go back: inv rollback --to {target}",
        )
