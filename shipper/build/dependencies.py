"""The backend's dependencies as one folder for the server's platform and Python, unpacked on this machine.

uv resolves and unpacks wheels; nothing is compiled, here or on the server. Equal inputs give equal bytes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import uv

from shipper.build.program import DEADLINE_SECONDS, run_program
from shipper.build.requirements import Requirements, refuse_what_cannot_travel, requirement_lines
from shipper.errors import BuildError, HostError
from shipper.events import Emit, Event

STEP = "build.backend"
_FORMAT = 1
_SCRATCH = ".scratch-"
_KEPT_TREES = 3
# A scratch folder older than this belongs to nobody any more: twice the deadline.
_ABANDONED_SECONDS = 2 * DEADLINE_SECONDS
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
# The glibc versions that uv has names for: `uv pip install --help`, --python-platform.
_MANYLINUX = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
# Packages that many backends ask for and that come as source only, with the ones that take their place.
_WITH_WHEELS = {"psycopg2": "psycopg2-binary", "mysqlclient": "PyMySQL"}
# What an installer writes about its own machine and moment (PEP 610, and uv's own notes).
_NOTES_OF_INSTALLER = ("direct_url.json", "uv_cache.json", "uv_build.json")


@dataclass(frozen=True)
class Python:
    """The target server's Python: `version` such as "3.11", `platform` as uv names it ("x86_64-manylinux_2_36").

    uv takes "3.11" for 3.11.0; with the full version, packages that want a later patch release are found, too.
    """

    version: str
    platform: str


def python_platform(machine: str, libc: str, libc_version: str) -> str:
    """Return uv's name for a server: `machine` as `uname -m` says, `libc` "glibc" or "musl" with its version.

    glibc is backward compatible, so the newest name that is not newer than the server's is taken (PEP 600). Raises
    HostError for what has no name.
    """
    processor = _MACHINES.get(machine.lower())
    numbers = tuple(int(number) for number in re.findall(r"\d+", libc_version)[:2])
    if processor and libc == "musl" and numbers >= (1, 2):  # PEP 656; uv's musl platforms mean 1.2
        return f"{processor}-unknown-linux-musl"
    fitting = [known for known in _MANYLINUX if known <= numbers]
    if processor and libc == "glibc" and fitting:
        return f"{processor}-manylinux_{fitting[-1][0]}_{fitting[-1][1]}"
    raise HostError(
        f"There are no ready-made Python packages for the server: {machine}, {libc} {libc_version}.",
        why="Dependencies are shipped as wheels: for x86_64 and aarch64, with glibc 2.17 or musl 1.2 and newer.",
        fix="Use a server with Ubuntu, Debian or Amazon Linux 2023 on x86_64 or aarch64.",
    )


def fingerprint_dependencies(requirements: Requirements | None, python: Python) -> str:
    """Return a name (20 hex digits) for everything that the dependency tree is made from."""
    texts = requirements.texts if requirements else ()
    settings = requirements.settings if requirements else ""
    inputs = [_FORMAT, texts, settings, python.version, python.platform, version("uv")]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:20]


def install_dependencies(requirements: Requirements, python: Python, folder: Path, emit: Emit) -> bool:
    """Unpack the dependencies into `folder`, whose name is their fingerprint; return whether they were there already.

    The folder appears complete or not at all; the trees used last are kept beside it. Raises BuildError.
    """
    if folder.is_dir():
        os.utime(folder)
        return True
    if requirements.unpinned:
        emit(Event("note", STEP, _describe_unpinned(requirements)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder.parent)
    with _scratch_beside(folder) as scratch:
        tree = Path(scratch) / "tree"
        tree.mkdir()
        _install(requirements, python, tree, emit)
        _remove_traces(tree)
        try:
            tree.rename(folder)
        except OSError:
            # Another ship of the same project was faster; its tree is made of the same inputs.
            if not folder.is_dir():
                raise
    _prune(folder)
    return False


def _scratch_beside(folder: Path) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder.parent, ignore_cleanup_errors=True)


def _install(requirements: Requirements, python: Python, tree: Path, emit: Emit) -> None:
    source = requirements.file
    if requirements.kind == "lock":
        source = tree.with_name("requirements.txt")
        _export_lock(requirements, source, emit)
    options = [
        *("--target", str(tree), "--python-platform", python.platform, "--python-version", python.version),
        *("--only-binary", ":all:", "--no-compile-bytecode", "--link-mode", "copy"),
    ]
    code, output = _run_uv(["pip", "install", *options, "-r", str(source)], requirements.file.parent, emit)
    if code != 0:
        raise _explain(output, requirements.file.name, python)


def _export_lock(requirements: Requirements, file: Path, emit: Emit) -> None:
    """Write the locked versions with their hashes to `file`: no development packages, not the project itself."""
    command = ["export", "--frozen", "--no-dev", "--no-emit-project", "--quiet", "--output-file", str(file)]
    code, output = _run_uv(command, requirements.file.parent, emit)
    if code != 0:
        raise BuildError("uv.lock cannot be read by uv.", why=output, fix="Make it anew with: uv lock")
    lines = requirement_lines(file.read_text(encoding="utf-8"))
    refuse_what_cannot_travel(lines, "uv.lock")


def _run_uv(arguments: list[str], folder: Path, emit: Emit) -> tuple[int, str]:
    """Run uv in `folder`, so that the project's own settings for uv hold; return exit code and output."""
    # The interpreter only runs uv's queries here: the platform and the version of the wheels are the server's.
    command = [uv.find_uv_bin(), *arguments, "--python", sys.executable, "--no-progress", "--color", "never"]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    ended = run_program(command, folder, environment, STEP, emit)
    if ended.timed_out:
        raise BuildError(
            f"The dependencies were not there after {DEADLINE_SECONDS // 60} minutes.",
            why="uv was stopped; most often the network is the reason.",
            fix="Look at your connection and run the command again; what was downloaded is kept.",
        )
    return ended.code, "\n".join(ended.lines).strip()


