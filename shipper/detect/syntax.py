"""Python sources as trees: parsed once, tolerant of what cannot be parsed, with the small questions asked of them."""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Iterator

from shipper.detect.found import folder_of, join
from shipper.detect.repository import Repository


def tree_of(repository: Repository, path: str) -> ast.Module:
    """Return a source as a tree; an empty one when it is no Python (or Python 2, or a template)."""
    return _parse(repository.text(path))


@functools.lru_cache(maxsize=2048)
def _parse(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def called(call: ast.Call) -> str:
    """Return the last name of what is called: `FastAPI` of `fastapi.FastAPI(...)`."""
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def text_of(node: ast.expr | None) -> str | None:
    """Return the text of a string literal, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    """Return the value of the first of these keyword arguments that a call has."""
    return next((one.value for one in call.keywords if one.arg in names), None)


def assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr, int]]:
    """Yield name, value and line of every `name = value` at the top of a module, in `if` and `try` as well."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value, node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value, node.lineno
        elif isinstance(node, ast.If | ast.Try):
            pending = [*node.body, *node.orelse, *pending]


def file_of_module(repository: Repository, module: str, level: int, source: str, top: str) -> str:
    """Return the file of a module that `source` imports, "" when it is none of the repository's.

    `level` counts the dots of a relative import; `top` is the folder that absolute imports begin at.
    """
    folder = top
    if level:
        folder = folder_of(source)
        for _ in range(level - 1):
            folder = folder_of(folder)
    inside = module.replace(".", "/")
    for path in (f"{inside}.py", f"{inside}/__init__.py") if inside else ("__init__.py",):
        if repository.has(join(folder, path)):
            return join(folder, path)
    return ""


def imports_of(repository: Repository, path: str, top: str) -> dict[str, tuple[str, str]]:
    """Return for each imported name of a source the file it comes from and the name there ("" for a whole module)."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree_of(repository, path)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}" if node.module else alias.name
                own = file_of_module(repository, inside, node.level, path, top)
                parent = file_of_module(repository, node.module or "", node.level, path, top)
                if own or parent:
                    found[alias.asname or alias.name] = (own, "") if own else (parent, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                own = file_of_module(repository, alias.name, 0, path, top)
                if own:
                    found[alias.asname or alias.name] = (own, "")
    return found
