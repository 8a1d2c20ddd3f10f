"""The cache folder, and tables kept in it as JSON files. One that is missing or damaged is an empty one: it only costs
time.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def ignore_in_git(cache: Path) -> None:
    """Make the cache folder ignore itself, whatever the project's .gitignore says."""
    marker = cache / ".gitignore"
    if not marker.exists():
        cache.mkdir(parents=True, exist_ok=True)
        marker.write_text("*\n", encoding="utf-8")


@contextmanager
def remembered(file: Path) -> Iterator[dict[str, Any]]:
    """Give the table kept in `file`; what the block makes of it is saved in one step when it ends without an error."""
    table = _read(file)
    before = json.dumps(table)
    yield table
    after = json.dumps(table)
    if after != before:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        scratch.write_text(after, encoding="utf-8")
        scratch.replace(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
