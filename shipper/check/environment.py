"""Rules about the environment on the server, by the names of its variables alone (field note E7)."""

from __future__ import annotations

from collections.abc import Set

from shipper.config.backend import Backend
from shipper.findings import Finding


def check_server_environment(backend: Backend, present: Set[str], empty: Set[str], target_name: str) -> list[Finding]:
    """Return a finding for every variable that `required_env` names and the server lacks or has empty."""
    findings = []
    for name in backend.required_env:
        if name not in present or name in empty:
            lacks = "is empty" if name in empty else "is not set"
            findings.append(
                Finding(
                    rule="env.missing",
                    severity="error",
                    message=f"{name} {lacks} on the server.",
                    why="[backend] required_env names it: the backend does not work without it.",
                    fix=f"Put {name} into the env file of the target, then: inv env.push --to {target_name}",
                    path="ship.toml",
                )
            )
    return findings
