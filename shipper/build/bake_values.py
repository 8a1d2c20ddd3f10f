"""Rules before the build: which other value would win over the one that shipper bakes, or be ignored (B2)."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.build.baking import Baking
from shipper.build.dotenv_files import Assignment
from shipper.build.loopback import is_loopback, plain
from shipper.build.sources import Override, Read
from shipper.findings import Finding


def configuration_wins(baking: Baking) -> Iterator[Finding]:
    """Find entries that beat the process environment (measured): `env: {}` for Next, `define` for Vite."""
    for override in baking.sources.overrides:
        # `NAME: process.env.NAME` passes the same value on; so does a name that takes ours from another one.
        if override.name in baking.baked and not baking.baked.keys() & set(override.reads):
            yield _override_finding(override, baking.baked[override.name])


def _override_finding(override: Override, wanted: str) -> Finding:
    return Finding(
        "bake.config-wins",
        "error",
        f"{override.path}:{override.line} sets {override.name} to {override.value}, which beats the build's variables.",
        why=f"The site would not use {wanted}.",
        fix=f"Delete the entry {override.name} from {override.path}:{override.line}; shipper sets it for the build.",
        path=override.path,
        line=override.line,
    )


def other_values_win(baking: Baking) -> Iterator[Finding]:
    """Find what public variables become that ship.toml does not set: the shell or the strongest env file decides."""
    for name, read in baking.reads.items():
        assignment = baking.env_files.get(name)
        if name in baking.baked:
            if assignment and assignment.value != baking.baked[name]:
                yield _ignored_assignment(baking, assignment, baking.baked[name])
        elif not baking.is_public(name):
            continue
        elif name in baking.ambient:
            if _leads_home(baking, baking.ambient[name]):
                yield _winner(read, baking.ambient[name], "this shell's environment", "", None)
        elif assignment and _leads_home(baking, assignment.value):
            path = baking.place_of(assignment)
            yield _winner(read, assignment.value, f"{path}:{assignment.line}", path, assignment.line)


def _leads_home(baking: Baking, value: str) -> bool:
    allowed = any(plain(value).startswith(allow.url) for allow in baking.frontend.allow)
    return is_loopback(value) and not allowed and not value.startswith(baking.api_url)


def _winner(read: Read, value: str, winner: str, path: str, line: int | None) -> Finding:
    return Finding(
        "bake.env-file-wins" if path else "bake.shell-wins",
        "error",
        f"{winner} sets {read.name} to {value}, and that would be baked into the site.",
        why=f"{read.path}:{read.line} reads it: a visitor's browser would call the visitor's own computer (B2).",
        fix=f'Write into ship.toml, under [frontend.variables]:  {read.name} = "..."  (it beats every env file).',
        path=path,
        line=line,
    )


def _ignored_assignment(baking: Baking, assignment: Assignment, wanted: str) -> Finding:
    return Finding(
        "bake.env-file-ignored",
        "note",
        f"{baking.place_of(assignment)}:{assignment.line} sets {assignment.name} to something else; {wanted} wins.",
        path=baking.place_of(assignment),
        line=assignment.line,
    )


def loopback_fallbacks(baking: Baking) -> Iterator[Finding]:
    """Find fallbacks to this machine: they hide that a variable is missing. The proof says whether one survived."""
    for read in baking.sources.reads:
        if read.fallback and is_loopback(read.fallback):
            yield Finding(
                "bake.loopback-fallback",
                "warning",
                f"When {read.name} is not set, the site falls back to {read.fallback}.",
                why="A build without the variable works on this machine and for nobody else.",
                fix="Remove the fallback, or let it fail loudly.",
                path=read.path,
                line=read.line,
            )
