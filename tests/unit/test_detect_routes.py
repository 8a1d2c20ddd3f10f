"""The routes that are found in a backend's source, and the path that becomes its health."""

from __future__ import annotations

from pathlib import Path

import pytest
from frontend_projects import write

from shipper.detect.repository import read_repository
from shipper.detect.routes import find_routes, health_of

MAIN = "from fastapi import FastAPI\n{imports}\n\napp = FastAPI({options})\n{rest}\n"
ROUTER = (
    "from fastapi import APIRouter\n\nrouter = APIRouter(prefix='/users')\n\n\n@router.get('/{id}')\ndef one(id): ...\n"
)


def main(imports: str = "", rest: str = "", options: str = "") -> str:
    return MAIN.format(imports=imports, rest=rest, options=options)


CASES: dict[str, tuple[dict[str, str], list[tuple[str, str, bool]]]] = {
    "a module's router": (
        {"main.py": main("from routers import users", "app.include_router(users.router, prefix='/api')")},
        [("/api/users/{id}", "GET", True)],
    ),
    "a router by another name": (
        {"main.py": main("from routers.users import router as people", "app.include_router(people)")},
        [("/users/{id}", "GET", True)],
    ),
    "a dotted module": (
        {"main.py": main("import routers.users", "app.include_router(routers.users.router)")},
        [("/users/{id}", "GET", True)],
    ),
    "routers in routers": (
        {
            "main.py": main("from routers import api", "app.include_router(api, prefix='/api')"),
            "routers/__init__.py": "from fastapi import APIRouter\nfrom .users import router\n\n"
            "api = APIRouter(prefix='/v1')\napi.include_router(router)\n",
        },
        [("/api/v1/users/{id}", "GET", True)],
    ),
    "a prefix that is computed is not believed": (
        {"main.py": main("from routers.users import router", "app.include_router(router, prefix=settings.PREFIX)")},
        [("/users/{id}", "GET", False)],
    ),
    "what proxies put in front": (
        {"main.py": main("", "@app.post('/items')\ndef make(): ...", "root_path='/api'")},
        [("/api/items", "POST", True)],
    ),
    "a router that includes itself": (
        {"main.py": main("", "app.include_router(app)\n\n\n@app.get('/ping')\ndef ping(): ...")},
        [("/ping", "GET", True)],
    ),
    "what is no Python": ({"main.py": "print 'hello'\n"}, []),
}


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES.keys())
def test_routes_are_found_with_their_prefixes(
    tmp_path: Path, files: dict[str, str], expected: list[tuple[str, str, bool]]
) -> None:
    write(tmp_path, {"routers/__init__.py": "", "routers/users.py": ROUTER, **files})
    routes = find_routes(read_repository(tmp_path), "main.py", "app", ".")
    assert [(route.path, route.method, route.sure) for route in routes] == expected


@pytest.mark.parametrize(
    ("paths", "health"),
    [
        (["/api/health", "/api/items"], "/api/health"),
        (["/api/v1/healthz", "/api/status"], "/api/v1/healthz"),
        (["/api/orders/status", "/api/health-check/"], "/api/health-check/"),
        (["/ready"], "/ready"),
        (["/api/health/{name}", "/api/healthy-food", "/api/sign-up"], ""),
    ],
)
def test_the_path_that_says_whether_it_works(tmp_path: Path, paths: list[str], health: str) -> None:
    functions = "\n\n".join(f"@app.get({path!r})\ndef f{number}(): ..." for number, path in enumerate(paths))
    write(tmp_path, {"main.py": main("", functions)})
    found = health_of(find_routes(read_repository(tmp_path), "main.py", "app", "."))
    assert (found.path if found else "") == health
