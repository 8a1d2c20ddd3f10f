"""What a Django project says about itself: applications, settings for static files, addresses."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipper.detect.found import Found, folder_of, join
from shipper.detect.repository import Repository
from shipper.detect.routes import Route
from shipper.detect.syntax import assignments, called, file_of_module, imports_of, text_of, tree_of

_SETTINGS_MODULE = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_PARAMETERS = re.compile(r"<[^>]*>|\(\?P<.*?\)")


@dataclass(frozen=True)
class DjangoProject:
    """A folder with manage.py: dotted `application` names, settings, and the addresses of its urls.py."""

    folder: str
    asgi: Found | None
    wsgi: Found | None
    settings: tuple[str, ...]
    static_url: Found | None
    static_root: Found | None
    routes: tuple[Route, ...]
    sets_static_root: bool


def find_django(repository: Repository) -> list[DjangoProject]:
    """Return every Django project of the repository, the one nearest to the top first."""
    return [
        _read(repository, path)
        for path in repository.named("manage.py")
        if _SETTINGS_MODULE.search(repository.text(path))
    ]


def _read(repository: Repository, manage: str) -> DjangoProject:
    folder = folder_of(manage)
    found = _SETTINGS_MODULE.search(repository.text(manage))
    module = found[1] if found else ""
    package = module.split(".")[0]
    files = _settings_files(repository, folder, module)
    urls = _value(repository, files, "ROOT_URLCONF")
    urls_file = file_of_module(repository, urls.value if urls else f"{package}.urls", 0, manage, folder)
    static_url, static_root = _value(repository, files, "STATIC_URL"), _static_root(repository, files)
    sets_root = any("STATIC_ROOT" in repository.text(path) for path in files)
    return DjangoProject(
        folder,
        _application(repository, folder, package, "asgi"),
        _application(repository, folder, package, "wsgi"),
        tuple(files),
        static_url,
        static_root,
        tuple(_addresses(repository, urls_file, folder, "", frozenset())) if urls_file else (),
        sets_root,
    )


def _application(repository: Repository, folder: str, package: str, kind: str) -> Found | None:
    path = join(folder, f"{package}/{kind}.py")
    return Found(f"{package}.{kind}:application", path) if repository.has(path) else None


def _settings_files(repository: Repository, folder: str, module: str) -> list[str]:
    """Return the settings module's file, and those beside it in its package (base.py, production.py)."""
    first = file_of_module(repository, module, 0, "", folder)
    if not first:
        return []
    beside = [] if first.endswith("/settings.py") else list(repository.below(folder_of(first), ".py"))
    return [first, *(path for path in beside if path != first)]


def _value(repository: Repository, files: list[str], name: str) -> Found | None:
    for path in files:
        for assigned, value, line in assignments(tree_of(repository, path)):
            text = text_of(value)
            if assigned == name and text:
                return Found(text, f"{path}:{line}")
    return None


def _static_root(repository: Repository, files: list[str]) -> Found | None:
    """Return the last words of `BASE_DIR / "staticfiles"`, `os.path.join(BASE_DIR, "static", "all")` or a literal."""
    for path in files:
        for assigned, value, line in assignments(tree_of(repository, path)):
            if assigned == "STATIC_ROOT":
                words = [
                    node.value
                    for node in ast.walk(value)
                    if isinstance(node, ast.Constant) and isinstance(node.value, str)
                ]
                # The tree is walked from the outside: the last folder of `A / "b" / "c"` comes first.
                ordered = words if isinstance(value, ast.Call) else list(reversed(words))
                return Found("/".join(ordered), f"{path}:{line}", sure=bool(words) and not words[0].startswith("/"))
    return None


def _addresses(repository: Repository, path: str, top: str, prefix: str, seen: frozenset[str]) -> list[Route]:
    """Return the addresses of a urls.py, with those of all it includes."""
    found: list[Route] = []
    names = imports_of(repository, path, top)
    for node in ast.walk(tree_of(repository, path)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        where = f"{path}:{node.lineno}"
        if called(node) in ("path", "re_path", "url"):
            inside = text_of(node.args[0])
            if inside is None:
                continue
            address = f"{prefix}{inside.removeprefix('^').removesuffix('$')}"
            target = node.args[1] if len(node.args) > 1 else None
            included = _included(repository, target, path, top, names)
            if included and included not in seen:
                found += _addresses(repository, included, top, address, seen | {path})
            elif isinstance(target, ast.Attribute) and ast.unparse(target).endswith("site.urls"):
                found.append(Route(f"/{address}login/", "GET", where))
            else:
                found.append(Route(f"/{_PARAMETERS.sub('<>', address)}", "GET", where))
    return found


def _included(
    repository: Repository, node: ast.expr | None, path: str, top: str, names: dict[str, tuple[str, str]]
) -> str:
    if not isinstance(node, ast.Call) or called(node) != "include" or not node.args:
        return ""
    first = node.args[0]
    if isinstance(first, ast.Tuple) and first.elts:
        first = first.elts[0]
    module = text_of(first)
    if module:
        return file_of_module(repository, module, 0, path, top)
    return names.get(first.id, ("", ""))[0] if isinstance(first, ast.Name) else ""
