"""The workflow of GitHub's actions that `inv init --github` writes: it calls shipper's own for each target."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shipper import __version__
from shipper.config.project import Project
from shipper.origin import Origin

# Visitors come last: what is shipped to them has been somewhere else before.
_LIVE = ("prod", "live", "www")


@dataclass(frozen=True)
class Place:
    """Where a project stands: its folder in the repository ("." for the top), and the branch that is shipped."""

    folder: str
    branch: str


def targets_in_order(project: Project) -> tuple[str, ...]:
    """Return the targets in the order they are shipped to: as in ship.toml, but production last."""
    return tuple(sorted(project.targets, key=lambda name: name.startswith(_LIVE)))


def caller_workflow(project: Project, place: Place, origin: Origin) -> str:
    """Return the text of the workflow: a push ships to one target after the other, by hand any one can be chosen."""
    targets = targets_in_order(project)
    jobs = [
        _job(project, place, origin, target, before=targets[index - 1] if index else "")
        for index, target in enumerate(targets)
    ]
    return _head(project.name, place, targets) + "\n".join(jobs)


def _head(name: str, place: Place, targets: tuple[str, ...]) -> str:
    choice = f"""\
      target:
        description: Where to
        type: choice
        options: {_quoted(list(targets))}
"""
    return f"""\
# Written by `inv init --github`; it is yours now. How it works: docs/github.md of shipper.
name: Ship {name}

on:
  push:
    branches: [{_quoted(place.branch)}]
  workflow_dispatch:
    inputs:
{choice if len(targets) > 1 else ""}\
      action:
        description: Ship this branch, or go back to an earlier release
        type: choice
        options: [ship, rollback]
      release:
        description: With rollback, which release; empty is the good one before
        type: string

permissions: {{}}

jobs:
"""


def _job(project: Project, place: Place, origin: Origin, target: str, before: str) -> str:
    lines = [f"  {target}:"]
    if before:
        lines.append(f"    needs: {before}")
    if len(project.targets) > 1:
        chosen = f"github.event_name == 'push' || inputs.target == '{target}'"
        # A target that was not chosen is skipped, and must not take those after it along.
        lines.append(f"    if: {_expression(f'!cancelled() && !failure() && ({chosen})' if before else chosen)}")
    lines += [
        "    permissions:",
        "      contents: read",
        "      id-token: write # for an AWS role, if there is one",
        f"    uses: {origin.repository}/.github/workflows/ship.yml@{origin.commit} # shipper {__version__}",
        "    with:",
        f"      target: {_quoted(target)}",
        "      action: " + _expression("inputs.action || 'ship'"),
        f"      release: {_expression('inputs.release')}",
        *(f"      {key}: {_quoted(value)}" for key, value in _settings(project, place).items()),
        # The environment's own secrets of these names count; without these lines they would stay empty.
        "    secrets:",
        *(f"      {name}: {_expression(f'secrets.{name}')}" for name in _secrets(project)),
    ]
    return "\n".join(lines) + "\n"


def _settings(project: Project, place: Place) -> dict[str, str]:
    settings = {} if place.folder == "." else {"working-directory": place.folder}
    if project.frontend is None or project.frontend.preset == "static":
        settings["node-version"] = ""
    if project.backend and project.backend.image.delivery == "ecr" and project.backend.image.region:
        settings["aws-region"] = project.backend.image.region
    return settings


def _secrets(project: Project) -> tuple[str, ...]:
    return ("SHIPPER_SSH_KEY", "SHIPPER_ENV_FILE") if project.backend else ("SHIPPER_SSH_KEY",)


def _expression(text: str) -> str:
    return f"${{{{ {text} }}}}"


def _quoted(value: str | list[str]) -> str:
    # JSON is YAML, and quotes whatever means something there.
    return json.dumps(value, ensure_ascii=False)
