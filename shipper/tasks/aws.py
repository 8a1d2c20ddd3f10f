"""`inv aws.ecr.*`: what has to be there at Amazon before a ship can use it."""

from __future__ import annotations

from invoke.context import Context

from shipper.tasks.face import command, confirmed
from shipper.tasks.job import find_job

_YES = "do not ask"


@command(help={"yes": _YES})
def create(context: Context, yes: bool = False) -> None:
    """Make the ECR repository of [backend.image]: tags that stay, a scan of every push, old images expire."""
    from shipper.deliver.amazon import create_ecr_repository
    from shipper.errors import ConfigError
    from shipper.report.console import console

    backend = find_job("").workspace.project.backend
    if backend is None or backend.image.delivery != "ecr":
        raise ConfigError(
            "ship.toml names no ECR repository.",
            fix='Write it there: [backend.image] delivery = "ecr" and repository = "team/music".',
        )
    image = backend.image
    where = f" in {image.region}" if image.region else ""
    if not confirmed(f"Make the ECR repository '{image.repository}'{where}?", yes):
        return
    address, made = create_ecr_repository(image)
    console.print(f"{address} {'is made' if made else 'is there already; it is left as it is'}.", markup=False)
    console.print("-> inv ship", markup=False)
