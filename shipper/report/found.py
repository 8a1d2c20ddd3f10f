"""What `inv init` found and wrote, for people: each thing with its place, what stands in the way, the next commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape

from shipper.detect.proposal import Proposal
from shipper.detect.variables import Variables
from shipper.report.console import console


def show_proposal(proposal: Proposal) -> None:
    """Print what was found and where."""
    for name, value, where in _rows(proposal):
        console.print(f"  {name:<10}{escape(value)}" + (f"   [dim]{escape(where)}[/dim]" if where else ""))
    for left in proposal.left_out:
        console.print(f"  [dim]left out  {escape(left)}[/dim]")
    for problem in proposal.problems:
        console.print(f"  [yellow]look[/yellow]      {escape(problem.where)}  {escape(problem.what)}")
        fix, _, sample = problem.fix.partition("\n\n")
        for line in fix.splitlines():
            console.print(f"            [green]->[/green] {escape(line)}")
        if sample:
            console.print(f"\n{sample}\n", markup=False)


def _rows(proposal: Proposal) -> Iterator[tuple[str, str, str]]:
    front, back = proposal.frontend, proposal.backend
    # A folder's name in Korean has no letter that a user and a unit on the server may have.
    yield "name", proposal.name, "" if proposal.wishes.name or proposal.name != "app" else "another one: --name"
    if front:
        manager = f" ({front.manager})" if front.manager else ""
        yield "frontend", f"{front.what} in {front.path}/{manager}".replace("in ./", "in this folder"), front.where
        if front.api_variable:
            yield "", f"calls the API at {front.api_variable.value}{_end_of(proposal)}", front.api_variable.where
    if back:
        how = f"in a container, service {proposal.service.name}" if proposal.service else "under systemd"
        yield "backend", f"{back.what} in {back.path}/, {how}".replace("in ./,", "in this folder,"), back.where
        if proposal.health:
            guess = "" if proposal.health.sure else " (a guess: look at it)"
            yield "", f"health {proposal.health.value}{guess}", proposal.health.where
        yield "", f"answers {' '.join(one.value for one in proposal.prefixes)}", ""
        if names := [one.value for one in proposal.variables.required]:
            yield "", f"needs {', '.join(names[:6])}{' ...' if names[6:] else ''}", proposal.variables.required[0].where
    if proposal.servers.domain and not proposal.wishes.domain:
        yield "domain", proposal.servers.domain.value, proposal.servers.domain.where


def _end_of(proposal: Proposal) -> str:
    return f", with {proposal.api_path.value} at its end" if proposal.api_path else ""


def show_next(proposal: Proposal, written: Sequence[str], program: str, git: Sequence[tuple[str, str]]) -> None:
    """Print what was written, and what to type next; `git` are the commands that git wants before."""
    console.print(f"\nWritten: {', '.join(written)}. Read it: every value says where it comes from.")
    for line, remark in git:
        _command(line, remark)
    _command(f"{program} sandbox.up", "a practice server in a container on this machine (needs Docker)")
    _show_environment(proposal.variables, program)
    _command(f"{program} ship --to sandbox", "builds, proves, sends, goes live there")
    if proposal.wishes.host:
        _command(f"{program} host.trust --to production", "shows the server's key and pins it in ship.toml")
        if proposal.backend:
            _command(f"{program} env.push --to production", "after the same with .env.production")
        _command(f"{program} ship --to production", "the same on your server; `plan` shows it before")


def _show_environment(variables: Variables, program: str) -> None:
    """Print how the backend gets its variables, where it wants any."""
    names = ", ".join(one.value for one in (variables.required or variables.named)[:4])
    if not names:
        return
    if variables.examples:
        remark = f"writes .env.sandbox from {variables.examples[0]}, with new secrets"
        _command(f"{program} env.generate --to sandbox", remark)
    else:
        console.print(f"  [green]->[/green] write .env.sandbox with {names}; git has to ignore it")
    _command(f"{program} env.push --to sandbox", "puts it there, readable by root alone")


def _command(line: str, remark: str) -> None:
    console.print(f"  [green]->[/green] {escape(line):<36} [dim]{escape(remark)}[/dim]")
