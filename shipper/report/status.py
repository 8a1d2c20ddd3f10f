"""What is live on a server, for people."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from shipper.report.console import console


def show_status(status: Mapping[str, Any], target: str, url: str) -> None:
    """Print the agent's answer to `status`: live release, its backend, memory and disk, releases, last ships."""
    facts = status["facts"]
    if status["dangling"]:
        console.print(f"[red]current points to {status['dangling']}, which is no longer on the server.[/red]")
        console.print("[green]->[/green] inv rollback   (the newest good release), or inv ship")
    elif not status["live"]:
        console.print(f"Nothing is live on {target} yet. -> inv ship --to {target}")
    live: Mapping[str, Any] = next((r for r in status["releases"] if r["id"] == status["live"]), {})
    if live:
        state = " with local changes" if live["dirty"] else ""
        state += "" if live.get("pushed", True) else ", not pushed then"
        origin = f"{live['commit'][:7] or 'no commit'}{state} by {live['who']}"
        console.print(f"[bold]{status['live']}[/bold] is live at {url}  ({_age(live['created'])}, {origin})")
    if status["unit"]:
        unit = status["unit"]
        memory = f", {unit['memory'] / 1_000_000:.0f} MB" if unit["memory"] else ""
        colour = "green" if unit["active"] == "active" else "red"
        console.print(
            f"backend   slot {status['slot']} [{colour}]{unit['active']}[/{colour}]{memory}"
            f", {unit['restarts']} restarts"
        )
    others = [name for name in status["running"] if name != status["slot"]]
    if others:
        console.print(f"[yellow]also running: slot {', '.join(others)} (the next ship stops it)[/yellow]")
    memory, disk = facts["memory"], facts["disk"]
    console.print(f"memory    {memory['available'] / 1e6:,.0f} MB of {memory['total'] / 1e6:,.0f} MB available")
    console.print(f"disk      {disk['free'] / 1e9:,.1f} GB of {disk['total'] / 1e9:,.1f} GB free")
    _show_releases(status)
    _show_ships(status["ships"])


def _show_releases(status: Mapping[str, Any]) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("release", "state", "slot", "commit", "who"):
        table.add_column(column)
    for entry in status["releases"]:
        state = "live" if entry["id"] == status["live"] else entry["state"]
        table.add_row(entry["id"], state, entry["slot"], entry["commit"][:7], entry["who"])
    if status["releases"]:
        console.print(table)


def _show_ships(ships: list[Mapping[str, Any]]) -> None:
    if ships:
        console.print("last ships", style="dim")
    for entry in reversed(ships):
        reason = f"  {entry['reason'].splitlines()[0]}" if entry.get("reason") else ""
        line = (
            f"  {entry['time']}  {entry['kind']:<8} {entry['release']}  {entry['result']:<6} {entry['seconds']:.1f} s"
        )
        console.print(f"{line}  {entry['who']}{reason}", markup=False)


def _age(created: str) -> str:
    moment = datetime.datetime.fromisoformat(created)
    minutes = int((datetime.datetime.now(datetime.UTC) - moment).total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
