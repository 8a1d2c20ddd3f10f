"""Where the Python applications of a repository are: `module:name` of FastAPI, Flask and their like, and the folder."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipper.detect.found import folder_of, is_below, join
from shipper.detect.repository import Repository
from shipper.detect.requirements import has_requirements
from shipper.detect.syntax import assignments, called, imports_of, tree_of

# By class, what people call it; those that speak WSGI are started with another server.
_ASGI = {"FastAPI": "FastAPI", "Starlette": "Starlette", "Litestar": "Litestar", "Quart": "Quart"}
_WSGI = {"Flask": "Flask"}
_CLASSES = {**_ASGI, **_WSGI}
_HINT = re.compile(r"\b(?:" + "|".join(_CLASSES) + r")\(|_app\(")
_FACTORY = re.compile(r"^(?:create|make|get|build)_(?:app|application)$")
_USUAL = ("main.py", "app.py", "asgi.py", "wsgi.py", "server.py", "api.py", "__init__.py")
_TESTS = re.compile(r"(?:^|/)(?:tests?|migrations|alembic|docs)/|(?:^|/)(?:test_[^/]*|conftest)\.py$")
_STARTED = re.compile(r"\b(?:uvicorn|gunicorn|hypercorn|daphne)\b[^\n#]*?[\s\"',]([A-Za-z_][\w.]*:[A-Za-z_]\w*)")
_START_FILES = ("*.service", "Procfile", "Dockerfile*", "*.sh", "Makefile", "compose*.y*ml", "docker-compose*.y*ml")


@dataclass(frozen=True)
class Application:
    """A Python application: `folder` is the backend's, `top` where its modules begin (the folder, or its `src`).

    `name` is what `module` calls it; with `factory` it is a function that makes it. `source` and `variable` are where
    its routes are found, `where` the line that makes it.
    """

    what: str
    folder: str
    top: str
    module: str
    name: str
    factory: bool
    source: str
    variable: str
    where: str

    @property
    def speaks_asgi(self) -> bool:
        """Whether uvicorn runs it as it is."""
        return self.what in _ASGI.values()


def find_applications(repository: Repository) -> list[Application]:
    """Return the application of every backend folder, those nearest to the top first."""
    candidates = [
        one
        for path in repository.sources(".")
        if not _TESTS.search(path) and _HINT.search(repository.text(path))
        for one in _in_file(repository, path)
    ]
    started = _started(repository)
    best: dict[str, Application] = {}
    for one in sorted(candidates, key=lambda one: _order(one, started)):
        best.setdefault(one.folder, one)
    return sorted(best.values(), key=lambda one: (one.folder.count("/") if one.folder != "." else -1, one.folder))


def _order(one: Application, started: frozenset[str]) -> tuple[bool, bool, int, int, str]:
    name = one.source.rpartition("/")[2]
    usual = _USUAL.index(name) if name in _USUAL else len(_USUAL)
    return (f"{one.module}:{one.name}" not in started, one.factory, usual, one.source.count("/"), one.source)


def _started(repository: Repository) -> frozenset[str]:
    """Return what units, Dockerfiles and scripts start as `module:name`."""
    texts = (repository.text(path) for path in repository.named(*_START_FILES))
    return frozenset(found[1] for text in texts for found in _STARTED.finditer(text))


def _in_file(repository: Repository, path: str) -> list[Application]:
    tree = tree_of(repository, path)
    found = []
    folder = _project_folder(repository, path)
    top = _import_folder(repository, path, folder, tree)
    module = path.removeprefix("" if top == "." else f"{top}/").removesuffix(".py").replace("/", ".")
    module = module.removesuffix(".__init__")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", module, re.ASCII):
        return []
    for name, value, line in assignments(tree):
        if isinstance(value, ast.Call) and (what := _CLASSES.get(called(value))):
            found.append(Application(what, folder, top, module, name, False, path, name, f"{path}:{line}"))
        elif isinstance(value, ast.Call) and _FACTORY.match(called(value)):
            made = _factory(repository, path, called(value), top)
            if made:
                source, variable, what = made
                found.append(Application(what, folder, top, module, name, False, source, variable, f"{path}:{line}"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _FACTORY.match(node.name) and (inner := _made_in(node)):
            variable, what = inner
            found.append(
                Application(what, folder, top, module, node.name, True, path, variable, f"{path}:{node.lineno}")
            )
    return found


def _factory(repository: Repository, path: str, name: str, top: str) -> tuple[str, str, str] | None:
    """Return the file of a factory, the variable in it, and what it makes."""
    source, inside = imports_of(repository, path, top).get(name, (path, name))
    for node in tree_of(repository, source).body:
        if isinstance(node, ast.FunctionDef) and node.name == (inside or name) and (made := _made_in(node)):
            return source, *made
    return None


def _made_in(function: ast.FunctionDef) -> tuple[str, str] | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            what = _CLASSES.get(called(node.value))
            if what and isinstance(target, ast.Name):
                return target.id, what
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call) and called(node.value) in _CLASSES:
            return "", _CLASSES[called(node.value)]
    return None


def _project_folder(repository: Repository, path: str) -> str:
    """Return the nearest folder above a source that says which packages it wants; else the one its package is in."""
    folder = folder_of(path)
    while True:
        if has_requirements(repository, folder):
            return folder
        if folder == ".":
            break
        folder = folder_of(folder)
    folder = folder_of(path)
    while folder != "." and repository.has(join(folder, "__init__.py")):
        folder = folder_of(folder)
    return folder


def _import_folder(repository: Repository, path: str, project: str, tree: ast.Module) -> str:
    """Return the folder that a source's absolute imports begin at: the project's, unless another one fits better."""
    names, is_relative = set(), False
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            is_relative |= node.level > 0
            names |= {(node.module or "").split(".")[0]} if node.level == 0 else set()
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
    folders, folder = [], folder_of(path)
    while is_below(folder, project) and folder != project:
        folders.append(folder)
        folder = folder_of(folder)
    if is_relative:
        # A relative import needs a package around it, so its folder is no place to begin at.
        folders = folders[1:]
    own = [one for one in folders if one.rpartition("/")[2] == "src"]
    best = own[0] if own else project

    def fitting(folder: str) -> int:
        return sum(
            repository.has(join(folder, f"{name}.py")) or _has_folder(repository, join(folder, name)) for name in names
        )

    return max([best, project, *reversed(folders)], key=fitting)


def _has_folder(repository: Repository, folder: str) -> bool:
    return any(True for _ in repository.below(folder, ".py"))
