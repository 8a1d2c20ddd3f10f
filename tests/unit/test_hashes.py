"""The hash of a file is that of its content, however long it is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from shipper.hashes import hash_file


@pytest.mark.parametrize("size", [0, 1, (1 << 17) - 1, 1 << 17, (1 << 17) + 1, 1 << 18, 300_000])
def test_a_file_of_any_length_has_the_hash_of_its_content(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert hash_file(tmp_path / "file") == hashlib.sha256(content).hexdigest()
