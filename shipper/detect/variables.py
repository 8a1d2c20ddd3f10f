"""Which variables a backend wants: those its source cannot do without, and those its example env files name."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from shipper.config.envfile import parse_env
from shipper.detect.found import Found, Problem, join
from shipper.detect.repository import Repository
from shipper.detect.syntax import called, text_of, tree_of
from shipper.errors import ConfigError

_EXAMPLES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    "env.example",
    "example.env",
    ".env.production.example",
)
_TESTS = re.compile(r"(?:^|/)(?:tests?|scripts)/|(?:^|/)(?:test_[^/]*|conftest|manage)\.py$")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
# Set by what starts a backend, not by an env file.
_OF_THE_SYSTEM = frozenset("PATH HOME USER SHELL LANG TZ PWD PORT HOST TMPDIR DJANGO_SETTINGS_MODULE".split())
_HINT = re.compile(r"environ|BaseSettings|decouple|\benv\(|\bEnv\(|getenv")


@dataclass(frozen=True)
class Variables:
    """`required` are read without a default, so that the backend does not start without them; `named` are the others
    of the example files."""

    required: tuple[Found, ...] = ()
    named: tuple[Found, ...] = ()
    examples: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def find_variables(repository: Repository, folder: str, frontend: str) -> Variables:
    """Return the variables of the backend in `folder`; the example files of the folder `frontend` are none of its."""
    required: dict[str, Found] = {}
    for path in repository.sources(folder):
        if not _TESTS.search(path) and _HINT.search(repository.text(path)):
            for name, line in _without_default(tree_of(repository, path)):
                if _NAME.fullmatch(name) and name not in _OF_THE_SYSTEM:
                    required.setdefault(name, Found(name, f"{path}:{line}"))
    named: dict[str, Found] = {}
    examples, problems = [], []
    for place in dict.fromkeys((folder, ".")):
        for path in (join(place, name) for name in _EXAMPLES):
            if place == frontend != folder or not repository.has(path):
                continue
            examples.append(path)
            try:
                lines = parse_env(repository.text(path), path).lines
            except ConfigError as error:
                problems.append(Problem(path, f"could not be read as an env file: {error.what}", f"Correct {path}."))
                continue
            for name, line in lines.items():
                if name not in required and not name.startswith(("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_")):
                    named.setdefault(name, Found(name, f"{path}:{line}"))
    return Variables(tuple(required.values()), tuple(named.values()), tuple(examples), tuple(problems))


def _without_default(tree: ast.Module) -> list[tuple[str, int]]:
    """Return names and lines of reads that fail without the variable.

    `os.environ["X"]` at any place, python-decouple's `config("X")`, django-environ's `env("X")`, and fields of
    pydantic's BaseSettings without a value.
    """
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            name = text_of(node.slice)
            if name and ast.unparse(node.value) in ("os.environ", "environ"):
                found.append((name, node.lineno))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("config", "env", "env.str", "decouple.config"):
            name = text_of(node.args[0]) if len(node.args) == 1 else None
            if name and not any(one.arg == "default" for one in node.keywords):
                found.append((name, node.lineno))
        elif isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("BaseSettings") for base in node.bases):
            found += _fields(node)
    return found


def _fields(settings: ast.ClassDef) -> list[tuple[str, int]]:
    prefix = ""
    fields = []
    for node in settings.body:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and called(inner) == "SettingsConfigDict":
                prefix = next((text_of(one.value) or "" for one in inner.keywords if one.arg == "env_prefix"), prefix)
        if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name):
            fields.append((node.target.id, node.lineno))
    return [((prefix + name).upper(), line) for name, line in fields if not name.startswith(("_", "model_"))]
