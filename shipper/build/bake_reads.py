"""Rules before the build: does the source read the variable that takes the API's URL, and can it be baked (B3, B4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.build.baking import Baking
from shipper.build.sources import Read
from shipper.findings import Finding

# NEXT_PUBLIC_API_URL, VITE_API_BASE_URL, REACT_APP_BACKEND_URL, VITE_API: what teams call the API's address.
_LIKE_API_URL = re.compile(r"(?:^|_)(?:API|BACKEND|SERVER)(?:_\w+)*_(?:URL|URI|BASE|HOST|ORIGIN|ENDPOINT|ROOT)$|_API$")


def variable_is_read(baking: Baking) -> Iterator[Finding]:
    """Check that the configured variable is the one that the source reads, spelled so that the tool can bake it."""
    candidates = _api_like(baking)
    if not baking.variable:
        yield from _not_configured(baking, candidates)
    elif not _reaches_the_browser(baking):
        yield _without_prefix(baking)
    elif baking.variable not in baking.reads:
        yield _never_read(baking, candidates)


def _not_configured(baking: Baking, candidates: list[Read]) -> Iterator[Finding]:
    if not candidates:
        return
    names = " and ".join(f"{read.name} ({read.path}:{read.line})" for read in candidates)
    yield Finding(
        "bake.variable-not-configured",
        "error",
        f"The source reads {names}, but ship.toml does not say which variable takes the API's URL.",
        why=f"{baking.api_url} would be baked nowhere, and the site would call whatever else is set.",
        fix=f'Write into ship.toml, under [frontend]:  api_url_variable = "{candidates[0].name}"',
        path=candidates[0].path,
        line=candidates[0].line,
    )


def _reaches_the_browser(baking: Baking) -> bool:
    passed_on = {name for override in baking.sources.overrides for name in (override.name, *override.reads)}
    if baking.is_public(baking.variable) or baking.variable in passed_on:
        return True
    # With another tool's prefix the question is which variable was meant: `_never_read` names both.
    return baking.variable not in baking.reads


def _without_prefix(baking: Baking) -> Finding:
    read = baking.reads[baking.variable]
    wanted = f"{baking.sources.prefixes[0]}{baking.variable}"
    return Finding(
        "bake.no-public-prefix",
        "error",
        f"{baking.variable} does not reach the browser: {baking.preset.name} bakes only variables that begin with "
        f"{' or '.join(baking.sources.prefixes)}.",
        why="In the browser its value is undefined.",
        fix=f'Rename it to {wanted} in {read.path}:{read.line}, and in ship.toml: api_url_variable = "{wanted}"',
        path=read.path,
        line=read.line,
    )


def _never_read(baking: Baking, candidates: list[Read]) -> Finding:
    settings = f"ship.toml:{baking.settings_line}" if baking.settings_line else "ship.toml"
    foreign = next((read for read in baking.sources.foreign if read.name == baking.variable), None)
    if foreign is not None and not candidates:
        return Finding(
            "bake.wrong-env-object",
            "error",
            f"{foreign.path}:{foreign.line} reads {baking.variable}, but {baking.preset.name} does not fill that.",
            why=f"{baking.preset.name} bakes {baking.preset.env_object}.NAME only; this is undefined in the browser.",
            fix=f"Write {baking.preset.env_object}.{baking.variable} there.",
            path=foreign.path,
            line=foreign.line,
        )
    if candidates:
        other = candidates[0]
        return Finding(
            "bake.other-variable-read",
            "error",
            f"{settings} sets {baking.variable}, but the source reads {other.name} ({other.path}:{other.line}).",
            why=f"The build would ignore {baking.api_url}.{_also_set(baking)}",
            fix=f'Write into ship.toml, under [frontend]:  api_url_variable = "{other.name}"',
            path=other.path,
            line=other.line,
        )
    if baking.sources.dynamic:
        return _only_dynamic(baking)
    read = f"{baking.preset.env_object}.{baking.variable}" if baking.preset.env_object else baking.variable
    return Finding(
        "bake.variable-not-read",
        "error",
        f"{settings} sets {baking.variable}, but no source in {baking.frontend.path}/ reads it.",
        why=f"{baking.api_url} would not be in the built site.{_also_set(baking)}",
        fix=f"Read {read} where the API is called, or correct api_url_variable.",
        path="ship.toml",
        line=baking.settings_line,
    )


def _also_set(baking: Baking) -> str:
    """Say where else people set the variable that is not read: they will look there first."""
    assignment = baking.env_files.get(baking.variable)
    return f" It is also set in {baking.place_of(assignment)}:{assignment.line}, to no effect." if assignment else ""


def _only_dynamic(baking: Baking) -> Finding:
    place = baking.sources.dynamic[0]
    return Finding(
        "bake.dynamic-read",
        "error",
        f"{baking.variable} is only read in a way that {baking.preset.name} cannot bake: {place.text}",
        why="The prerendered HTML shows the right URL, but in the browser the value is undefined.",
        fix=f"Write process.env.{baking.variable} in full at {place.path}:{place.line}.",
        path=place.path,
        line=place.line,
    )


def _api_like(baking: Baking) -> list[Read]:
    """Return the reads of other public variables that look like the API's URL and that ship.toml does not set."""
    known = {*baking.frontend.variables, baking.variable}
    reads = baking.reads.values()
    return [
        read for read in reads if read.name not in known and baking.is_public(read.name) and is_like_api_url(read.name)
    ]


def is_like_api_url(name: str) -> bool:
    """Say whether a variable's name is what teams call the address of their API."""
    return bool(_LIKE_API_URL.search(name))


def unset_variables(baking: Baking) -> Iterator[Finding]:
    """Find public variables that nothing sets: they are undefined in the browser (B4)."""
    candidates = {read.name for read in _api_like(baking)}
    for name, read in baking.reads.items():
        if baking.is_set(name) or name in candidates or not baking.is_public(name) or read.fallback is not None:
            continue
        yield Finding(
            "bake.variable-not-set",
            "warning",
            f"The source reads {name}, but nothing sets it: in the browser it is undefined.",
            why="Neither ship.toml nor an env file that the build reads has it.",
            fix=f'Write into ship.toml, under [frontend.variables]:  {name} = "..."',
            path=read.path,
            line=read.line,
        )


def dynamic_reads(baking: Baking) -> Iterator[Finding]:
    """Find reads that are not spelled in full: undefined in the browser, however right the prerendered page (B4)."""
    if baking.variable and baking.variable not in baking.reads:
        return
    for place in baking.sources.dynamic:
        yield Finding(
            "bake.dynamic-read",
            "warning",
            f"{baking.preset.name} cannot bake this read; in the browser it gives undefined: {place.text}",
            fix="Write process.env.NAME in full, or keep this file out of client components.",
            path=place.path,
            line=place.line,
        )
