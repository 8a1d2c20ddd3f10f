"""Which frontends a repository has: by package.json and the build tool's own configuration, generators, plain pages."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace

from shipper.build.bake_reads import is_like_api_url
from shipper.build.presets import preset_of
from shipper.build.sources import scan_sources
from shipper.build.static_site import find_other_file
from shipper.config.frontend import Frontend, PresetName
from shipper.config.project import Project, Workspace
from shipper.detect.found import Found, Problem, folder_of, is_below, join, place
from shipper.detect.packages import Package, find_manager, lock_file_problem
from shipper.detect.repository import Repository
from shipper.errors import ShipperError

_RUN_BUILD = ("npm", "run", "build")
_PAGES = ("index.html", "public/index.html", "src/index.html")


@dataclass(frozen=True)
class FoundFrontend:
    """A frontend: the keys of its table in `ship.toml`, what told them (`where`), and what will not work yet.

    `rank` orders several: 0 what is surely the app, 1 a generator's site, 2 plain pages. `api_variable` is what the
    source reads for the API's URL, `variables` what else it reads.
    """

    path: str
    preset: PresetName
    what: str
    where: str
    rank: int = 0
    manager: str = ""
    command: tuple[str, ...] = ()
    output: str = ""
    hashed: str = ""
    single_page: bool = False
    api_variable: Found | None = None
    variables: tuple[Found, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Tool:
    """A build tool that is known by a package: how its site is made with the preset for a command of one's own."""

    what: str
    output: str
    command: tuple[str, ...] = _RUN_BUILD
    hashed: str = ""
    single_page: bool = False


# By package, the first that is asked for. What each writes: its own documentation on static output.
_TOOLS = {
    "@sveltejs/kit": _Tool("SvelteKit", "build", hashed="_app/immutable"),
    "nuxt": _Tool("Nuxt", ".output/public", ("npx", "nuxt", "generate"), hashed="_nuxt"),
    "gatsby": _Tool("Gatsby", "public"),
    "@docusaurus/core": _Tool("Docusaurus", "build"),
    "@11ty/eleventy": _Tool("Eleventy", "_site", ("npx", "@11ty/eleventy")),
    "vitepress": _Tool("VitePress", ".vitepress/dist", ("npx", "vitepress", "build")),
    "@vue/cli-service": _Tool("Vue CLI", "dist", single_page=True),
    "hexo": _Tool("Hexo", "public", ("npx", "hexo", "generate")),
    "parcel": _Tool("Parcel", "dist", single_page=True),
    "webpack": _Tool("webpack", "dist", single_page=True),
}
_PRESETS: dict[str, PresetName] = {
    "next": "next",
    "astro": "astro",
    "react-scripts": "cra",
    "react-app-rewired": "cra",
    "@craco/craco": "cra",
}
_NAMES = {"next": "Next.js", "astro": "Astro", "cra": "Create React App", "vite": "Vite"}
# Generators that are no packages of npm: their configuration's name, the folder they write, and their command.
_GENERATORS = {
    "hugo.toml": _Tool("Hugo", "public", ("hugo", "--minify")),
    "hugo.yaml": _Tool("Hugo", "public", ("hugo", "--minify")),
    "mkdocs.yml": _Tool("MkDocs", "site", ("mkdocs", "build")),
    "_config.yml": _Tool("Jekyll", "_site", ("bundle", "exec", "jekyll", "build")),
}
_OUTPUT = {
    "next": re.compile(r"""\bdistDir\s*:\s*["'](?P<folder>[^"']+)["']"""),
    "vite": re.compile(r"""\boutDir\s*:\s*["'](?P<folder>[^"']+)["']"""),
    "astro": re.compile(r"""\boutDir\s*:\s*["'](?P<folder>[^"']+)["']"""),
}
_ROOT = re.compile(r"""\broot\s*:\s*["'](?P<folder>[^"'/][^"']*)["']""")
_EXPORT = re.compile(r"""\boutput\s*:\s*["']export["']""")
_SERVER = re.compile(r"""\boutput\s*:\s*["'](?:server|hybrid)["']""")
_BASE = re.compile(r"""\bbase(?:Path)?\s*:\s*["'](?P<base>/[^"']+)["']""")


def find_frontends(repository: Repository, packages: list[Package]) -> list[FoundFrontend]:
    """Return every frontend, what is surely the app first."""
    found = [one for package in packages if (one := _of_package(repository, package))]
    found += _generators(repository, [one.path for one in found])
    if not found:
        found = _plain_pages(repository)
    return sorted(found, key=lambda one: (one.rank, one.path.count("/"), one.path))


