"""A backend in containers: its image is built here and offered to servers, and what Compose runs there is made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from shipper.build.compose_file import ComposeFile, read_compose
from shipper.build.context import context_files
from shipper.build.image import ImageBuild, build_image, platform_of, recipe_of
from shipper.check.compose import check_compose
from shipper.check.context import check_context
from shipper.deliver.image import Pushed, push_here
from shipper.deliver.manifest import Tree, read_tree
from shipper.deliver.registry import Registry, open_registry
from shipper.engine import connect
from shipper.errors import HostError
from shipper.events import Emit, Event
from shipper.findings import refuse_errors
from shipper.hashes import FileHashes
from shipper.host.session import AgentSession
from shipper.pipeline.job import Job
from shipper.pipeline.plan import BackendParts, Containers
from shipper.pipeline.server import ServerState
from shipper.render.compose import ComposeProjects, compose_projects
from shipper.render.systemd import COMPOSE_FILE, compose_unit, proxy_units

_STEP = "build.image"


@dataclass(frozen=True)
class ImageSource:
    """Where servers fetch images from, as long as a ship lasts."""

    registry: Registry
    app: str

    @contextmanager
    def offer(
        self, session: AgentSession, containers: Containers, emit: Emit
    ) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Open the way for one server; yield how it names the image, and the login for it."""
        with session.tunnel(self.registry.port) as port:
            address = f"127.0.0.1:{port}"
            login = {"username": self.registry.user, "password": self.registry.password, "serveraddress": address}
            yield f"{address}/{self.app}@{containers.digest}", login


@contextmanager
def open_images(job: Job) -> Iterator[ImageSource]:
    """Offer images for the length of the block; layers that were compressed once stay in the project's cache."""
    with open_registry(job.workspace.cache / "images") as registry:
        yield ImageSource(registry, job.app)


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
    refuse_errors(check_context(files, recipe.context.relative_to(job.workspace.root).as_posix()))
    built: dict[str, tuple[ImageBuild, Pushed]] = {}
    made = []
    for one, state in zip(jobs, states, strict=True):
        platform = platform_of(str(state.facts["machine"]))
        if platform not in built:
            build = build_image(recipe, platform, f"{job.app}:{platform.rpartition('/')[2]}", emit)
            built[platform] = build, _hand_over(build, images, emit)
        made.append(_parts(one, state, file, *built[platform], emit))
    return made


def _hand_over(build: ImageBuild, images: ImageSource, emit: Emit) -> Pushed:
    began = time.monotonic()
    with connect() as client:
        pushed = push_here(client, build.id, images.app, images.registry)
    size = sum(size for _, size in pushed.blobs)
    emit(Event("note", _STEP, f"Compressed: {size:,} bytes, after {time.monotonic() - began:.1f} s."))
    return pushed


def _parts(
    job: Job, state: ServerState, file: ComposeFile, build: ImageBuild, pushed: Pushed, emit: Emit
) -> BackendParts:
    backend = job.workspace.project.backend
    assert backend is not None and backend.service is not None
    compose = state.containers["compose"]
    if not compose:
        raise HostError(
            f"There is no Compose on {job.target.host}.",
            fix="On the server: sudo apt-get install docker-compose-v2 (Ubuntu) or docker-compose-plugin (Docker's)",
        )
    image = f"{job.app}:{pushed.short}"
    projects = compose_projects(job.app, backend, file, image, state.environment)
    if projects.left_out:
        emit(Event("note", _STEP, f"Not run on the server: {', '.join(projects.left_out)} (of {file.path.name})."))
    known = state.containers["images"]
    there = any(image in entry["names"] for entry in known)
    slot = [*compose, "--project-name", f"{job.app}-%i", "--file", COMPOSE_FILE]
    blobs = () if there else pushed.lacking(build.layers, [entry["layers"] for entry in known])
    containers = Containers(
        image=image,
        digest=pushed.digest,
        blobs=blobs,
        room=_room(blobs, build, pushed),
        units=proxy_units(job.app),
        services=_services(job, compose, projects),
        command=(*slot, "run", "--rm", "--no-deps", "-T", backend.service),
        there=there,
        findings=tuple(check_compose(file, projects.services, state.environment, job.target_name)),
    )
    origin = f"image {pushed.short}, built in {build.seconds:.1f} s"
    return BackendParts(_tree(job, projects), Tree(), compose_unit(job.app, compose), "", origin, containers)


def _room(blobs: Sequence[tuple[str, int]], build: ImageBuild, pushed: Pushed) -> int:
    """Return about how many bytes blobs take on the server: as downloaded, and unpacked by the image's own ratio."""
    size, all_of_it = (sum(size for _, size in some) for some in (blobs, pushed.blobs))
    return int(size + build.size * size / all_of_it)


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
    folder = job.workspace.cache / "compose"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COMPOSE_FILE).write_text(projects.release, encoding="utf-8")
    with FileHashes.remember(job.workspace.cache / "hashes" / "compose.json") as hashes:
        return read_tree(folder, hashes, executable=())
