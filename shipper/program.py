"""The console script `shipper`: the same tasks as `inv`, in any project without a tasks.py of its own."""

from __future__ import annotations

from invoke.program import Program

from shipper import __version__
from shipper.tasks import namespace


def main() -> None:
    """Run the tasks named on the command line; ends the process with their exit code."""
    Program(name="shipper", binary="shipper", namespace=namespace, version=__version__).run()
