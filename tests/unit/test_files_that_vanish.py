"""A file that is replaced or removed while it is shipped: an error that says so, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.deliver.manifest import read_files
from shipper.deliver.upload import Counter, choose, compress, keys_of
from shipper.errors import BuildError
from shipper.hashes import FileHashes


def test_a_source_that_is_gone_before_it_is_read_is_named(tmp_path: Path) -> None:
    with FileHashes.remember(tmp_path / "hashes.json") as hashes, pytest.raises(BuildError, match=r"app\.py"):
        read_files(tmp_path, ["app.py"], hashes)


@pytest.mark.parametrize("size", [0, 10])
def test_a_source_that_is_gone_before_it_is_sent_is_named(tmp_path: Path, size: int) -> None:
    (tmp_path / "app.py").write_bytes(b"x" * size)
    with FileHashes.remember(tmp_path / "hashes.json") as hashes:
        tree = read_files(tmp_path, ["app.py"], hashes)
    (tmp_path / "app.py").unlink()
    with pytest.raises(BuildError, match=r"app\.py was changed while it was being sent"):
        list(compress(choose([tree], keys_of([tree])), Counter()))
