"""Runs a frontend's installation and build on this machine, with a clean output folder and the right environment."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from shipper.build.diagnose import failed
from shipper.build.fingerprint import baked_variables, find_program, frontend_folder, the_frontend
from shipper.build.next_build_id import build_id_of, preload_environment
from shipper.build.package_manager import PackageManager, find_package_manager
from shipper.build.presets import build_settings, output_folder, preset_of
from shipper.build.program import run_program
from shipper.build.source_tree import has_tracked_files
from shipper.config.project import Workspace
from shipper.errors import BuildError, ConfigError
from shipper.events import Emit, Event
from shipper.hashes import hash_file

STEP = "build.frontend"
# What was installed, as it is noted in node_modules by npm, pnpm, yarn, and yarn since its version 2.
_NOTES = (".package-lock.json", ".pnpm/lock.yaml", ".yarn-integrity", ".yarn-state.yml")


def run_build(workspace: Workspace, api_url: str, fingerprint: str, emit: Emit) -> Path:
    """Install what is missing, run the build command, and return the folder it wrote.

    What an earlier build wrote is removed first. Raises BuildError when a program fails or writes no output folder,
    ConfigError when package.json or the lock file is not there.
    """
    frontend = the_frontend(workspace)
    folder = frontend_folder(workspace)
    output = folder / output_folder(frontend)
    command = frontend.command
    if frontend.preset not in ("static", "command") or (folder / "package.json").exists():
        manager = find_package_manager(folder, workspace.root)
        _install(manager, workspace, emit)
        command = command or manager.build
    assert command is not None
    for stale in (output, *(folder / name for name in preset_of(frontend).stale)):
        _remove(stale, folder)
    environment = _build_environment(workspace, api_url, fingerprint)
    try:
        ended = run_program((find_program(command[0], folder), *command[1:]), folder, environment, STEP, emit)
    except OSError as error:
        raise BuildError(
            f"The build command {command[0]} could not be started.",
            why=f"It is not among the frontend's packages, on the PATH or in {frontend.path}/ ({error.strerror}).",
            fix=f"Install {command[0]} on this machine, or correct [frontend] command in ship.toml.",
        ) from None
    if ended.code != 0:
        raise failed(f"The frontend's build failed (exit code {ended.code}).", ended)
    if frontend.preset == "cra" and any("Compiled with warnings" in line for line in ended.lines):
        emit(Event("note", STEP, "Built with warnings. Where CI=true is set, as on GitHub, they would stop the build."))
    if not output.is_dir():
        raise _no_output(workspace)
    return output


def _no_output(workspace: Workspace) -> BuildError:
    frontend = the_frontend(workspace)
    where = f"{frontend.path}/{output_folder(frontend)}"
    if frontend.preset == "next" and frontend.output is None:
        return BuildError(
            f"The build wrote no {where}/.",
            why='Next only exports static files when next.config says output: "export".',
            fix='Add output: "export" to next.config (with another distDir: write it as [frontend] output).',
        )
    if frontend.preset == "command":
        return BuildError(
            f"The build command wrote no {where}/.",
            why="It ended well, so it wrote its files somewhere else.",
            fix="Correct [frontend] output in ship.toml; it is relative to [frontend] path.",
        )
    return BuildError(
        f"The build wrote no {where}/.",
        why="It ended well, so it wrote its files somewhere else.",
        fix='Write that folder into ship.toml: [frontend] output = "...".',
    )


def _build_environment(workspace: Workspace, api_url: str, fingerprint: str) -> dict[str, str]:
    """Return this shell's environment with what the build must have; the baked variables beat everything in it."""
    environment = {
        **os.environ,
        "NODE_ENV": "production",
        "NEXT_TELEMETRY_DISABLED": "1",
        "NO_COLOR": "1",
        **build_settings(the_frontend(workspace)),
        **baked_variables(workspace, api_url),
    }
    environment.pop("FORCE_COLOR", None)
    if the_frontend(workspace).preset == "next":
        environment |= preload_environment(build_id_of(fingerprint), environment.get("NODE_OPTIONS", ""))
    return environment


def _remove(path: Path, folder: Path) -> None:
    """Remove what an earlier build wrote: a failed build would leave it, and it would be shipped (field note B2)."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        if path.samefile(folder):
            raise ConfigError(
                "The build's output folder is the frontend's own folder.",
                why="It is emptied before each build.",
                fix='Write the folder that the build writes into ship.toml: [frontend] output = "dist".',
            )
        if has_tracked_files(path):
            raise ConfigError(
                f"The build's output folder {path.name}/ holds files that git tracks.",
                why="It is emptied before each build, and these files would be lost.",
                fix=f"Correct [frontend] output in ship.toml, or run `git rm -r --cached {path.name}` and ignore it.",
            )
        shutil.rmtree(path)


def _install(manager: PackageManager, workspace: Workspace, emit: Emit) -> None:
    """Install what the lock file says, unless exactly that was installed last time."""
    folder = manager.lock_file.parent
    place = hashlib.sha256(folder.relative_to(workspace.root).as_posix().encode()).hexdigest()[:16]
    stamp = workspace.cache / "frontend" / f"installed-{place}"
    wanted, packages = hash_file(manager.lock_file), folder / "node_modules"
    if packages.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == _stamp_of(wanted, packages):
        return
    # An installation that is interrupted must not count.
    stamp.unlink(missing_ok=True)
    # npm leaves development packages out under NODE_ENV=production, and the build tools are among them.
    environment = {name: value for name, value in os.environ.items() if name != "NODE_ENV"} | {"NO_COLOR": "1"}
    emit(Event("note", STEP, f"Installing what {manager.lock_file.name} says."))
    ended = run_program(manager.install, folder, environment, STEP, emit)
    if ended.code != 0:
        raise failed(f"{manager.name} could not install the frontend's packages (exit code {ended.code}).", ended)
    stamp.write_text(_stamp_of(wanted, packages), encoding="utf-8")


def _stamp_of(lock: str, packages: Path) -> str:
    """Return what stands for an installation: the lock file's hash, and those of the package manager's own notes.

    Who changes branches and installs by hand leaves the packages of another lock file behind.
    """
    return "\n".join([lock, *(hash_file(packages / name) for name in _NOTES if (packages / name).is_file())])
