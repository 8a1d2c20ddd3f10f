"""Everything the plan needs, side by side: frontend and backend are built while the connection to the server opens."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shipper.build.program import end_all_programs, want_programs
from shipper.config.project import Workspace
from shipper.deliver.manifest import Tree, read_files, read_tree
from shipper.events import Emit, Event, count_files, of_server
from shipper.findings import Finding
from shipper.hashes import FileHashes
from shipper.host.session import AgentSession
from shipper.pipeline.hooks import run_after_build, run_build_hooks
from shipper.pipeline.hygiene import check_built_site, check_files, check_origin
from shipper.pipeline.job import Job
from shipper.pipeline.origin import origin_of
from shipper.pipeline.parts import BackendParts, SiteBuild
from shipper.pipeline.server import ServerState, backend_python, connect, connect_each, read_state
from shipper.render.nginx import SiteShape, nginx_files
from shipper.render.systemd import backend_unit

if TYPE_CHECKING:
    # Without containers nobody waits for all that belongs to images, and what builds is imported while the connection
    # opens: it is the longest that a ship without a change waits for.
    from shipper.build.backend import Python
    from shipper.build.frontend import FrontendBuild
    from shipper.pipeline.images import ImageSource

_MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Reached:
    """One server of the target: the way to its agent, what is there, and what was made for it."""

    job: Job
    session: AgentSession
    state: ServerState
    parts: BackendParts | None
    nginx: Mapping[str, str]


@dataclass(frozen=True)
class Gathered:
    """What was built here, and the servers it is for, in their order."""

    servers: tuple[Reached, ...]
    site: SiteBuild | None
    origin: Mapping[str, Any]
    images: ImageSource | None = None
    findings: tuple[Finding, ...] = ()


@contextmanager
def gather(job: Job, emit: Emit) -> Iterator[Gathered]:
    """Build and connect side by side; the connections stay open for the length of the block.

    The first failure ends everything, a build that still runs included. Raises what building and connecting raise.
    """
    project, jobs = job.workspace.project, job.each
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(4 + len(jobs), thread_name_prefix="gather"))
        stack.enter_context(_ended_programs_on_error())
        reached = [pool.submit(_reach, stack, one, emit) for one in jobs]
        # What they write is part of what is looked at, checked and built.
        run_build_hooks(job, "before_build", emit)
        origin = pool.submit(origin_of, job.workspace)
        files = pool.submit(check_files, job.workspace)
        site = pool.submit(_site, job, emit) if project.frontend else None
        images = _images(stack, job) if job.in_containers else None
        parts = pool.submit(_parts, jobs, reached, images, emit) if project.backend else None
        _first_failure([future for future in (*reached, origin, files, site, parts) if future])
        built, shape = site.result() if site else (None, None)
        run_after_build(job, built, emit)
        in_site = check_built_site(job.workspace, built.tree) if built else []
        made = parts.result() if parts else [None] * len(jobs)
        servers = []
        for one, future, part in zip(jobs, reached, made, strict=True):
            session, state = future.result()
            nginx = nginx_files(project, job.target, shape, ipv6=bool(state.facts["ipv6"]))
            servers.append(Reached(one, session, state, part, nginx))
        findings = (*check_origin(job, origin.result()), *files.result(), *in_site)
        yield Gathered(tuple(servers), built, origin.result(), images, findings)


def _images(stack: ExitStack, job: Job) -> ImageSource:
    from shipper.pipeline.images import open_images

    return stack.enter_context(open_images(job))


@contextmanager
def _ended_programs_on_error() -> Iterator[None]:
    want_programs()
    try:
        yield
    except BaseException:
        end_all_programs()
        raise


def _first_failure(futures: list[Future[Any]]) -> None:
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()


def _reach(stack: ExitStack, job: Job, emit: Emit) -> tuple[AgentSession, ServerState]:
    emit = of_server(emit, job.server)
    began = time.monotonic()
    emit(Event("start", "connect", f"Connection to {job.target.host}"))
    session = stack.enter_context(connect(job, emit))
    state = read_state(session, job)
    emit(Event("done", "connect", state.live and f"live is {state.live}", seconds=time.monotonic() - began))
    return session, state


def _site(job: Job, emit: Emit) -> tuple[SiteBuild, SiteShape]:
    from shipper.build.frontend import build_frontend
    from shipper.build.presets import immutable_addresses

    frontend = job.workspace.project.frontend
    assert frontend is not None
    emit(Event("start", "build.frontend", f"Frontend with the API at {job.api_url}"))
    build = build_frontend(job.workspace, job.api_url, emit)
    with FileHashes.remember(job.workspace.cache / "hashes" / "site.json") as hashes:
        tree = read_tree(build.site, hashes, executable=())
    shape = SiteShape(
        trailing_slash=build.trailing_slash,
        single_page=build.fallback == "index.html",
        not_found=(build.site / "404.html").is_file(),
        immutable=immutable_addresses(frontend),
    )
    text = f"{count_files(len(tree.entries))}; {_origin_of(build)}"
    emit(Event("done", "build.frontend", text, seconds=build.seconds))
    return SiteBuild(tree, build.immutable, _origin_of(build), build.site), shape


def _origin_of(build: FrontendBuild) -> str:
    return f"unchanged, build {build.fingerprint[:8]}" if build.cached else f"built in {build.seconds:.1f} s"


def _parts(
    jobs: Sequence[Job],
    reached: Sequence[Future[tuple[AgentSession, ServerState]]],
    images: ImageSource | None,
    emit: Emit,
) -> list[BackendParts]:
    """Return the backend for each server; what equal Pythons or platforms share is built once."""
    if images:
        from shipper.pipeline.containers import container_parts

        return container_parts(jobs, [future.result()[1] for future in reached], images, emit)
    built: dict[Python, tuple[Tree, Tree, bool]] = {}
    made = []
    for job, future in zip(jobs, reached, strict=True):
        backend = job.workspace.project.backend
        assert backend is not None
        python, interpreter = backend_python(future.result()[1], backend, job.target.host)
        if python not in built:
            built[python] = backend_trees(job.workspace, python, emit)
        code, dependencies, cached = built[python]
        origin = "dependencies unchanged" if cached else "dependencies resolved"
        made.append(BackendParts(code, dependencies, backend_unit(job.app, backend, interpreter), interpreter, origin))
    return made


def backend_trees(workspace: Workspace, python: Python, emit: Emit) -> tuple[Tree, Tree, bool]:
    """Build the backend; return the trees of its code and its dependencies, and whether the latter were cached."""
    from shipper.build.backend import build_backend

    build = build_backend(workspace, python, emit)
    with FileHashes.remember(workspace.cache / "hashes" / "code.json") as hashes:
        code = read_files(build.code, build.code_files, hashes, build.executable)
    with FileHashes.remember(workspace.cache / "hashes" / "dependencies.json") as hashes:
        dependencies = read_tree(build.dependencies, hashes) if build.dependencies else Tree()
    return code, dependencies, build.cached


def build_only(job: Job, emit: Emit) -> None:
    """Build and prove what a ship would build. The server is only asked for its Python."""
    backend = job.workspace.project.backend
    with ThreadPoolExecutor(2, thread_name_prefix="build") as pool, _ended_programs_on_error():
        run_build_hooks(job, "before_build", emit)
        futures: list[Future[Any]] = [pool.submit(_site, job, emit)] if job.workspace.project.frontend else []
        if backend:
            futures.append(pool.submit(_build_backend, job, emit))
        _first_failure(futures)
        run_after_build(job, futures[0].result()[0] if job.workspace.project.frontend else None, emit)


def _build_backend(job: Job, emit: Emit) -> None:
    backend = job.workspace.project.backend
    assert backend is not None
    with connect_each(job, emit) as sessions:
        states = [read_state(session, one) for one, session in sessions]
    if job.in_containers:
        from shipper.pipeline.containers import container_parts
        from shipper.pipeline.images import open_images

        with open_images(job) as images:
            container_parts(job.each, states, images, emit)
        return
    for python in {backend_python(state, backend, job.target.host)[0] for state in states}:
        backend_trees(job.workspace, python, emit)


def new_release_id(origin: Mapping[str, Any], states: Iterable[ServerState]) -> str:
    """Return the id of a release made now: `<utc time>-<git short sha>`.

    The time is always later than that of every release on the servers, whatever the clocks of those who ship say: the
    order of the ids is the order of the releases.
    """
    moment = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    for newest in (state.releases[0]["id"] for state in states if state.releases):
        known = datetime.datetime.strptime(newest.split("-")[0] + "+0000", _MOMENT + "%z")
        moment = max(moment, known + datetime.timedelta(seconds=1))
    return f"{moment.strftime(_MOMENT)}-{origin['commit'][:7] or 'nogit'}"
