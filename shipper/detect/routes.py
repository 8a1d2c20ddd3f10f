"""The addresses that a FastAPI or Flask backend answers: routes, with the prefixes under which they are included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipper.detect.repository import Repository
from shipper.detect.syntax import called, imports_of, keyword, text_of, tree_of

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "route", "api_route", "websocket"})
_MAKERS = frozenset({"FastAPI", "APIRouter", "Flask", "Blueprint", "Starlette", "Litestar", "Quart", "Router"})
_INCLUDES = frozenset({"include_router", "register_blueprint"})
_HEALTHY = re.compile(
    r"(?:^|/)(?:_?health(?:z|-?check|_check)?|livez?|liveness|ready|readyz|readiness|ping|status|up|heartbeat|alive)/?$"
)
_MOST_INCLUDES = 200


@dataclass(frozen=True)
class Route:
    """A path that is answered to `method` ("GET", "WEBSOCKET", ...), and where; `sure` when all of it was read."""

    path: str
    method: str
    where: str
    sure: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether it can be asked for as it is: by GET, without parameters."""
        return self.method == "GET" and re.fullmatch(r"/[A-Za-z0-9._~/-]*", self.path) is not None


def find_routes(repository: Repository, path: str, name: str, top: str) -> list[Route]:
    """Return the routes of the application `name` in the file `path`, with those of everything it includes."""
    return list(_routes(repository, path, name, top, "", set()))


def health_of(routes: list[Route]) -> Route | None:
    """Return the route that says whether the backend works, the shortest of those whose name says so."""
    found = [route for route in routes if route.is_plain and _HEALTHY.search(route.path)]
    return min(found, key=lambda route: ("health" not in route.path, not route.sure, len(route.path)), default=None)


def _routes(
    repository: Repository, path: str, name: str, top: str, prefix: str, seen: set[tuple[str, str, str]]
) -> Iterator[Route]:
    if (path, name, prefix) in seen or len(seen) > _MOST_INCLUDES:
        return
    seen.add((path, name, prefix))
    tree = tree_of(repository, path)
    names = imports_of(repository, path, top)
    prefix, sure = prefix + _own_prefix(tree, name), True
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _decorated(node, name, prefix, path, sure)
        elif isinstance(node, ast.Call) and called(node) in _INCLUDES and _owner(node) == name and node.args:
            added = keyword(node, "prefix", "url_prefix")
            below = prefix + (text_of(added) or "")
            target = _target(node.args[0], path, names)
            if target:
                for route in _routes(repository, *target, top, below, seen):
                    # A prefix that is computed (settings.API_V1_STR) is not known.
                    computed = added is not None and text_of(added) is None
                    yield Route(route.path, route.method, route.where, route.sure and not computed)


def _own_prefix(tree: ast.Module, name: str) -> str:
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Assign)
            or not isinstance(node.value, ast.Call)
            or called(node.value) not in _MAKERS
        ):
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
            # FastAPI's root_path is what proxies put in front: it answers with and without it.
            return text_of(keyword(node.value, "prefix", "url_prefix", "root_path")) or ""
    return ""


def _owner(call: ast.Call) -> str:
    function = call.func
    return function.value.id if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) else ""


def _decorated(
    function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, prefix: str, path: str, sure: bool
) -> Iterator[Route]:
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call) or called(decorator) not in _METHODS or _owner(decorator) != name:
            continue
        inside = text_of(decorator.args[0] if decorator.args else keyword(decorator, "path", "rule"))
        if inside is None:
            continue
        method = called(decorator).upper()
        listed = keyword(decorator, "methods")
        methods = [text_of(one) for one in listed.elts] if isinstance(listed, ast.List | ast.Tuple | ast.Set) else []
        if method in ("ROUTE", "API_ROUTE"):
            method = "GET" if not methods or "GET" in methods else str(methods[0])
        yield Route((prefix + inside) or "/", method, f"{path}:{decorator.lineno}", sure)


def _target(node: ast.expr, path: str, names: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    """Return file and name of a router or blueprint that is included: `users.router`, `users_router`, `router`."""
    if isinstance(node, ast.Attribute):
        module = names.get(ast.unparse(node.value))
        return (module[0], node.attr) if module and not module[1] else None
    if isinstance(node, ast.Name):
        return names.get(node.id) or (path, node.id)
    return None
