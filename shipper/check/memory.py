"""Whether a second copy of the backend fits beside the running one (field note S6)."""

from __future__ import annotations

from shipper.findings import Finding


def check_memory(running: int, available: int, target_name: str) -> list[Finding]:
    """Compare the memory of the running copy with what the server has available, both in bytes."""
    if running <= available:
        return []
    return [
        Finding(
            rule="host.memory",
            severity="error",
            message=(
                f"A second copy of the backend does not fit: the running one holds {running / 1_000_000:,.0f} MB, "
                f"{available / 1_000_000:,.0f} MB are available."
            ),
            why="For some seconds both run side by side, so that no request is lost; here the kernel would kill one.",
            fix=(
                f'Set strategy = "stop-first" in [targets.{target_name}]: the backend is away while the new one '
                "starts; or make room on the server (`inv host.check`)."
            ),
            path="ship.toml",
        )
    ]
