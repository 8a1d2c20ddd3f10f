"""Rules about addresses: what nginx passes to the backend must not hide pages of the frontend (field note N3)."""

from __future__ import annotations

from shipper.config.backend import Backend
from shipper.deliver.manifest import Tree
from shipper.findings import Finding

_SHOWN = 3


def check_prefixes(site: Tree, backend: Backend) -> list[Finding]:
    """Return a finding for every proxied prefix under which the exported site has pages of its own."""
    static = backend.static_files
    findings = []
    for prefix in (*backend.prefixes, *([static.url] if static else [])):
        hidden = sorted(f"/{entry.path}" for entry in site.files if f"/{entry.path}".startswith(prefix))
        if hidden:
            pages = ", ".join(hidden[:_SHOWN]) + (f" and {len(hidden) - _SHOWN} more" if len(hidden) > _SHOWN else "")
            findings.append(
                Finding(
                    rule="nginx.prefix-hides-pages",
                    severity="error",
                    message=f"The prefix {prefix} goes to the backend, but the frontend has pages there: {pages}.",
                    why="Visitors of these pages would get the backend's answer: a 404, or a redirect without end.",
                    fix=f"Mount the backend elsewhere (Django's admin at /django-admin/, say), and change {prefix} "
                    "in [backend] prefixes.",
                    path="ship.toml",
                )
            )
    return findings
