"""A proposal for a .dockerignore: what is in a build context and has no business in an image."""

from __future__ import annotations

from pathlib import Path

# What is proposed when it is there; the order is that of the file.
_PROPOSED = (
    ".git",
    ".env",
    ".env.*",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".shipper",
    ".idea",
    ".vscode",
    "dist",
    "*.sqlite3",
    "*.log",
    "backups",
    "tests",
    "docker-compose*.yml",
)
_ALWAYS = (".git", ".env", ".env.*", "__pycache__")


def proposed_lines(context: Path, dockerfile: Path) -> list[str]:
    """Return the lines of a .dockerignore for a context that has none; nothing when there is one."""
    if (context / ".dockerignore").exists() or dockerfile.with_name(dockerfile.name + ".dockerignore").exists():
        return []
    return [line for line in _PROPOSED if line in _ALWAYS or any(context.glob(line))]
