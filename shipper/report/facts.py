"""A server's facts for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from shipper.report.console import console

_SHOWN = 8
_FULL = 0.8  # field note H1: a disk that is this full is worth a word


def show_facts(facts: Mapping[str, Any], target: str) -> None:
    """Print the agent's answer to `facts`."""
    memory, disk, nginx = facts["memory"], facts["disk"], facts["nginx"]
    used = 1 - disk["free"] / disk["total"]
    rows = {
        "system": f"{facts['os']['name']}, kernel {facts['kernel']}, {facts['machine']}, "
        f"{facts['libc']['name']} {facts['libc']['version']}",
        "memory": f"{memory['available'] / 1e6:,.0f} MB of {memory['total'] / 1e6:,.0f} MB available, "
        f"swap {memory['swap'] / 1e6:,.0f} MB",
        "disk": f"{disk['free'] / 1e9:,.1f} GB of {disk['total'] / 1e9:,.1f} GB free ({used:.0%} used)",
        "python": f"{facts['python']['version']} ({facts['python']['executable']}); "
        f"for backends: {', '.join(sorted(facts['pythons']))}",
        "nginx": f"{nginx['version'] or 'not installed'}, {'running' if nginx['running'] else 'not running'}, "
        f"configuration {nginx['test']}",
        "systemd": f"{facts['systemd']['version']}, {facts['systemd']['state']}",
        "docker": facts["docker"] or "not installed",
    }
    console.print(f"[bold]{escape(facts['hostname'])}[/bold] ({target})")
    for name, text in rows.items():
        console.print(f"  {name:<8} {escape(text)}")
    if used > _FULL:
        console.print(f"  [yellow]warning[/yellow] the disk is {used:.0%} full")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("port", "address", "process", "unit"):
        table.add_column(column)
    for entry in facts["ports"]:
        table.add_row(str(entry["port"]), entry["address"], entry["process"], entry["unit"])
    console.print(table)


def show_cleaning(answer: Mapping[str, Any]) -> None:
    """Print the agent's answer to `clean`: what went, and the room before and after."""
    for kind, names in answer["removed"].items():
        if names:
            shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            console.print(f"  {len(names)} {kind}: {escape(shown)}")
    before, after = answer["before"], answer["after"]
    freed = max(0, after["free"] - before["free"])
    if not any(answer["removed"].values()):
        console.print("  nothing that is unused for long enough")
    console.print(
        f"  {before['free'] / 1e9:,.2f} GB were free, {after['free'] / 1e9:,.2f} GB are now "
        f"(of {after['total'] / 1e9:,.1f} GB; {freed / 1e6:,.0f} MB more)"
    )
