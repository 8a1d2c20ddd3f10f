"""Which backends a repository has, and the keys of `[backend]` for each: start command, migrations, health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipper.detect.applications import Application, find_applications
from shipper.detect.django import DjangoProject, find_django
from shipper.detect.found import Found, Problem, is_below, join
from shipper.detect.local_only import find_local_databases, find_local_settings
from shipper.detect.packages import Package
from shipper.detect.repository import Repository
from shipper.detect.requirements import Packages, read_packages_of
from shipper.detect.routes import Route, find_routes, health_of

_NODE_SERVERS = ("@nestjs/core", "express", "fastify", "koa", "@hapi/hapi", "hono", "@adonisjs/core", "strapi")
_UVICORN = ("--proxy-headers", "--forwarded-allow-ips", "*", "--no-access-log", "--no-server-header")
_NO_COMMAND: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundBackend:
    """A backend: the keys of its table in `ship.toml`, what told them (`where`), and what will not work yet.

    `kind` is "django", "asgi", "wsgi", "node" or "container" (shipper.detect.containers); the last two can only run in
    a container. `routes` are what it answers, as far as its source says.
    """

    path: str
    kind: str
    what: str
    where: str
    app: str = ""
    command: tuple[str, ...] = ()
    requirements: str = ""
    migrate: tuple[str, ...] = ()
    migrate_where: str = ""
    static_url: Found | None = None
    static_root: Found | None = None
    health: Found | None = None
    routes: tuple[Route, ...] = ()
    problems: tuple[Problem, ...] = ()


def find_backends(repository: Repository, packages: list[Package], frontends: Sequence[str]) -> list[FoundBackend]:
    """Return every backend, Django first; `frontends` are the folders of the frontends, which are none."""
    django = [_of_django(repository, one) for one in find_django(repository)]
    taken = [one.path for one in django]
    others = [
        _of_application(repository, one)
        for one in find_applications(repository)
        if not any(is_below(one.folder, folder) for folder in taken)
    ]
    node = [one for package in packages if package.folder not in frontends and (one := _of_node(repository, package))]
    return [*django, *others, *node]


def _of_django(repository: Repository, project: DjangoProject) -> FoundBackend:
    packages = read_packages_of(repository, project.folder)
    problems = list(packages.problems)
    app, command = "", _NO_COMMAND
    if project.wsgi and "gunicorn" in packages.names and "uvicorn" not in packages.names:
        command = _gunicorn(project.wsgi.value)
    elif project.asgi:
        app = project.asgi.value
        problems += _without_server(packages, project.folder, "uvicorn")
    elif project.wsgi:
        command = _gunicorn(project.wsgi.value)
        problems += _without_server(packages, project.folder, "gunicorn")
    settings = project.settings[0] if project.settings else project.folder
    if not project.sets_static_root:
        fix = f'Add to {settings}:  STATIC_ROOT = BASE_DIR / "staticfiles"'
        problems.append(Problem(settings, "sets no STATIC_ROOT, so collectstatic has no folder to collect into", fix))
    # A settings.py that is split keeps what is for work at home in files that no server reads.
    problems += find_local_settings(repository, list(project.settings[:1]))
    where = join(project.folder, "manage.py")
    found = FoundBackend(project.folder, "django", "Django", where, app, command, packages.configured)
    return replace(
        found,
        static_url=project.static_url,
        static_root=project.static_root,
        health=_health(project.routes),
        routes=project.routes,
        problems=tuple(problems),
    )


def _of_application(repository: Repository, one: Application) -> FoundBackend:
    packages = read_packages_of(repository, one.folder)
    routes = tuple(find_routes(repository, one.source, one.variable, one.top)) if one.variable else ()
    app, command, server = f"{one.module}:{one.name}", _NO_COMMAND, "uvicorn"
    inside = "" if one.top == one.folder else one.top.removeprefix("" if one.folder == "." else f"{one.folder}/")
    if not one.speaks_asgi:
        command, server = _of_wsgi(packages, app + ("()" if one.factory else ""), inside)
        app = ""
    elif one.factory or inside:
        options = (*(("--factory",) if one.factory else ()), *(("--app-dir", inside) if inside else ()))
        command = ("python", "-m", "uvicorn", app, *options, "--uds", "{socket}", *_UVICORN)
        app = ""
    problems = [*packages.problems, *_without_server(packages, one.folder, server)]
    problems += find_local_databases(repository, one.folder)
    migrate, where = _migrations(repository, one, packages)
    return FoundBackend(
        one.folder,
        "asgi" if one.speaks_asgi else "wsgi",
        one.what,
        one.where,
        app,
        command,
        packages.configured,
        migrate,
        where,
        health=_health(routes),
        routes=routes,
        problems=tuple(problems),
    )


def _of_wsgi(packages: Packages, app: str, inside: str) -> tuple[tuple[str, ...], str]:
    """Return the command for an application of WSGI, and the server that it wants."""
    if "waitress" in packages.names and "gunicorn" not in packages.names and not inside and not app.endswith("()"):
        return ("python", "-m", "waitress", "--unix-socket={socket}", "--unix-socket-perms=666", app), "waitress"
    return _gunicorn(app, *(("--pythonpath", inside) if inside else ())), "gunicorn"


def _gunicorn(app: str, *options: str) -> tuple[str, ...]:
    return ("python", "-m", "gunicorn", app, *options, "--bind", "unix:{socket}", "--threads", "4")


def _without_server(packages: Packages, folder: str, server: str) -> list[Problem]:
    if server in packages.names or packages.problems:
        return []
    if not packages.file:
        file = join(folder, "requirements.txt")
        what = "is not there: no file says which Python packages the backend wants"
        return [Problem(file, what, f"Write {file} with a package a line, {server} among them.")]
    fix = f"uv add {server}" if packages.file in ("uv.lock", "pyproject.toml") else f"Add a line to it: {server}"
    return [Problem(join(folder, packages.file), f"does not have {server}, which the backend is started with", fix)]


def _migrations(repository: Repository, one: Application, packages: Packages) -> tuple[tuple[str, ...], str]:
    if repository.has(join(one.folder, "alembic.ini")):
        return ("python", "-m", "alembic", "upgrade", "head"), join(one.folder, "alembic.ini")
    flask = join(one.folder, "migrations/alembic.ini")
    if "flask-migrate" in packages.names and repository.has(flask):
        return ("python", "-m", "flask", "--app", f"{one.module}:{one.name}", "db", "upgrade"), flask
    return (), ""


def _health(routes: Sequence[Route]) -> Found | None:
    found = health_of(list(routes))
    return Found(found.path, found.where, found.sure) if found else None


def _of_node(repository: Repository, package: Package) -> FoundBackend | None:
    name = next((name for name in _NODE_SERVERS if name in package.wants), "")
    if not name:
        return None
    migrate, where = _NO_COMMAND, ""
    for path in (join(package.folder, "prisma/schema.prisma"), join(package.folder, "schema.prisma")):
        if repository.has(path):
            migrate, where = ("npx", "prisma", "migrate", "deploy"), path
    what = {"@nestjs/core": "NestJS", "express": "Express", "fastify": "Fastify"}.get(name, name)
    return FoundBackend(package.folder, "node", what, package.where(name), migrate=migrate, migrate_where=where)
