"""Builds the frontend once for everything it is made from, keeps the result, and proves it before it may be shipped."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from shipper.build.built_files import fallback_page, has_trailing_slash, immutable_assets, list_site
from shipper.build.fingerprint import (
    Inputs,
    fingerprint_frontend,
    frontend_folder,
    read_inputs,
    the_frontend,
)
from shipper.build.next_build_id import build_id_of, settle_build_id
from shipper.build.presets import is_built, output_folder
from shipper.build.program import are_unwanted
from shipper.build.run import STEP, run_build
from shipper.build.static_site import copy_static_files
from shipper.config.project import Workspace
from shipper.errors import BuildError
from shipper.events import Emit, Event
from shipper.findings import Finding, refuse_errors
from shipper.remembered import ignore_in_git

__all__ = ["FrontendBuild", "build_frontend", "fingerprint_frontend"]

# Raised by one whenever a proof is added or sharpened in shipper.build.prove, so that cached builds are proved again.
_PROOF_VERSION = 2
_KEPT_BUILDS = 5
_LOOK_SECONDS = 0.5
_ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class FrontendBuild:
    """A proved frontend. `site` is a folder that never changes after the build.

    `immutable` are the POSIX paths, relative to `site` and sorted, of the assets whose names change with their
    content. `trailing_slash` is the form of the export: about/index.html (True) or about.html (False). `fallback`
    is the file for a path without one: "index.html" for a single-page app (answered with 200), "404.html" (answered
    with 404), or "" for the web server's own page. `seconds` is how long this call took.
    """

    fingerprint: str
    site: Path
    immutable: tuple[str, ...]
    trailing_slash: bool
    fallback: str
    cached: bool
    seconds: float


def build_frontend(workspace: Workspace, api_url: str, emit: Emit) -> FrontendBuild:
    """Return the proved build of the frontend with `api_url` baked into it; build it only when something has changed.

    Emits "output", "progress" and "note" events of the step `build.frontend`; its start and end are the caller's.
    Raises FindingsError when the sources or the built site must not be shipped, BuildError when the build fails,
    ConfigError when the folder, package.json or the lock file is not there. A failed build leaves nothing behind
    that a later run would take for a build.
    """
    started = time.monotonic()
    inputs = read_inputs(workspace, api_url)
    build = _kept_build(workspace, inputs.fingerprint)
    with _only_one(workspace, emit):
        cached = build.is_dir()
        if not cached:
            # A build that is there already waits for nothing of what makes one.
            from shipper.build.bake import check_sources

            _stop_on_errors(check_sources(workspace, api_url), emit)
            build = _build_of_settled_inputs(workspace, api_url, inputs, emit)
        _prove_once(build, workspace, api_url, emit)
        os.utime(build)
        _drop_old_builds(build.parent)
    return _describe(build, workspace, cached=cached, seconds=time.monotonic() - started)


@contextmanager
def _only_one(workspace: Workspace, emit: Emit) -> Iterator[None]:
    """Wait while another shipper builds here: two builds in one folder would remove each other's files."""
    folder = workspace.cache / "frontend"
    folder.mkdir(parents=True, exist_ok=True)
    ignore_in_git(workspace.cache)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        emit(Event("note", STEP, "Another shipper is building here; waiting for it."))
        _wait_for(lock)
    try:
        yield
    finally:
        lock.release()


def _wait_for(lock: FileLock) -> None:
    while True:
        with suppress(Timeout):
            lock.acquire(timeout=_LOOK_SECONDS)
            return
        if are_unwanted():  # Ctrl-C, or something else failed: nobody waits half an hour for somebody else's build
            raise BuildError("The build was called off while it waited for another one.")


def _kept_build(workspace: Workspace, fingerprint: str) -> Path:
    return workspace.cache / "frontend" / fingerprint


def _stop_on_errors(findings: list[Finding], emit: Emit) -> None:
    for finding in findings:
        if finding.severity != "error":
            emit(Event("note", STEP, f"{finding.where}  {finding.message}".strip()))
    refuse_errors(findings)


