"""`python tests/images.py`: makes the images that tests begin from, where they are not there yet.

The tests would make them as well, but each while others wait for it; `make test` does it while it looks at the code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))

import example_images
from gig import make_images

from shipper.engine import connect
from shipper.errors import ShipperError
from shipper.events import Event
from shipper.sandbox.image import ensure_base, ensure_image

IMAGES: tuple[Callable[[Any], object], ...] = (
    lambda client: ensure_image(client, tell),
    lambda client: example_images.ensure(client, example_images.PYTHON, tell),
    lambda client: example_images.ensure(client, example_images.POSTGRES, tell),
    make_images,
)


def main() -> int:
    try:
        make(lambda client: ensure_base(client, tell))  # which all others are made from
        with ThreadPoolExecutor() as pool:  # they wait for packages more than they compute
            for _ in pool.map(make, IMAGES):
                pass
    except ShipperError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def make(image: Callable[[Any], object]) -> None:
    with connect() as client:
        image(client)


def tell(event: Event) -> None:
    """Print what happens; of a program's output, nothing."""
    if event.kind == "note":
        print(event.text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
