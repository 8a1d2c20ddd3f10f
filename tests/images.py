"""`python tests/images.py`: makes the images that tests begin from, where they are not there yet.

The tests would make them as well, but each while others wait for it; `make test` does it while it looks at the code.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))

import example_images
from gig import make_images

from shipper.engine import connect
from shipper.errors import ShipperError
from shipper.events import Event
from shipper.sandbox.image import ensure_image


def main() -> int:
    try:
        with connect() as client:
            ensure_image(client, tell)
            example_images.provide(client, tell)
            make_images(client)
    except ShipperError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def tell(event: Event) -> None:
    """Print what happens; of a program's output, nothing."""
    if event.kind == "note":
        print(event.text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
