"""A plan for people: every step in its order, what it would change, and how it would be undone."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from shipper.pipeline.plan import Plan
from shipper.pipeline.rollout import Member
from shipper.report.console import console, show_findings
from shipper.report.rows import print_row

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_SHOWN_LINES = 400


def show_plans(members: Sequence[Member], target: str) -> None:
    """Print the plan of a ship or a rollback for each server; one that is like the first server's only once."""
    first = members[0]
    _show_plan(first.plan, f"{target}, {first.job.server}" if first.job.server else target)
    for member in members[1:]:
        if _essence(member.plan) == _essence(first.plan):
            console.print(f"[bold]{member.job.server}[/bold]: the same")
        else:
            _show_plan(member.plan, f"{target}, {member.job.server}")
    show_findings(dict.fromkeys(finding for member in members for finding in member.plan.findings))


def _essence(plan: Plan) -> object:
    return [(step.name, step.title, step.changes) for step in plan.steps]


def _show_plan(plan: Plan, target: str) -> None:
    if plan.nothing_to_do:
        console.print(f"Nothing to do: what would be shipped is live on {target} already.")
        return
    console.print(f"[bold]Plan: {plan.action} {plan.record['id']} to {target}[/bold]")
    for number, step in enumerate(plan.steps, 1):
        undo = Text(f" (if a later step fails: {step.undo})" if step.undo else "", "dim")
        print_row(Text(f"  {number:>2}. {step.name:<15} "), Text(step.title) + undo, console, "")
        for line in step.changes[:_SHOWN_LINES]:
            console.print(f"        {line}", markup=False, style=_COLOURS.get(line[:1], "dim"))
        if len(step.changes) > _SHOWN_LINES:
            console.print(f"        ... {len(step.changes) - _SHOWN_LINES} more lines", style="dim")
