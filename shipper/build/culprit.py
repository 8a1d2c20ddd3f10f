"""Finds out why a proof failed: which file and line put the wrong value into the site, and the change that ends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shipper.build.baking import Baking
from shipper.build.loopback import plain
from shipper.build.presets import is_built


@dataclass(frozen=True)
class Culprit:
    """What won over the wanted value (`why`), the exact change (`fix`), and where to make it. Empty when unknown."""

    why: str
    fix: str
    path: str = ""
    line: int | None = None


_Search = Callable[[Baking, str, str], Culprit | None]


def find_culprit(baking: Baking, variable: str, address: str) -> Culprit:
    """Return what kept `variable` out of the site, or what brought `address` into it; the other one is ""."""
    searches: tuple[_Search, ...] = (_configuration, _environment, _env_file, _fallback, _source, _dynamic, _unread)
    for search in searches:
        culprit = search(baking, variable, address)
        if culprit is not None:
            return culprit
    return Culprit("", "")


def find_unset(baking: Baking) -> Culprit:
    """Return which variable was read although nothing set it, so that `undefined` stands in the site."""
    for read in baking.sources.reads:
        if baking.is_public(read.name) and not baking.is_set(read.name):
            return Culprit(
                f"{read.path}:{read.line} reads {read.name}, and nothing sets it.",
                f'Write into ship.toml, under [frontend.variables]:  {read.name} = "..."',
            )
    if baking.sources.dynamic:
        place = baking.sources.dynamic[0]
        return Culprit(
            f"{place.path}:{place.line} reads variables in a way that cannot be baked: {place.text}",
            f"Write process.env.NAME in full at {place.path}:{place.line}.",
        )
    if baking.sources.foreign:
        read = baking.sources.foreign[0]
        return Culprit(
            f"{read.path}:{read.line} reads {read.name} from something that this build tool does not fill.",
            f"Read it the build tool's own way at {read.path}:{read.line}.",
        )
    return Culprit(
        "Some value was undefined while the site was built.",
        "Find what is read there, and write it into ship.toml under [frontend.variables].",
    )


def _same_origin(value: str, address: str) -> bool:
    """Whether `value` begins as the found address does, without its path: the build joins paths to it."""
    origin = re.match(r"[^/]*//[^/]*", plain(address))
    return origin is not None and origin[0] in plain(value)


def _configuration(baking: Baking, variable: str, address: str) -> Culprit | None:
    for override in baking.sources.overrides:
        passed_on = override.name in override.reads
        if (override.name == variable and not passed_on) or _same_origin(override.value, address):
            return Culprit(
                f"{override.path}:{override.line} sets {override.name} to {override.value}, which beats all else.",
                f"Delete that entry from {override.path}:{override.line}.",
                override.path,
                override.line,
            )
    return None


def _environment(baking: Baking, variable: str, address: str) -> Culprit | None:
    for name, value in baking.ambient.items():
        if _same_origin(value, address):
            return Culprit(
                f"The environment of this shell sets {name}.",
                f"Unset {name}, or write the right value under [frontend.variables] in ship.toml.",
            )
    return None


def _env_file(baking: Baking, variable: str, address: str) -> Culprit | None:
    for assignment in baking.env_files.values():
        if _same_origin(assignment.value, address):
            path = baking.place_of(assignment)
            return Culprit(
                f"{path}:{assignment.line} sets {assignment.name} to it, and nothing stronger does.",
                f'Write into ship.toml, under [frontend.variables]:  {assignment.name} = "..."',
                path,
                assignment.line,
            )
    return None


def _fallback(baking: Baking, variable: str, address: str) -> Culprit | None:
    for read in baking.sources.reads:
        if read.fallback and _same_origin(read.fallback, address):
            return Culprit(
                f"{read.path}:{read.line} falls back to it, because {read.name} is not set for the build.",
                f"Set {read.name} under [frontend.variables] in ship.toml, or remove the fallback.",
                read.path,
                read.line,
            )
    return None


def _source(baking: Baking, variable: str, address: str) -> Culprit | None:
    for place in baking.sources.addresses:
        if _same_origin(place.text, address):
            return Culprit(
                f"{place.path}:{place.line} holds the address.",
                _without_the_address(baking, f"{place.path}:{place.line}"),
                place.path,
                place.line,
            )
    return None


def _without_the_address(baking: Baking, where: str) -> str:
    """Return what to write instead of an address in a source."""
    if is_built(baking.frontend):
        return f"Build it from the API's URL variable at {where}."
    if baking.workspace.project.backend:  # it answers under the site's own address
        return f'Leave the server out at {where}: a path such as "/api/..." is asked of the site itself.'
    return f"Write the address that visitors can reach at {where}."


def _dynamic(baking: Baking, variable: str, address: str) -> Culprit | None:
    if not variable or not baking.sources.dynamic:
        return None
    place = baking.sources.dynamic[0]
    return Culprit(
        f"{place.path}:{place.line} reads variables in a way that stays undefined in the browser: {place.text}",
        f"Write process.env.{variable} in full there.",
        place.path,
        place.line,
    )


def _unread(baking: Baking, variable: str, address: str) -> Culprit | None:
    if not variable:
        return None
    places = [f"{read.path}:{read.line}" for read in baking.sources.reads if read.name == variable]
    if not places:
        return Culprit(f"No source reads {variable}.", f"Read {variable} where the API is called.", "ship.toml")
    return Culprit(
        f"{places[0]} reads {variable}, but no page that reaches a browser uses that code.",
        "Call the API through it, or remove api_url_variable from ship.toml when the site needs no API.",
        places[0].rpartition(":")[0],
        int(places[0].rpartition(":")[2]),
    )
