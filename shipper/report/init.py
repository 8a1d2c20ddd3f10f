"""What `inv init --github` did, and what is left to do on GitHub, as commands of GitHub's own command line."""

from __future__ import annotations

from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.pipeline.github import Workflow
from shipper.render.github import targets_in_order
from shipper.report.console import console


def show_written(workspace: Workspace, workflow: Workflow, written: bool) -> None:
    """Print which file was written, and which environments, secrets and variables it wants."""
    console.print(f"{workflow.name} {'is written' if written else 'is there already, as it would be written'}.")
    console.print("\nIt wants an environment for each target (on GitHub: Settings > Environments; here, with gh):")
    for name in targets_in_order(workspace.project):
        console.print(f"\n  {name}", markup=False, style="bold")
        for line in _commands(workspace, name, workspace.project.targets[name]):
            console.print(f"  {line}", markup=False)
    console.print("\nWho may ship is said there, too: required reviewers, and the branches that may deploy.")
    console.print(f"[green]->[/green] git add {workflow.name}; git commit; git push")


def _commands(workspace: Workspace, name: str, target: Target) -> list[str]:
    backend = workspace.project.backend
    lines = [f"gh api --method PUT 'repos/{{owner}}/{{repo}}/environments/{name}'"]
    lines.append(f"gh secret set SHIPPER_SSH_KEY --env {name} < {target.key or '<private key file>'}")
    if unpinned := [one.host for one in target.each if not one.host_key]:
        lines.append(f"inv host.trust --to {name}   # pins the host key of {', '.join(unpinned)} in ship.toml; or:")
        lines.append(f"gh variable set SHIPPER_HOST_KEY --env {name} --body 'SHA256:...'")
    if backend:
        file = target.env_file
        lines.append(f"gh secret set SHIPPER_ENV_FILE --env {name} < {file}   # if GitHub shall send it, too")
    if backend and backend.image.delivery == "ecr":
        lines.append(f"gh variable set SHIPPER_AWS_ROLE --env {name} --body 'arn:aws:iam::<account>:role/<role>'")
        if not backend.image.region:
            lines.append(f"gh variable set SHIPPER_AWS_REGION --env {name} --body <region>")
    return lines
