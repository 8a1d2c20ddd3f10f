"""Where `watch` ships to without being told twice, and where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def watch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shipper", "watch", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        pytest.param((), "inv watch --to sandbox", id="nobody named it"),
        pytest.param(("--yes",), "inv watch --to sandbox", id="yes alone is no name"),
        pytest.param(("--to", "production"), "inv watch --to production --yes", id="nobody to ask"),
    ],
)
def test_a_place_with_visitors_is_refused_unless_it_is_meant(tmp_path: Path, words: tuple[str, ...], fix: str) -> None:
    text = 'name = "shop"\n[frontend]\npreset = "static"\npath = "site"\n[targets.production]\nhost = "203.0.113.7"\n'
    (tmp_path / "ship.toml").write_text(text, encoding="utf-8")
    done = watch(tmp_path, *words)
    assert done.returncode == 2
    assert "live on 'production'" in done.stderr and fix in done.stderr
