"""`inv init`: files that a project needs once, written where there are none yet."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context

from shipper.tasks.face import command

_SOURCE = "owner/name@commit of shipper on GitHub; default: where this one was installed from"


@command(
    help={
        "github": "the workflow that ships from GitHub's actions",
        "print": "show the file and write nothing",
        "source": _SOURCE,
    }
)
def init(context: Context, github: bool = False, print: bool = False, source: str = "") -> None:
    """Write the workflow that ships from GitHub's actions (--github); a file that is there is never overwritten."""
    from shipper.config.load import find_workspace
    from shipper.errors import ConfigError
    from shipper.origin import find_origin, parse_origin
    from shipper.pipeline.github import plan_workflow, write_workflow
    from shipper.report.console import console
    from shipper.report.init import show_written

    if not github:
        raise ConfigError("What shall be written? There is one kind of file so far.", fix="inv init --github")
    workspace = find_workspace(Path.cwd())
    workflow = plan_workflow(workspace, parse_origin(source) if source else find_origin())
    if print:
        console.out(workflow.text, end="", highlight=False)
        return
    show_written(workspace, workflow, write_workflow(workflow))