def _of_package(repository: Repository, package: Package) -> FoundFrontend | None:
    wanted = package.wants
    told = next((name for name in _PRESETS if name in wanted), "")
    tool = next((name for name in _TOOLS if name in wanted), "")
    manager = find_manager(repository, package.folder)[0]
    lock = lock_file_problem(repository, package.folder)
    problems = [lock] if lock else []
    # A generator's package beside Vite (SvelteKit, VitePress) is the tool; webpack beside a framework is a part of it.
    if told or ("vite" in wanted and tool in ("", "parcel", "webpack")):
        preset: PresetName = _PRESETS.get(told, "vite")
        found = FoundFrontend(package.folder, preset, _NAMES[preset], package.where(told or "vite"), manager=manager)
        if preset == "vite" and not _is_a_site(repository, package):
            return None
        found = _with_configuration(repository, found, package)
        found = _with_variables(repository, found)
        return replace(found, problems=(*problems, *found.problems))
    if tool and "build" in {*package.scripts, *(("build",) if _TOOLS[tool].command != _RUN_BUILD else ())}:
        known = _TOOLS[tool]
        if known.single_page and not _is_a_site(repository, package):
            return None  # webpack also bundles servers and libraries
        command = (manager or "npm", *known.command[1:]) if known.command == _RUN_BUILD else known.command
        if tool == "@sveltejs/kit" and "@sveltejs/adapter-static" not in wanted:
            fix = "Use @sveltejs/adapter-static in svelte.config, or run it in a container."
            problems.append(Problem(package.where(tool), "SvelteKit needs its static adapter to write a site", fix))
        return FoundFrontend(
            package.folder,
            "command",
            known.what,
            package.where(tool),
            1,
            manager,
            command,
            known.output,
            known.hashed,
            known.single_page and not repository.has(join(package.folder, "404.html")),
            problems=tuple(problems),
        )
    return None


def _is_a_site(repository: Repository, package: Package) -> bool:
    """Say whether a package that is built has a page of its own: Vite and webpack build libraries and servers, too."""
    return any(repository.has(join(package.folder, page)) for page in _PAGES)


def find_pageless(repository: Repository, packages: list[Package], backends: list[str]) -> list[Problem]:
    """Return the packages that Vite builds without a page of their own: libraries, and sites whose page is elsewhere.

    `backends` are the folders of the backends, whose own package is theirs.
    """
    found = []
    for package in packages:
        wanted = package.wants
        is_vite = "vite build" in package.scripts.get("build", "") and "vite" in wanted
        if not is_vite or {*_PRESETS, *_TOOLS} & wanted or package.folder in backends:
            continue
        if not _is_a_site(repository, package):
            where = ", ".join(join(package.folder, page) for page in _PAGES)
            fix = f"If it is a site, its page has to be one of: {where}. A library stays as it is."
            what = "is built by Vite, and has no index.html: it was taken for a library"
            found.append(Problem(package.where("build"), what, fix))
    return found


def _with_configuration(repository: Repository, found: FoundFrontend, package: Package) -> FoundFrontend:
    """Add what the build tool's own configuration says: the output folder, and what cannot be shipped as files."""
    preset = preset_of(_settings(found))
    names = [join(found.path, name) for name in preset.config_files if repository.has(join(found.path, name))]
    path, text = (names[0], _without_comments(repository.text(names[0]))) if names else ("", "")
    output = _OUTPUT[found.preset].search(text) if found.preset in _OUTPUT else None
    problems = list(found.problems)
    folder = output["folder"].removeprefix("./").strip("/") if output else ""
    if found.preset == "vite" and (root := _ROOT.search(text)):
        # Vite's outDir counts from its root: https://vite.dev/config/build-options#build-outdir
        folder = posixpath.normpath(f"{root['folder']}/{folder or 'dist'}")
    if folder.startswith(".."):
        problems.append(
            Problem(path, f"writes into {folder}, which is not in {found.path}/", "Write into a folder of its own.")
        )
        folder = ""
    if found.preset == "next":
        problems += _of_next(repository, found, path or join(found.path, "next.config.mjs"), text)
        folder = folder if _EXPORT.search(text) else ""
    if found.preset == "astro" and (server := _SERVER.search(text)):
        fix = f"Remove {server[0]} and the adapter from {path}, so that pages are made while building."
        problems.append(Problem(place(path, text, server.start()), "Astro builds a server, and no static site", fix))
    if found.preset != "cra" and (base := _BASE.search(text)) and base["base"] != "/":
        what = f"the site is built for {base['base']}, and it is served from /"
        problems.append(Problem(place(path, text, base.start()), what, f"Remove {base[0]} from {path}."))
    if found.preset == "cra" and not {"react-scripts"} & package.wants:
        problems.append(Problem(package.path, "react-scripts is not among the packages", "npm install react-scripts"))
    return replace(found, output=folder, problems=tuple(problems))


