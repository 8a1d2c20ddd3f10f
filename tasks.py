"""What `inv` offers: the tasks of shipper. The same line is all that the tasks.py of an app needs."""

from shipper.tasks import namespace

__all__ = ["namespace"]
