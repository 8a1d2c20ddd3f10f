"""What can be looked at, one function for each: what is staged, pushed, in a range, in the tree, in all of history."""

from __future__ import annotations

from shipper.check.hygiene.history import history
from shipper.check.hygiene.push import push
from shipper.check.hygiene.ranges import commit_range
from shipper.check.hygiene.staged import staged
from shipper.check.hygiene.subjects import Scope, Subject
from shipper.check.hygiene.tree import folder_tree, tree

__all__ = ["Scope", "Subject", "commit_range", "folder_tree", "history", "push", "staged", "tree"]