def _of_next(repository: Repository, found: FoundFrontend, path: str, text: str) -> list[Problem]:
    problems = []
    if not _EXPORT.search(text):
        fix = f'Add output: "export" to {path}, or run Next in a container ([backend] runtime = "compose").'
        problems.append(Problem(path, "Next does not export static files (no output: 'export')", fix))
    for source in repository.below(found.path, "/route.ts", "/route.js", "middleware.ts", "middleware.js"):
        if "/pages/api/" in source or "/app/" in f"/{source}" or source.rpartition("/")[2].startswith("middleware"):
            what = "needs a running Next server, which an export has not"
            problems.append(Problem(source, what, "Move it to the backend."))
            break
    return problems


def _settings(found: FoundFrontend) -> Frontend:
    return Frontend.model_construct(
        path=found.path, preset=found.preset, command=found.command or None, output=found.output or None
    )


def _with_variables(repository: Repository, found: FoundFrontend) -> FoundFrontend:
    """Add the public variables that the sources read: the one for the API's URL, and all others."""
    frontend = Frontend(path=found.path, preset=found.preset)
    workspace = Workspace(repository.root, Project(name="looked-at", frontend=frontend))
    try:
        sources = scan_sources(workspace)
    except ShipperError:
        return found
    first: dict[str, Found] = {}
    for read in sources.reads:
        if read.name.startswith(sources.prefixes) and read.name not in sources.prefixes:
            first.setdefault(read.name, Found(read.name, f"{read.path}:{read.line}", sure=read.fallback is None))
    like = [one for one in first.values() if is_like_api_url(one.value)]
    loose = [one for one in first.values() if re.search(r"API|BACKEND|SERVER|BASE_URL", one.value)]
    chosen = like[0] if like else replace(loose[0], sure=False) if loose else None
    others = tuple(one for one in first.values() if chosen is None or one.value != chosen.value)
    return replace(found, api_variable=chosen, variables=others)


def _generators(repository: Repository, taken: list[str]) -> list[FoundFrontend]:
    found = []
    for path in repository.named(*_GENERATORS):
        folder, tool = folder_of(path), _GENERATORS[path.rpartition("/")[2]]
        if folder in taken or (tool.what == "Jekyll" and not repository.has(join(folder, "Gemfile"))):
            continue
        # A generator in Python that the project itself locks, at the version that it locks.
        command = ("uv", "run", *tool.command) if repository.has(join(folder, "uv.lock")) else tool.command
        found.append(FoundFrontend(folder, "command", tool.what, path, 1, command=command, output=tool.output))
    return found


def _plain_pages(repository: Repository) -> list[FoundFrontend]:
    """Return the folders with an index.html that nothing builds; not those in the folder of another one."""
    folders: list[str] = []
    for path in repository.named("index.html"):
        folder = folder_of(path)
        is_template = {"templates", "template", "static"} & set(folder.split("/")[:-1]) or folder.endswith("templates")
        if not is_template and not any(is_below(folder, taken) for taken in folders):
            folders.append(folder)
    found = [FoundFrontend(one, "static", "plain pages", join(one, "index.html"), 2) for one in folders]
    return [replace(one, problems=_beside_the_pages(repository)) if one.path == "." else one for one in found]


def _beside_the_pages(repository: Repository) -> tuple[Problem, ...]:
    """Return what keeps pages at the top of a project from being published: everything there would be."""
    visible = (path for path in repository.files if not any(part.startswith(".") for part in path.split("/")))
    other = find_other_file(visible)
    fix = 'Move the site into a folder such as "site", and type shipper init again (or correct path).'
    return (Problem(other, "is no file of a site, and stands beside index.html", fix),) if other else ()


def _without_comments(text: str) -> str:
    """Blank comments, keeping lines and offsets: a switched-off setting is none."""
    pattern = r"/\*.*?\*/|(?<![:\"'])//[^\n]*"
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)
