"""The commands of shipper for this project: `inv --list` shows them."""

from shipper.tasks import namespace

__all__ = ["namespace"]