def _explain(output: str, source: str, python: Python) -> BuildError:
    """Say which package cannot be had, and why, from what uv printed."""
    server = f"Python {python.version} on {python.platform}"
    reasons = "\n".join(line for line in output.splitlines() if not line.startswith("Using CPython"))
    no_wheel = re.search(r"Wheels are required for `([^`]+)`", output) or re.search(
        r"(\S+?)(?:[=<>~!]\S*)? has no (?:usable )?wheels", output
    )
    if no_wheel:
        return BuildError(
            f"{source}: there is no ready-made package of '{no_wheel[1]}' for the server ({server}).",
            why=reasons,
            fix=f"Use a version of {no_wheel[1]} that has a wheel (its files on the package index tell), "
            f"or {_WITH_WHEELS.get(no_wheel[1], 'another package')}.",
        )
    unknown = re.search(r"Because (\S+) was not found in the package registry", output)
    if unknown:
        return BuildError(
            f"{source}: the package index knows no package '{unknown[1]}'.",
            why=reasons,
            fix=f"Correct the spelling of '{unknown[1]}' in {source}; a private index belongs in [[tool.uv.index]].",
        )
    if "No solution found" in output:
        return BuildError(
            f"{source}: no set of versions fits all requirements for {server}.",
            why=reasons,
            fix=f"Change one of the requirements in {source} that uv names above.",
        )
    return BuildError(f"The dependencies of {source} could not be fetched.", why=reasons, fix="See uv's words above.")


def _describe_unpinned(requirements: Requirements) -> str:
    names = ", ".join(requirements.unpinned[:3]) + (", ..." if len(requirements.unpinned) > 3 else "")
    return (
        f"{requirements.file.name} does not pin {names}: today's newest versions are taken. "
        "A uv.lock (uv lock) or name==version makes the next build the same as this one."
    )


def _remove_traces(tree: Path) -> None:
    """Remove what differs between two installations of the same wheels, or only makes sense on this machine."""
    (tree / ".lock").unlink(missing_ok=True)
    # Console scripts name this machine's interpreter; on the server programs are started with `python -m`.
    for scripts in ("bin", "Scripts"):
        shutil.rmtree(tree / scripts, ignore_errors=True)
    for record in sorted(tree.glob("*.dist-info/RECORD")):
        for name in _NOTES_OF_INSTALLER:
            (record.parent / name).unlink(missing_ok=True)
        lines = record.read_text(encoding="utf-8").splitlines()
        kept = sorted(line for line in lines if (tree / next(csv.reader([line]))[0]).exists())
        record.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8", newline="\n")


def _prune(used: Path) -> None:
    """Keep the trees that were used last, `used` among them."""
    os.utime(used)
    trees = [tree for tree in used.parent.iterdir() if tree.is_dir() and not tree.name.startswith(_SCRATCH)]
    trees.sort(key=lambda tree: tree.stat().st_mtime_ns, reverse=True)
    for tree in trees[_KEPT_TREES:]:
        # Renamed first: a deletion that is interrupted must not leave a part of a tree under a fingerprint's name.
        with _scratch_beside(tree) as scratch:
            tree.rename(Path(scratch) / "tree")


def _remove_abandoned(store: Path) -> None:
    """Remove scratch folders of runs that were killed."""
    for scratch in store.glob(f"{_SCRATCH}*"):
        if time.time() - scratch.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(scratch, ignore_errors=True)
