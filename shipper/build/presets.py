"""What is known about each kind of frontend: its variables' prefix, its commands' names, its folders, its env files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipper.config.frontend import Frontend


@dataclass(frozen=True)
class Preset:
    """One kind of frontend.

    `env_files` are the files the build tool reads, strongest first; `{mode}` is "production" or what `--mode` says.
    `env_object` is what the source reads variables from, `config_files` the tool's own configuration. `output` is
    the folder the build writes, empty when nothing is built. `fallback` is the page for a path that has no file.
    `whole_object` says that the browser gets all of `env_object`, so that a destructured or computed read works there.
    `immutable` matches the addresses whose files are named by their content: a regular expression for Python and for
    nginx, empty when there are none. `settings` are variables that the build tool itself is given; those of ship.toml
    beat them.
    """

    name: str
    prefix: str
    env_object: str
    env_files: tuple[str, ...]
    config_files: tuple[str, ...]
    output: str
    stale: tuple[str, ...]
    fallback: str
    whole_object: bool
    immutable: str
    settings: tuple[tuple[str, str], ...] = ()


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
    whole_object=False,
    immutable="^/_next/static/",
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
    whole_object=True,
    # Rollup's eight characters of hash.
    immutable=r"^/assets/.+-[A-Za-z0-9_-]{8}\.[A-Za-z0-9.]+$",
)
_CRA = Preset(
    name="Create React App",
    prefix="REACT_APP_",
    env_object="process.env",
    env_files=_NEXT.env_files,
    config_files=("craco.config.js", "craco.config.ts", "config-overrides.js"),
    output="build",
    stale=(),
    fallback="index.html",
    # react-scripts 5 defines `process.env` as one object (config/env.js), which Next does not.
    whole_object=True,
    immutable=r"^/static/(?:js|css|media)/.+\.[0-9a-f]{8,}\.",
    settings=(
        # Beats `homepage` of package.json, which is often that of GitHub's pages: its folder would be in every address.
        # Empty would count as not set (react-dev-utils, getPublicUrlOrPath).
        ("PUBLIC_URL", "/"),
        # By default it writes source maps of everything (B2's proof would refuse each such site).
        ("GENERATE_SOURCEMAP", "false"),
    ),
)
_ASTRO = Preset(
    name="Astro",
    prefix="PUBLIC_",
    env_object="import.meta.env",
    env_files=_VITE.env_files,
    config_files=("astro.config.mjs", "astro.config.ts", "astro.config.js", "astro.config.mts", "astro.config.cjs"),
    output="dist",
    stale=(),
    fallback="404.html",
    whole_object=True,
    immutable=r"^/_astro/.+\.[A-Za-z0-9_-]{8}\.[A-Za-z0-9.]+$",
    settings=(("ASTRO_TELEMETRY_DISABLED", "1"),),
)
# Any other program. Which variables it reads, and how, nobody knows: their names are searched for in the sources.
_COMMAND = Preset(
    name="the build command",
    prefix="",
    env_object="",
    env_files=_VITE.env_files,
    config_files=(),
    output="",
    stale=(),
    fallback="404.html",
    whole_object=True,
    immutable="",
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
    whole_object=False,
    immutable="",
)
_PRESETS = {"next": _NEXT, "vite": _VITE, "cra": _CRA, "astro": _ASTRO, "command": _COMMAND, "static": _STATIC}


def preset_of(frontend: Frontend) -> Preset:
    """Return what is known about this frontend's kind."""
    return _PRESETS[frontend.preset]


def output_folder(frontend: Frontend) -> str:
    """Return the folder the build writes, relative to the frontend's folder; empty when nothing is built."""
    return frontend.output or preset_of(frontend).output


def is_built(frontend: Frontend) -> bool:
    """Say whether a command makes the site; plain static files are copied as they are."""
    return frontend.preset != "static" or frontend.command is not None


def immutable_addresses(frontend: Frontend) -> str:
    """Return a regular expression for the addresses whose files are named by their content; empty for none."""
    return f"^/{re.escape(frontend.hashed)}/" if frontend.hashed else preset_of(frontend).immutable


def fallback_of(frontend: Frontend) -> str:
    """Return the page that answers for a path without a file, where the site has it."""
    if frontend.single_page is None:
        return preset_of(frontend).fallback
    return "index.html" if frontend.single_page else "404.html"


def build_settings(frontend: Frontend) -> dict[str, str]:
    """Return the variables that the build tool itself is given, by name; they are about how it works."""
    settings = dict(preset_of(frontend).settings)
    if frontend.preset == "cra":
        # Otherwise a BUILD_PATH of the shell or of an env file would decide.
        settings["BUILD_PATH"] = output_folder(frontend)
        if frontend.source_maps:
            del settings["GENERATE_SOURCEMAP"]
    return settings
