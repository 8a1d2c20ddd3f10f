"""The agent's boundary: Python 3.9, the standard library, and nothing else, because that is all a server has."""

from __future__ import annotations

import ast
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest

from shipper.host.bundle import pack_agent

MODULES = sorted((Path(__file__).parents[2] / "shipper" / "agent").glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_is_python_3_9_and_imports_only_the_standard_library_and_its_neighbours(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 9))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] in sys.stdlib_module_names for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            neighbour = node.level == 1
            assert neighbour or (node.level == 0 and (node.module or "").split(".")[0] in sys.stdlib_module_names)


def test_the_packed_agent_holds_all_modules_and_is_the_same_every_time() -> None:
    bundle = pack_agent()
    pack_agent.cache_clear()
    assert pack_agent().content == bundle.content
    assert hashlib.sha256(bundle.content).hexdigest() == bundle.digest
    names = zipfile.ZipFile(io.BytesIO(bundle.content)).namelist()
    assert {f"shipper_agent/{module.name}" for module in MODULES} | {"__main__.py"} == set(names)
