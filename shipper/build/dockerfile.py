"""The platform that a Dockerfile fixes: buildx takes it at its word and still labels the image with the wanted one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# https://docs.docker.com/reference/dockerfile/#from
_FROM = re.compile(
    r"^\s*FROM\s+(?P<flags>(?:--\S+\s+)*)(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE | re.MULTILINE
)
_PLATFORM = re.compile(r"--platform=(\S+)")
_SAME = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Stage:
    """A stage of a Dockerfile: its name ("" for none), what it stands on, its fixed platform ("" for none)."""

    name: str
    base: str
    platform: str
    line: int


def fixed_platform(dockerfile: Path, wanted: str) -> Stage | None:
    """Return the stage that fixes the platform of the image, whatever it is built for; None when none does.

    `wanted` is the stage that becomes the image, "" for the last. A platform in a variable fixes nothing.
    """
    stages = _stages(dockerfile.read_text(encoding="utf-8-sig"))
    named = {stage.name.lower(): stage for stage in reversed(stages) if stage.name}
    stage = named.get(wanted.lower()) if wanted else next(reversed(stages), None)
    while stage is not None:
        if stage.platform and "$" not in stage.platform:
            return stage
        below = named.get(stage.base.lower())
        stage = below if below is not None and below.line < stage.line else None
    return None


def _stages(text: str) -> list[Stage]:
    stages = []
    for match in _FROM.finditer(text):
        platform = _PLATFORM.search(match["flags"])
        line = text.count("\n", 0, match.start("base")) + 1
        stages.append(Stage(match["name"] or "", match["base"], _named(platform[1]) if platform else "", line))
    return stages


def _named(platform: str) -> str:
    """Return a platform as `linux/amd64`, without the variant of a processor."""
    words = platform.lower().split("/")
    system, machine = ("linux", words[0]) if len(words) == 1 else (words[0], words[1])
    return f"{system}/{_SAME.get(machine, machine)}"
