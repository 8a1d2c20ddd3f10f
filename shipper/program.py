"""The console script `shipper`: the same tasks as `inv`, in any project without a tasks.py of its own."""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

# Asked by a shell at every Tab: docs/completion.md.
_VALUES = ["--complete-values", "--"]
_NO_VALUE = 3


def main() -> None:
    """Run the tasks named on the command line; ends the process with their exit code."""
    if sys.argv[1:3] == _VALUES:
        sys.exit(_print_values(sys.argv[3:]))
    # Before it ends, Python would look through all that is left, to free what the system frees anyway.
    atexit.register(gc.freeze)
    _import_invoke()
    from shipper import __version__
    from shipper.report.streams import open_streams
    from shipper.tasks import namespace
    from shipper.tasks.program import Shipper

    name = "shipper"
    with open_streams():
        Shipper(name=name, binary=name, binary_names=[name], namespace=namespace, version=__version__).run()


class _Later(ModuleType):
    """A module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        sys.modules.pop(self.__name__, None)
        return getattr(import_module(self.__name__), name)


def _import_invoke() -> None:
    """Import Invoke without what it takes along: `python -m benchmarks startup` shows what `inv` waits longer for.

    That is unittest.mock, with asyncio below it, for a class that only tests of tasks use; and its copy of PyYAML, for
    a configuration that projects seldom have.
    """
    if "invoke" in sys.modules:
        return
    sys.modules["invoke.vendor.yaml"] = _Later("invoke.vendor.yaml")
    mock = sys.modules.get("unittest.mock")
    stand_in = ModuleType("unittest.mock")
    stand_in.__getattr__ = lambda name: object  # type: ignore[method-assign]
    sys.modules["unittest.mock"] = stand_in
    import invoke.context  # noqa: F401

    # Whoever wants it gets the real one.
    del sys.modules["unittest.mock"]
    if mock:
        sys.modules["unittest.mock"] = mock


def _print_values(words: list[str]) -> int:
    """Print what may stand in place of the last word, a line each; return 3 when it is none of our values."""
    from pathlib import Path

    from shipper.completion.values import complete_values

    found = complete_values(words, Path.cwd())
    if found is None:
        return _NO_VALUE
    sys.stdout.write("".join(f"{value}\n" for value in found))
    return 0
