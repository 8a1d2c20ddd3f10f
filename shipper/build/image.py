"""The backend's image, built by the Docker engine of this machine for the platform of the server (field note B6)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipper.build.context import pack_context
from shipper.build.dockerfile import fixed_platform
from shipper.build.program import run_program
from shipper.config.backend import Image
from shipper.config.project import Workspace
from shipper.engine import connect
from shipper.errors import BuildError, ConfigError
from shipper.events import Emit, Event

STEP = "build.image"
# How the engine's own builder and BuildKit name a step: "Step 3/5 : RUN make", " > [builder 3/5] RUN make:".
_STEP_LINE = re.compile(r"^(Step \d+/\d+ : .+|\s*> \[[^\]]*\d+/\d+\] .+?):?$")
_LAST_LINES = 20
# ${NAME} and $NAME, but not the dollar sign that Compose writes as `$$`.
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$[{A-Za-z_]")
# `uname -m` of a server, and what Docker calls it.
_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64"}


@dataclass(frozen=True)
class ImageBuild:
    """A built image: `id` and `layers` (DiffIDs, from the bottom) are digests, `size` is in bytes, unpacked.

    `sizes` are those of the steps that added something, from the bottom: one for each layer, or fewer where a layer is
    empty.
    """

    id: str
    layers: tuple[str, ...]
    size: int
    sizes: tuple[int, ...]
    platform: str
    seconds: float

    @property
    def short(self) -> str:
        """Twelve characters that name the content."""
        return self.id.removeprefix("sha256:")[:12]

    def size_above(self, common: int) -> int:
        """Return about how many bytes the layers above the lowest `common` ones take, rather too many than too few."""
        above = len(self.layers) - common
        return sum(self.sizes[-above:]) if above else 0


@dataclass(frozen=True)
class Recipe:
    """What an image is built from: a folder, its Dockerfile, the wanted stage ("" for the last), arguments, and the
    names of variables that are mounted as secrets while it is built.
    """

    context: Path
    dockerfile: Path
    stage: str
    args: dict[str, str]
    secrets: tuple[str, ...] = ()


def recipe_of(workspace: Workspace, image: Image, build: dict[str, Any] | None) -> Recipe:
    """Return the recipe that ship.toml asks for; what it does not say is as in the service's `build` section.

    Raises ConfigError when neither says it, or a folder or file is not there.
    """
    said = build or {}
    if build is None and image.context is None:
        raise ConfigError(
            "Nothing says how the backend's image is built.",
            why="The service has no `build` section in the compose file.",
            fix='Add one, or [backend.image] with context = "..." to ship.toml.',
        )
    for key in ("additional_contexts", *(() if image.dockerfile else ("dockerfile_inline",))):
        if said.get(key):
            raise ConfigError(
                f"The compose file says build.{key}, which is not done here.",
                why="Without it another image would be built than Compose itself builds.",
                fix="Write it as a Dockerfile inside the context: [backend.image] dockerfile, or the compose file.",
            )
    context = workspace.root / (image.context or Path(said["context"]))
    dockerfile = context / (image.dockerfile or said.get("dockerfile") or "Dockerfile")
    args = {**_arguments(said.get("args")), **image.args}
    for what, path in (("folder", context), ("Dockerfile", dockerfile)):
        if not path.exists():
            raise ConfigError(f"The {what} {path} is not there.", fix="Correct [backend.image], or the compose file.")
    for name, value in args.items():
        if name not in image.args and _VARIABLE.search(value):
            raise ConfigError(
                f"The build argument {name} is {value!r}, whose value is not known here.",
                why="What is built must not depend on the environment of this terminal.",
                fix=f'Write its value into ship.toml: [backend.image] args = {{ {name} = "..." }}',
            )
    if not context.resolve().is_relative_to(workspace.root.resolve()):
        raise ConfigError(
            f"The image's context {context} is outside of the folder of ship.toml.",
            why="What is outside of the project is neither checked for secrets nor a part of its origin.",
            fix="Put ship.toml into a folder above it, or choose another one: [backend.image] context.",
        )
    missing = [name for name in image.secrets if not os.environ.get(name)]
    if missing:
        raise ConfigError(
            f"The image's secret {missing[0]} is not in the environment of this machine.",
            why="[backend.image] names it under `secrets`.",
            fix=f"Set it in this terminal, or among the secrets of the CI: export {missing[0]}=...",
        )
    return Recipe(context, dockerfile, image.stage or said.get("target") or "", args, image.secrets)


def _arguments(said: Any) -> dict[str, str]:
    if isinstance(said, list):
        said = {name: value if sign else None for name, sign, value in map(_parted, said)}
    # One without a value is left to the Dockerfile's own default.
    return {name: _written(value) for name, value in (said or {}).items() if value is not None}


def _parted(entry: str) -> tuple[str, str, str]:
    return entry.partition("=")


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def platform_of(machine: str) -> str:
    """Return Docker's name for a server's `uname -m`. Raises BuildError for one that no image can be built for."""
    try:
        return _PLATFORMS[machine]
    except KeyError:
        raise BuildError(f"No image can be built for a server of the kind {machine}.") from None


def build_image(recipe: Recipe, platform: str, tag: str, emit: Emit) -> ImageBuild:
    """Build an image and tag it `tag`. Raises BuildError with the step that failed and its last lines."""
    started = time.monotonic()
    emit(Event("start", STEP, f"Image for {platform}"))
    fixed = fixed_platform(recipe.dockerfile, recipe.stage)
    if fixed and fixed.platform != platform:
        raise _other_platform(fixed.platform, platform, f"{recipe.dockerfile.name}, line {fixed.line}, says so.")
    with connect() as client:
        if _has_buildx():
            identity = _build_with_buildx(recipe, platform, tag, emit)
        elif recipe.secrets:
            raise ConfigError(
                "The image's secrets need buildx, which is not on this machine.",
                why="The engine's own builder could only take them as arguments, and those stay in the image.",
                fix="Install it: apt-get install docker-buildx (Debian 13, Ubuntu), docker-buildx-plugin (Docker's)",
            )
        else:
            identity = _build_with_engine(client, recipe, platform, tag, emit)
        image = _built(client, identity, tag)
        sizes = tuple(int(entry["Size"]) for entry in reversed(image.history()) if entry["Size"])
    found = f"{image.attrs['Os']}/{image.attrs['Architecture']}"
    if found != platform:
        raise _other_platform(found, platform, "Its base image is, or this engine cannot build for the server's.")
    seconds = time.monotonic() - started
    layers = tuple(image.attrs["RootFS"]["Layers"])
    build = ImageBuild(image.id, layers, int(image.attrs["Size"]), sizes, platform, seconds)
    text = f"{build.short}, {len(layers)} layers, {build.size / 1e6:,.0f} MB unpacked"
    emit(Event("done", STEP, text, seconds=seconds))
    return build


def _other_platform(found: str, wanted: str, why: str) -> BuildError:
    return BuildError(
        f"The image is for {found}, but the server is {wanted}.",
        why=why,
        fix="Take a base image for both without --platform, and buildx (docker-buildx), or build on a machine like the "
        "server.",
    )


def _has_buildx() -> bool:
    docker = shutil.which("docker")
    # The switch that `docker build` knows as well.
    wanted = os.environ.get("DOCKER_BUILDKIT") != "0"
    return wanted and bool(docker) and _answers([docker or "", "buildx", "version"])


def _answers(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _built(client: Any, identity: str, tag: str) -> Any:
    """Return the image that was built, by its id: another clone of the project may have taken the tag meanwhile."""
    from docker.errors import ImageNotFound

    try:
        return client.images.get(identity or tag)
    except ImageNotFound:  # an engine that knows images by other digests than its builder
        return client.images.get(tag)


def _build_with_buildx(recipe: Recipe, platform: str, tag: str, emit: Emit) -> str:
    """Build with BuildKit; return the image's id."""
    docker = shutil.which("docker") or "docker"
    argv = [docker, "buildx", "build", "--load", "--progress", "plain", "--platform", platform, "--tag", tag]
    # An attestation would make an index of the image, which older engines do not take.
    argv += ["--provenance", "false", "--file", str(recipe.dockerfile)]
    argv += ["--target", recipe.stage] if recipe.stage else []
    for name, value in recipe.args.items():
        argv += ["--build-arg", f"{name}={value}"]
    for name in recipe.secrets:  # by name: a value in argv could be read by everybody on this machine
        argv += ["--secret", f"id={name},env={name}"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "id"
        argv += ["--iidfile", str(file), str(recipe.context)]
        ended = run_program(argv, recipe.context, dict(os.environ), STEP, emit)
        if ended.code != 0:
            raise _failed(ended.lines)
        return file.read_text(encoding="utf-8").strip()


def _build_with_engine(client: Any, recipe: Recipe, platform: str, tag: str, emit: Emit) -> str:
    """Build with the engine's own builder, which needs nothing but the engine; return the image's id."""
    engine = client.version()
    native = f"{engine['Os']}/{engine['Arch']}"
    with pack_context(recipe.context, recipe.dockerfile) as archive:
        lines = client.api.build(
            fileobj=archive,
            custom_context=True,
            dockerfile=recipe.dockerfile.relative_to(recipe.context).as_posix(),
            tag=tag,
            buildargs=recipe.args,
            target=recipe.stage or None,
            platform=None if platform == native else platform,
            rm=True,
            forcerm=True,
            decode=True,
        )
        return _follow(lines, emit)


def _follow(messages: Iterable[dict[str, Any]], emit: Emit) -> str:
    """Pass the builder's output on, and return the id of what it made. Errors arrive inside the stream, without an
    exception of the SDK's.
    """
    seen: deque[str] = deque(maxlen=_LAST_LINES)
    identity = ""
    for message in messages:
        for line in _lines_of(message):
            seen.append(line)
            emit(Event("output", STEP, line))
        if "error" in message:
            raise _failed((*seen, str(message["error"])))
        identity = str((message.get("aux") or {}).get("ID") or identity)
    return identity


def _lines_of(message: dict[str, Any]) -> Iterator[str]:
    text = str(message.get("stream", ""))
    return (line.rstrip() for line in text.splitlines() if line.strip())


def _failed(lines: Iterable[str]) -> BuildError:
    last = list(lines)[-_LAST_LINES:]
    step = next((match[1].strip(" >") for line in reversed(last) if (match := _STEP_LINE.match(line))), "")
    return BuildError(
        "The image could not be built" + (f": {step}." if step else "."),
        why="\n".join(last),
        fix="Mend what the lines above name; the old release is still serving.",
    )
