"""`inv report`: the last ships as a page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.pipeline.job import Job
    from shipper.report.as_json import Answer
    from shipper.report.ships import Journal

_HELP = {
    "to": "target of ship.toml; default: the only one, or the sandbox",
    "output": "the file to write; default: .shipper/report/<target>.html",
    "open": "show it in the browser",
    "local": "do not ask the server: only what was shipped from this machine",
    "json": "one JSON object instead of text",
}
_STATUS_SECONDS = 60.0


@command(help=_HELP)
def report(
    context: Context, to: str = "", output: str = "", open: bool = False, local: bool = False, json: bool = False
) -> Answer:
    """Write an HTML page about the last ships: stages over time, bytes, health, findings, failures."""
    import datetime

    from shipper import __version__
    from shipper.pipeline.history import read_records
    from shipper.remembered import ignore_in_git
    from shipper.report.as_json import Answer
    from shipper.report.page import Page, render_page, subjects_of
    from shipper.report.ships import tell_ships

    job = find_job(to)
    records = read_records(job.workspace, job.target_name)
    journal, read, unread = _ask_servers(job, local)
    commits = [record["commit"] for record in records] + [r["commit"] for r in journal.releases.values()]
    ships = tell_ships(records, journal, subjects_of(job.workspace.root, commits))
    made = datetime.datetime.now(datetime.UTC)
    url = job.target.public_url
    page = Page(job.app, job.target_name, url, made, __version__, tuple(ships), len(records), read, unread)
    file = Path(output) if output else job.workspace.cache / "report" / f"{job.target_name}.html"
    ignore_in_git(job.workspace.cache)
    _write(file, render_page(page))
    if not json:
        _say(file, len(ships), "" if local else unread)
    if open:
        from shipper.tasks.browser import open_in_browser

        open_in_browser(file.resolve().as_uri())
    fields = {"target": job.target_name, "file": str(file.resolve()), "ships": len(ships)}
    return Answer({**fields, "servers_read": list(read), "unread": unread})


def _ask_servers(job: Job, local: bool) -> tuple[Journal, tuple[str, ...], str]:
    """Return what the servers' journals say, which of them were read, and why not, where they were not."""
    from shipper.errors import ShipperError
    from shipper.pipeline.server import connect_each
    from shipper.report.as_json import server_name
    from shipper.report.reporter import Reporter
    from shipper.report.ships import Journal

    if local:
        return Journal(), (), "it was not asked (--local)"
    try:
        with connect_each(job, Reporter()) as sessions:
            asked = {"app": job.app}
            answers = [
                (server_name(one), session.call("status", asked, deadline=_STATUS_SECONDS)) for one, session in sessions
            ]
    except ShipperError as error:
        return Journal(), (), error.what
    return Journal.of(answers), tuple(name for name, _ in answers), ""


def _write(file: Path, text: str) -> None:
    """Write a page that only this user can read: it holds who did what, and errors of the server."""
    import os

    from shipper.errors import ConfigError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written.", why=str(error), fix="inv report --output <file>") from None


def _say(file: Path, count: int, unread: str) -> None:
    from shipper.report.console import console

    if unread:
        console.print(f"The server's journal is not on the page: {unread}", markup=False, style="yellow")
    told = "Nothing was shipped yet." if not count else f"{count} ship{'s' if count != 1 else ''}, the newest first."
    console.print(told, markup=False)
    console.print(str(file), markup=False)
