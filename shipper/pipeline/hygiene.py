"""Nothing secret is shipped: the project's files and the built site are looked at before anything leaves.

A hook can be passed by with `--no-verify`, and a clone may have none; a ship looks again (field note G4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipper.config.load import SANDBOX
from shipper.config.project import Workspace
from shipper.deliver.manifest import Tree
from shipper.findings import Finding
from shipper.pipeline.job import Job


def check_files(workspace: Workspace) -> list[Finding]:
    """Return what is wrong with the files that git has or would take; nothing without git, which says what these are.

    Raises ConfigError and RepositoryError.
    """
    from shipper.check.hygiene.contents import rules_digest
    from shipper.check.hygiene.git import GitRepository
    from shipper.check.hygiene.memory import Memory
    from shipper.check.secrets import check_tree

    if GitRepository.find(workspace.root) is None:
        return []
    with Memory.remember(workspace.cache / "hygiene" / "files", rules_digest()) as memory:
        return list(check_tree(workspace.root, memory).findings)


def check_built_site(workspace: Workspace, tree: Tree) -> list[Finding]:
    """Return what must not be in the built site."""
    from shipper.check.hygiene.contents import rules_digest
    from shipper.check.hygiene.memory import Memory
    from shipper.check.hygiene.site import check_site
    from shipper.check.secrets import leave_out_allowed_of

    frontend = workspace.project.frontend
    folder = f"{frontend.path} (built)" if frontend else ""
    with Memory.remember(workspace.cache / "hygiene" / "site", rules_digest()) as memory:
        return leave_out_allowed_of(workspace, check_site(tree, folder, memory))


def check_origin(job: Job, origin: Mapping[str, Any]) -> list[Finding]:
    """Return a finding when what is shipped is in no commit, and nobody said that this is meant.

    The practice server takes anything.
    """
    if not origin["dirty"] or job.allow_dirty or job.target_name == SANDBOX:
        return []
    return [
        Finding(
            rule="tree.dirty",
            severity="error",
            message="There are changes that are in no commit.",
            why="Nobody could say later what this release was made of, nor make it again.",
            fix="Commit them, or ship them as they are, which the release will say: inv ship --allow-dirty",
        )
    ]
