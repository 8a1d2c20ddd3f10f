"""Looking at what was shipped: releases, diff, open."""

from __future__ import annotations

from invoke.context import Context

from shipper.tasks.answers import failures_as_json, print_answer
from shipper.tasks.face import command
from shipper.tasks.job import find_job

_TO = "target of ship.toml; default: the only one, or the sandbox"
_JSON = "one JSON object instead of text"
_RELEASE = "live, previous, or (a part of) the id of a release"


@command(help={"to": _TO, "json": _JSON})
def releases(context: Context, to: str = "", json: bool = False) -> None:
    """List the releases on the server: when, who, which commit, what changed, how large."""
    from shipper.events import discard
    from shipper.pipeline.releases import list_releases
    from shipper.report.answers import render_answer
    from shipper.report.console import Reporter
    from shipper.report.releases import show_releases

    with failures_as_json(json):
        job = find_job(to)
        servers = list_releases(job, discard if json else Reporter())
        if json:
            told = [{"server": one.server or job.target.host, "releases": one.releases} for one in servers]
            print_answer(render_answer(target=job.target_name, servers=told))
            return
    show_releases(servers, job.target_name)


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
) -> None:
    """Show in what two releases differ: files, packages, env names, configuration, migrations."""
    from shipper.events import discard
    from shipper.pipeline.releases import compare_releases
    from shipper.report.answers import render_answer
    from shipper.report.console import Reporter
    from shipper.report.releases import show_comparisons

    with failures_as_json(json):
        job = find_job(to, allow_dirty=True)
        if json:
            comparisons = compare_releases(job, old, new, discard)
            told = [{"server": one.server or job.target.host, **one.difference} for one in comparisons]
            print_answer(render_answer(target=job.target_name, servers=told))
            return
        with Reporter() as reporter:
            comparisons = compare_releases(job, old, new, reporter)
    show_comparisons(comparisons, short=stat, everything=full)


@command(name="open", help={"to": _TO, "print-only": "do not start a browser"})
def open_site(context: Context, to: str = "", print_only: bool = False) -> None:
    """Open the target's public address in the browser, and print it."""
    from shipper.tasks.browser import open_in_browser

    url = find_job(to).target.public_url
    print_answer(url)
    if not print_only:
        open_in_browser(url)
