"""What in a backend's source works on a developer's machine and not on a server: known before the first ship."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shipper.detect.found import Problem, place
from shipper.detect.repository import Repository
from shipper.detect.syntax import assignments, text_of, tree_of

_SQLITE_URL = re.compile(r"""["']sqlite(?:\+\w+)?:///(?!/|:memory:)[^"'\n]+["']""")
_TESTS = re.compile(r"(?:^|/)(?:tests?|migrations|alembic)/|(?:^|/)(?:test_[^/]*|conftest)\.py$")
_BESIDE = "the database is a file beside the code: each release would begin with an empty one"
_DATA = "/srv/<name>/shared/data/"


def find_local_settings(repository: Repository, files: list[str]) -> Iterator[Problem]:
    """Find in Django's settings what `startproject` writes for work at home: a key, debug mode, a database beside."""
    for path in files:
        for name, value, line in assignments(tree_of(repository, path)):
            where = f"{path}:{line}"
            if name == "SECRET_KEY" and text_of(value):
                fix = 'Write SECRET_KEY = os.environ["SECRET_KEY"], and a new one into the env file.'
                yield Problem(where, "the key stands in the source, and what is in git is no secret", fix)
            elif name == "DEBUG" and isinstance(value, ast.Constant) and value.value is True:
                fix = 'Write DEBUG = os.environ.get("DEBUG") == "true", and set it where you develop.'
                yield Problem(where, "debug mode is on, which shows settings and code to visitors", fix)
            elif name == "ALLOWED_HOSTS" and isinstance(value, ast.List) and not value.elts:
                fix = 'Write ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(","), and the domain into the env file.'
                yield Problem(where, "without debug mode Django refuses every request", fix)
            elif name == "DATABASES" and (inside := _database_beside(value)):
                fix = f'Write "NAME": os.environ.get("DATABASE_PATH", {ast.unparse(inside)}), and into the env file '
                fix += f"DATABASE_PATH={_DATA}db.sqlite3"
                yield Problem(f"{path}:{inside.lineno}", _BESIDE, fix)


def find_local_databases(repository: Repository, folder: str) -> Iterator[Problem]:
    """Find addresses of SQLite files beside the code, which no release takes along to the next one."""
    for path in repository.sources(folder):
        text = repository.text(path)
        for found in _SQLITE_URL.finditer(text) if "sqlite" in text and not _TESTS.search(path) else ():
            start = text.rfind("\n", 0, found.start()) + 1
            before = text[start : found.start()]
            if "env" not in before.lower() and not before.lstrip().startswith("#"):
                fix = f"Read it from a variable; in the env file: DATABASE_URL=sqlite:///{_DATA}app.db"
                yield Problem(place(path, text, found.start()), _BESIDE, fix)
                return


def _database_beside(databases: ast.expr) -> ast.expr | None:
    """Return the NAME of a SQLite database that is a path made of the code's own folder."""
    for node in ast.walk(databases):
        if not isinstance(node, ast.Dict):
            continue
        entries = {text_of(key): value for key, value in zip(node.keys, node.values, strict=True) if key is not None}
        engine, name = text_of(entries.get("ENGINE")) or "", entries.get("NAME")
        if engine.endswith("sqlite3") and name is not None and re.search(r"BASE_DIR|ROOT|__file__", ast.unparse(name)):
            return None if "env" in ast.unparse(name).lower() else name
    return None
