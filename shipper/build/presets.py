"""What is known about each kind of frontend: its variables' prefix, its commands' names, its folders, its env files."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.config.frontend import Frontend


@dataclass(frozen=True)
class Preset:
    """One kind of frontend.

    `env_files` are the files the build tool reads, strongest first; `{mode}` is "production" or what `--mode` says.
    `env_object` is what the source reads variables from, `config_files` the tool's own configuration. `output` is
    the folder the build writes, empty when nothing is built. `fallback` is the page for a path that has no file.
    """

    name: str
    prefix: str
    env_object: str
    env_files: tuple[str, ...]
    config_files: tuple[str, ...]
    output: str
    stale: tuple[str, ...]
    fallback: str


# The order of the env files was measured (Next 14 to 16, Vite 7): the tools differ in the middle two.
_NEXT = Preset(
    name="Next.js",
    prefix="NEXT_PUBLIC_",
    env_object="process.env",
    env_files=(".env.{mode}.local", ".env.local", ".env.{mode}", ".env"),
    config_files=("next.config.js", "next.config.mjs", "next.config.cjs", "next.config.ts", "next.config.mts"),
    output="out",
    # Answers of `fetch(..., {cache: "force-cache"})` outlive a build and would be published again (field note B2).
    stale=(".next/cache/fetch-cache",),
    fallback="404.html",
)
_VITE = Preset(
    name="Vite",
    prefix="VITE_",
    env_object="import.meta.env",
    env_files=(".env.{mode}.local", ".env.{mode}", ".env.local", ".env"),
    config_files=("vite.config.ts", "vite.config.js", "vite.config.mjs", "vite.config.mts", "vite.config.cjs"),
    output="dist",
    stale=(),
    fallback="index.html",
)
_STATIC = Preset(
    name="static files",
    prefix="",
    env_object="",
    env_files=(),
    config_files=(),
    output="",
    stale=(),
    fallback="404.html",
)
_PRESETS = {"next": _NEXT, "vite": _VITE, "static": _STATIC}


def preset_of(frontend: Frontend) -> Preset:
    """Return what is known about this frontend's kind."""
    return _PRESETS[frontend.preset]


def output_folder(frontend: Frontend) -> str:
    """Return the folder the build writes, relative to the frontend's folder; empty when nothing is built."""
    return frontend.output or preset_of(frontend).output


def is_built(frontend: Frontend) -> bool:
    """Say whether a command makes the site; plain static files are copied as they are."""
    return frontend.preset != "static" or frontend.command is not None
