"""Looking at what was shipped: releases, diff, open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from shipper.tasks.face import command
from shipper.tasks.job import find_job

if TYPE_CHECKING:
    from shipper.report.as_json import Answer

_TO = "target of ship.toml; default: the only one, or the sandbox"
_JSON = "one JSON object instead of text"
_RELEASE = "live, previous, or (a part of) the id of a release"


@command(help={"to": _TO, "json": _JSON})
def releases(context: Context, to: str = "", json: bool = False) -> Answer:
    """List the releases on the server: when, who, which commit, what changed, how large."""
    from shipper.completion.known import remember_releases
    from shipper.pipeline.releases import list_releases
    from shipper.report.as_json import servers_answer
    from shipper.report.releases import show_releases
    from shipper.report.reporter import Reporter

    job = find_job(to)
    servers = list_releases(job, Reporter())
    for it in servers:
        live = next((str(entry["id"]) for entry in it.releases if entry["live"]), "")
        remember_releases(job.workspace.cache, job.target_name, live, it.releases)
    if not json:
        show_releases(servers, job.target_name)
    return servers_answer(job, [(one, {"releases": it.releases}) for one, it in zip(job.each, servers, strict=True)])


@command(
    help={
        "old": f"{_RELEASE}; default: previous",
        "new": f"{_RELEASE}, or here: what `inv ship` would ship now; default: live",
        "to": _TO,
        "stat": "counts instead of names and lines",
        "full": "all names, also where there are many",
        "json": _JSON,
    }
)
def diff(
    context: Context,
    old: str = "",
    new: str = "",
    to: str = "",
    stat: bool = False,
    full: bool = False,
    json: bool = False,
) -> Answer:
    """Show in what two releases differ: files, packages, env names, configuration, migrations."""
    from shipper.pipeline.releases import compare_releases
    from shipper.report.as_json import servers_answer
    from shipper.report.releases import show_comparisons
    from shipper.report.reporter import Reporter

    job = find_job(to, allow_dirty=True)
    with Reporter() as reporter:
        comparisons = compare_releases(job, old, new, reporter)
    if not json:
        show_comparisons(comparisons, short=stat, everything=full)
    return servers_answer(job, [(one, it.difference) for one, it in zip(job.each, comparisons, strict=True)])


@command(name="open", help={"to": _TO, "print-only": "do not start a browser"})
def open_site(context: Context, to: str = "", print_only: bool = False) -> None:
    """Open the target's public address in the browser, and print it."""
    from shipper.tasks.browser import open_in_browser

    url = find_job(to).target.public_url
    print(url)  # noqa: T201 - as it is, for programs: no width, no colour
    if not print_only:
        open_in_browser(url)