def _build_of_settled_inputs(workspace: Workspace, api_url: str, inputs: Inputs, emit: Emit) -> Path:
    """Build, and build again when a source changed meanwhile: what was built then belongs to no fingerprint.

    The second time is ordinary: Next rewrites tsconfig.json in its first build.
    """
    for _ in range(2):
        with _scratch_folder(workspace) as scratch:
            _make_site(workspace, api_url, inputs.fingerprint, scratch, emit)
            after = read_inputs(workspace, api_url)
            if after.fingerprint == inputs.fingerprint:
                return _keep(scratch, _kept_build(workspace, inputs.fingerprint))
        changed = sorted(path for path, _ in inputs.files.items() ^ after.files.items())
        emit(Event("note", STEP, f"{', '.join(changed[:3])} changed while the site was built: building again."))
        inputs = after
    raise BuildError(
        "The frontend's sources keep changing while it is built.",
        why=f"Changed during the build: {', '.join(changed[:5])}.",
        fix="Save your work, stop what writes these files (or add them to .gitignore), then run it again.",
    )


@contextmanager
def _scratch_folder(workspace: Workspace) -> Iterator[Path]:
    scratch = workspace.cache / "frontend" / f"scratch-{uuid.uuid4().hex}"
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _keep(scratch: Path, build: Path) -> Path:
    """Give the finished build its name; only a folder of that name counts as a build."""
    try:
        scratch.rename(build)
    except OSError:
        # Another run finished the same build first: equal inputs, equal bytes.
        if not build.is_dir():
            raise
    return build


def _make_site(workspace: Workspace, api_url: str, fingerprint: str, scratch: Path, emit: Emit) -> None:
    frontend = the_frontend(workspace)
    site = scratch / "site"
    if is_built(frontend):
        output = run_build(workspace, api_url, fingerprint, emit)
        shutil.move(output, site)
    else:
        copy_static_files(workspace, site)
    if not (site / "index.html").is_file():
        if frontend.preset == "astro" and (site / "server").is_dir():
            raise BuildError(
                "Astro built a server, and no static site.",
                why='astro.config says output: "server", or a page says prerender = false.',
                fix='Remove output: "server" and the adapter from astro.config: pages are then made while building.',
            )
        raise BuildError(
            "The built site has no index.html.",
            why=f"The build ended well, but {frontend.path}/{output_folder(frontend) or '.'} holds no index.html.",
            fix='Write the folder that holds the site\'s index.html into ship.toml: [frontend] output = "...".',
        )
    if frontend.preset == "next":
        settle_build_id(site, build_id_of(fingerprint))


def _prove_once(build: Path, workspace: Workspace, api_url: str, emit: Emit) -> None:
    """Prove the build, unless it was proved under the same rules: a finding that was allowed needs no new build.

    The address is one of the rules: it need not be baked into the site, and may be this machine's (the sandbox's is).
    """
    frontend, backend = the_frontend(workspace), workspace.project.backend
    static = backend.static_files if backend else None
    passed_on = [*(backend.prefixes if backend else ()), *([static.url] if static else ())]
    rules = json.dumps([_PROOF_VERSION, api_url, frontend.model_dump(mode="json"), passed_on])
    record = build / "proved.json"
    if record.is_file() and record.read_text(encoding="utf-8") == rules:
        return
    from shipper.build.prove import prove

    _stop_on_errors(prove(build / "site", workspace, api_url), emit)
    record.write_text(rules, encoding="utf-8")


def _describe(build: Path, workspace: Workspace, *, cached: bool, seconds: float) -> FrontendBuild:
    frontend = the_frontend(workspace)
    site = build / "site"
    paths = list_site(site)
    return FrontendBuild(
        fingerprint=build.name,
        site=site,
        immutable=immutable_assets(paths, frontend_folder(workspace), frontend),
        trailing_slash=has_trailing_slash(paths),
        fallback=fallback_page(paths, frontend),
        cached=cached,
        seconds=seconds,
    )


def _drop_old_builds(cache: Path) -> None:
    folders = [path for path in cache.iterdir() if path.is_dir()]
    builds = [path for path in folders if not path.name.startswith("scratch-")]
    builds.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    # A scratch folder that is a day old was left by a process that was killed.
    oldest = time.time() - _ABANDONED_SECONDS
    abandoned = [path for path in folders if path not in builds and path.stat().st_mtime < oldest]
    for path in builds[_KEPT_BUILDS:]:
        with suppress(OSError):  # on Windows, while somebody reads it
            drop_build(path)
    for path in abandoned:
        shutil.rmtree(path, ignore_errors=True)


def drop_build(build: Path) -> None:
    """Remove a build; a removal that is cut off leaves no part of it under its fingerprint's name."""
    doomed = build.rename(build.with_name(f"scratch-{uuid.uuid4().hex}"))
    shutil.rmtree(doomed, ignore_errors=True)
