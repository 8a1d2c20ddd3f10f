"""A backend in containers: its image is built here and offered to servers, and what Compose runs there is made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from shipper.build.compose_file import ComposeFile, read_compose
from shipper.build.context import context_files
from shipper.build.ignored import proposed_lines
from shipper.build.image import ImageBuild, build_image, platform_of, recipe_of
from shipper.check.compose import check_compose
from shipper.check.context import check_context, propose_ignore_file
from shipper.check.secrets import leave_out_allowed_of
from shipper.deliver.manifest import Tree, read_tree
from shipper.errors import HostError
from shipper.events import Emit, Event
from shipper.findings import Finding, refuse_errors
from shipper.hashes import FileHashes
from shipper.pipeline.images import ImageSource
from shipper.pipeline.job import Job
from shipper.pipeline.parts import BackendParts, Containers
from shipper.pipeline.server import ServerState
from shipper.render.compose import ComposeProjects, compose_projects
from shipper.render.systemd import COMPOSE_FILE, compose_unit, proxy_units

_STEP = "build.image"


def container_parts(
    jobs: Sequence[Job], states: Sequence[ServerState], images: ImageSource, emit: Emit
) -> list[BackendParts]:
    """Return the backend for each server; one image for each platform.

    Raises ConfigError, FindingsError, BuildError, and HostError for a server without Docker or Compose.
    """
    job = jobs[0]
    backend = job.workspace.project.backend
    assert backend is not None and backend.service is not None
    file = read_compose(job.workspace, backend)
    recipe = recipe_of(job.workspace, backend.image, file.services[backend.service].get("build"))
    files = context_files(recipe.context, recipe.dockerfile)
    folder = recipe.context.relative_to(job.workspace.root).as_posix()
    refuse_errors(leave_out_allowed_of(job.workspace, check_context(files, recipe.context, folder)))
    notes = propose_ignore_file(proposed_lines(recipe.context, recipe.dockerfile), folder)
    built: dict[str, ImageBuild] = {}
    made = []
    for one, state in zip(jobs, states, strict=True):
        platform = platform_of(str(state.facts["machine"]))
        if platform not in built:
            built[platform] = build_image(recipe, platform, f"{job.app}:{platform.rpartition('/')[2]}", emit)
        made.append(_parts(one, state, file, built[platform], images, notes, emit))
    return made


def renew_parts(
    jobs: Sequence[Job], states: Sequence[ServerState], parts: Sequence[BackendParts], images: ImageSource, emit: Emit
) -> list[BackendParts]:
    """Return the backends for servers that changed since `parts` were made for them; the images stay as they are."""
    backend = jobs[0].workspace.project.backend
    assert backend is not None
    file = read_compose(jobs[0].workspace, backend)
    made = []
    for job, state, part in zip(jobs, states, parts, strict=True):
        assert part.containers is not None
        made.append(_parts(job, state, file, part.containers.parcel.build, images, [], emit))
    return made


def _parts(
    job: Job,
    state: ServerState,
    file: ComposeFile,
    build: ImageBuild,
    images: ImageSource,
    notes: list[Finding],
    emit: Emit,
) -> BackendParts:
    backend = job.workspace.project.backend
    assert backend is not None and backend.service is not None
    compose = state.containers["compose"]
    if not compose:
        raise HostError(
            f"There is no Compose on {job.target.host}.",
            fix="On the server: sudo apt-get install docker-compose-v2 (Ubuntu) or docker-compose-plugin (Docker's)",
        )
    name = f"{job.app}:{build.short}"
    projects = compose_projects(job.app, backend, file, name, state.environment)
    if projects.left_out:
        emit(Event("note", _STEP, f"Not run on the server: {', '.join(projects.left_out)} (of {file.path.name})."))
    slot = [*compose, "--project-name", f"{job.app}-%i", "--file", COMPOSE_FILE]
    containers = Containers(
        parcel=images.pack(build, name, state.containers, emit),
        units=proxy_units(job.app),
        services=_services(job, compose, projects),
        command=(*slot, "run", "--rm", "--no-deps", "-T", backend.service),
        findings=(
            *notes,
            *check_compose(file, projects.services, state.environment, job.target_name, projects.lasting),
        ),
    )
    origin = f"image {build.short}, built in {build.seconds:.1f} s"
    return BackendParts(_tree(job, projects), Tree(), compose_unit(job.app, compose), "", origin, containers)


def _services(job: Job, compose: Sequence[str], projects: ComposeProjects) -> dict[str, object]:
    file = f"/srv/{job.app}/services/{COMPOSE_FILE}"
    return {
        "text": projects.stateful,
        "command": [*compose, "--project-name", job.app, "--file", file],
        "volumes": list(projects.volumes),
        "networks": list(projects.networks),
    }


def _tree(job: Job, projects: ComposeProjects) -> Tree:
    """Return what a slot holds: the file that Compose runs."""
    text = projects.release.encode()
    # One file for each text: servers may get different ones, and so may two ships at once.
    folder = job.workspace.cache / "compose" / hashlib.sha256(text).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / COMPOSE_FILE).is_file() or (folder / COMPOSE_FILE).read_bytes() != text:
        (folder / COMPOSE_FILE).write_bytes(text)
    with FileHashes.remember(job.workspace.cache / "hashes" / "compose.json") as hashes:
        return read_tree(folder, hashes, executable=())
