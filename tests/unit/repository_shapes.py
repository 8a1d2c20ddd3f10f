"""Repositories as small teams have them, as files, and what `ship.toml` has to say about each (dotted key: value)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Shape:
    """`files` by path; `says` are keys of the written file; `told` are words that the problems must hold."""

    files: dict[str, str]
    says: dict[str, Any]
    told: tuple[str, ...] = ()
    wishes: dict[str, str] = field(default_factory=dict)


def package(*wanted: str, lock: bool = True, folder: str = "", **more: Any) -> dict[str, str]:
    """A package.json that asks for packages, with a lock file beside it."""
    content = {"name": "x", "scripts": {"build": "build"}, "dependencies": dict.fromkeys(wanted, "1.0.0"), **more}
    files = {f"{folder}package.json": json.dumps(content, indent=2)}
    return {**files, f"{folder}package-lock.json": "{}"} if lock else files


def vite(folder: str, source: str = "fetch(import.meta.env.VITE_API_URL);\n") -> dict[str, str]:
    return {**package("vite", folder=folder), f"{folder}index.html": "<html>", f"{folder}src/main.ts": source}


def next_app(folder: str, config: str = "export default { output: 'export' };\n") -> dict[str, str]:
    page = "fetch(process.env.NEXT_PUBLIC_API_URL);\n"
    return {**package("next", folder=folder), f"{folder}next.config.mjs": config, f"{folder}app/page.tsx": page}


def django(folder: str, requirements: str = "django\nuvicorn\n", urls: str = "") -> dict[str, str]:
    urls = urls or (
        "from django.contrib import admin\nfrom django.urls import include, path\n"
        'urlpatterns = [path("django-admin/", admin.site.urls), path("api/", include("core.urls"))]\n'
    )
    return {
        f"{folder}manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n',
        f"{folder}config/__init__.py": "",
        f"{folder}config/settings.py": 'ROOT_URLCONF = "config.urls"\nSTATIC_URL = "static/"\n'
        'STATIC_ROOT = BASE_DIR / "staticfiles"\nSECRET_KEY = os.environ["SECRET_KEY"]\n',
        f"{folder}config/urls.py": urls,
        f"{folder}config/asgi.py": "application = 1\n",
        f"{folder}config/wsgi.py": "application = 1\n",
        f"{folder}core/urls.py": "from django.urls import path\n"
        'urlpatterns = [path("health", None), path("items/<int:pk>/", None)]\n',
        f"{folder}requirements.txt": requirements,
    }


def fastapi(folder: str, requirements: str = "fastapi[standard]\n", path: str = "app/main.py") -> dict[str, str]:
    source = (
        "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/api/health')\ndef health():\n    return {}\n"
    )
    return {f"{folder}{path}": source, f"{folder}app/__init__.py": "", f"{folder}requirements.txt": requirements}


FLASK = (
    'from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route("/api/ping")\ndef ping():\n    return "pong"\n'
)
NGINX = """\
# server_name old.shop.kr;
limit_req_zone $binary_remote_addr zone=api:10m rate=10r/s;
server {
    listen 443 ssl;
    server_name www.quality.co.kr quality.co.kr;
    ssl_certificate /etc/letsencrypt/live/quality.co.kr/fullchain.pem;
    client_max_body_size 50M;
    root /home/ubuntu/qms/frontend/out;
    location /api/ { proxy_pass http://127.0.0.1:8000; proxy_read_timeout 300s; }
    location /django-admin/ { proxy_pass http://127.0.0.1:8000; }
    location /static/ { alias /home/ubuntu/qms/staticfiles/; }
    location /ws/ {
        proxy_pass http://127.0.0.1:8000;
        proxy_set_header Upgrade $http_upgrade;
    }
}
"""
UNIT = """\
[Service]
User=ubuntu
WorkingDirectory=/home/ubuntu/qms/backend
ExecStart=/home/ubuntu/.local/bin/uv run uvicorn config.asgi:application --port 8000
"""
COMPOSE = """\
services:
  frontend:
    build: ./frontend
    ports: ["80:80"]
  backend:
    build:
      context: ./backend
    ports:
      - "8000:8000"
    environment:
      DATABASE_URL: postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD:?set it}@db/app
      LOG_LEVEL: ${LOG_LEVEL:-info}
  worker:
    build:
      context: ./backend
    command: celery
  db:
    image: postgres:16
    volumes: ["data:/var/lib/postgresql/data"]
volumes:
  data:
"""
ALEMBIC = {"backend/alembic.ini": "[alembic]\n"}

SHAPES: dict[str, Shape] = {
    "Next and Django with nginx and a unit": Shape(
        {**next_app("frontend/"), **django("backend/"), "deploy/nginx/site.conf": NGINX, "deploy/qms.service": UNIT},
        {
            "frontend.preset": "next",
            "frontend.path": "frontend",
            "frontend.api_url_variable": "NEXT_PUBLIC_API_URL",
            "backend.framework": "django",
            "backend.app": "config.asgi:application",
            "backend.health": "/api/health",
            "backend.prefixes": ("/api/", "/django-admin/", "/ws/"),
            "backend.required_env": ("SECRET_KEY",),
            "nginx.body_size": "50m",
            "nginx.read_timeout": 300,
            "nginx.websockets": ("/ws/",),
            "targets.production.user": "ubuntu",
            "targets.production.domain": "quality.co.kr",
            "targets.production.url": "https://quality.co.kr",
        },
        wishes={"host": "203.0.113.7"},
    ),
    "Vite and FastAPI with compose": Shape(
        {**vite("frontend/"), **fastapi("backend/"), **ALEMBIC, "docker-compose.yml": COMPOSE},
        {
            "frontend.preset": "vite",
            "backend.runtime": "compose",
            "backend.service": "backend",
            "backend.port": 8000,
            "backend.beside": ("worker",),
            "backend.migrate": ("alembic", "upgrade", "head"),
            "backend.required_env": ("POSTGRES_USER", "POSTGRES_PASSWORD"),
        },
    ),
    "a database alone in compose leaves the backend to systemd": Shape(
        {**fastapi("backend/"), **ALEMBIC, "compose.yaml": "services:\n  db:\n    image: postgres:16\n"},
        {"backend.runtime": "systemd", "backend.migrate": ("python", "-m", "alembic", "upgrade", "head")},
    ),
    "a unit beside compose means systemd": Shape(
        {**fastapi("backend/"), "docker-compose.yml": COMPOSE, "api.service": UNIT},
        {"backend.runtime": "systemd", "backend.app": "app.main:app"},
    ),
    "compose is wished although there is a unit": Shape(
        {**fastapi("backend/"), "docker-compose.yml": COMPOSE, "api.service": UNIT},
        {"backend.runtime": "compose"},
        wishes={"runtime": "compose"},
    ),
    "a compose file that is not Compose's own name": Shape(
        {**fastapi("backend/"), "deploy/docker-compose.prod.yml": COMPOSE.replace("./backend", "../backend")},
        {"backend.compose_file": "deploy/docker-compose.prod.yml", "backend.service": "backend"},
    ),
    "CRA and Flask": Shape(
        {
            **package("react-scripts", folder="client/"),
            "client/src/api.js": "export const url = process.env.REACT_APP_API_BASE_URL || 'http://localhost:5000';\n",
            "client/public/index.html": "<html>",
            "server/app.py": FLASK,
            "server/requirements.txt": "flask==3.0\ngunicorn\n",
            "server/templates/index.html": "<html>",
        },
        {
            "frontend.preset": "cra",
            "frontend.path": "client",
            "frontend.api_url_variable": "REACT_APP_API_BASE_URL",
            "backend.path": "server",
            "backend.command": (
                *("python", "-m", "gunicorn", "app:app"),
                *("--bind", "unix:{socket}", "--threads", "4"),
            ),
            "backend.health": "/api/ping",
        },
    ),
    "Flask without a server": Shape(
        {"app.py": FLASK, "requirements.txt": "flask\n"},
        {"backend.path": ".", "backend.prefixes": ("/",)},
        ("does not have gunicorn",),
    ),
    "Flask with a factory and blueprints": Shape(
        {
            "api/pyproject.toml": '[project]\nname = "x"\ndependencies = ["Flask", "gunicorn>=21"]\n',
            "api/shop/__init__.py": "from flask import Flask\nfrom .views import pages\n\n\ndef create_app():\n"
            "    app = Flask(__name__)\n    app.register_blueprint(pages, url_prefix='/api/v1')\n    return app\n",
            "api/shop/views.py": "from flask import Blueprint\n\npages = Blueprint('pages', __name__)\n\n\n"
            "@pages.route('/healthz')\ndef healthz():\n    return ''\n",
        },
        {
            "backend.path": "api",
            "backend.command": (
                *("python", "-m", "gunicorn", "shop:create_app()"),
                *("--bind", "unix:{socket}", "--threads", "4"),
            ),
            "backend.health": "/api/v1/healthz",
        },
    ),
    "Flask with waitress and migrations": Shape(
        {"app.py": FLASK, "requirements.txt": "flask\nwaitress\nFlask-Migrate\n", "migrations/alembic.ini": ""},
        {
            "backend.command": (
                *("python", "-m", "waitress", "--unix-socket={socket}", "--unix-socket-perms=666", "app:app"),
            ),
            "backend.migrate": ("python", "-m", "flask", "--app", "app:app", "db", "upgrade"),
        },
    ),
    "Astro alone": Shape(
        {
            **package("astro"),
            "astro.config.mjs": "export default {};\n",
            "src/pages/index.astro": "<script>fetch(import.meta.env.PUBLIC_API_URL)</script>\n",
        },
        {"frontend.preset": "astro", "frontend.path": ".", "frontend.api_url_variable": "PUBLIC_API_URL"},
    ),
    "Astro with a server": Shape(
        {**package("astro"), "astro.config.mjs": "export default {\n  output: 'server',\n};\n"},
        {"frontend.preset": "astro"},
        ("astro.config.mjs:2", "Astro builds a server"),
    ),
    "plain pages at the top": Shape(
        {"index.html": "<h1>안녕</h1>", "css/style.css": "", "README.md": "", "CNAME": "www.my-shop.kr\n"},
        {"frontend.preset": "static", "frontend.path": ".", "targets.production.domain": "www.my-shop.kr"},
        wishes={"host": "203.0.113.7"},
    ),
    "plain pages at the top with something private beside": Shape(
        {"index.html": "<h1>안녕</h1>", "backup.sql": "DROP"}, {"frontend.preset": "static"}, ("backup.sql",)
    ),
    "plain pages in a folder": Shape({"site/index.html": "", "notes.py": ""}, {"frontend.path": "site"}),
    "a monorepo of pnpm": Shape(
        {
            "package.json": '{"name": "top", "private": true, "devDependencies": {"turbo": "2"}}',
            "pnpm-workspace.yaml": "packages: ['apps/*', 'packages/*']\n",
            "pnpm-lock.yaml": "",
            **package("vite", folder="apps/web/", lock=False),
            "apps/web/index.html": "<html>",
            "packages/api/package.json": '{"name": "@x/api"}',
            "packages/api/index.ts": "export const url = import.meta.env.VITE_API_URL;\n",
        },
        {"frontend.path": "apps/web", "frontend.api_url_variable": "VITE_API_URL"},
    ),
    "two apps of which one is meant": Shape(
        {**next_app("apps/shop/"), **vite("apps/admin/")},
        {"frontend.path": "apps/admin", "frontend.preset": "vite"},
        wishes={"frontend": "apps/admin"},
    ),
    "a project of uv with a src folder": Shape(
        {
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["fastapi[standard]"]\n',
            "uv.lock": '[[package]]\nname = "uvicorn"\n',
            "src/shop/__init__.py": "",
            "src/shop/main.py": "from fastapi import FastAPI\nfrom shop.routes import router\n"
            "app = FastAPI()\napp.include_router(router, prefix='/api')\n",
            "src/shop/routes.py": "from fastapi import APIRouter\nrouter = APIRouter(prefix='/v1')\n\n\n"
            "@router.get('/health')\nasync def health():\n    return 1\n",
        },
        {"backend.path": ".", "backend.health": "/api/v1/health", "backend.command[3]": "shop.main:app"},
    ),
    "Poetry": Shape(
        {
            **fastapi("backend/"),
            "backend/requirements.txt": "",
            "backend/pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nuvicorn = "*"\n',
        },
        {"backend.app": "app.main:app"},
        ("uvicorn",),
    ),
    "Poetry without a list": Shape(
        {
            "pyproject.toml": '[tool.poetry.dependencies]\nfastapi = "*"\n',
            "main.py": "import fastapi\napp = fastapi.FastAPI()\n",
        },
        {"backend.app": "main:app"},
        ("Poetry's own table", "poetry export"),
    ),
    "requirements in a folder": Shape(
        {
            **{path: text for path, text in django("").items() if path != "requirements.txt"},
            "requirements/base.txt": "Django\n",
            "requirements/production.txt": "-r base.txt\ngunicorn==22\n",
        },
        {
            "backend.requirements": "requirements/production.txt",
            "backend.command[3]": "config.wsgi:application",
            "backend.prefixes": ("/",),
        },
    ),
    "Pipenv": Shape(
        {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n", "Pipfile": "[packages]\n"},
        {"backend.app": "main:app"},
        ("pipenv requirements",),
    ),
    "Django with split settings, without STATIC_ROOT": Shape(
        {
            **django(""),
            "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.production')\n",
            "config/settings.py": "",
            "config/settings/__init__.py": "",
            "config/settings/base.py": 'ROOT_URLCONF = "config.urls"\nSTATIC_URL = "/assets/"\n',
            "config/settings/production.py": "from .base import *\n",
        },
        {"backend.static.url": "/assets/", "backend.health": "/api/health"},
        ("STATIC_ROOT",),
    ),
    "Django without a health route": Shape(
        {**django("", urls='from django.contrib import admin\nurlpatterns = [path("admin/", admin.site.urls)]\n')},
        {"backend.health": "/admin/login/"},
    ),
    "Next whose pages Django hides": Shape(
        {
            **next_app("web/"),
            "web/app/admin/users/page.tsx": "",
            **django(
                "server/", urls='from django.contrib import admin\nurlpatterns = [path("admin/", admin.site.urls)]\n'
            ),
        },
        {"backend.prefixes": ("/admin/",)},
        ("hidden by /admin/",),
    ),
    "Next without an export": Shape(
        {**next_app("", "export default {};\n"), "app/api/users/route.ts": ""},
        {"frontend.preset": "next"},
        ("no output: 'export'", "needs a running Next server"),
    ),
    "CRA and Django both want /static/": Shape(
        {**package("react-scripts", folder="web/"), **django("server/")},
        {"frontend.preset": "cra"},
        ("both want /static/",),
    ),
    "FastAPI whose routes begin at the top": Shape(
        {
            **vite("web/"),
            "api/requirements.txt": "fastapi\nuvicorn\n",
            "api/main.py": "from fastapi import FastAPI\napp = FastAPI()\n\n\n@app.get('/items')\ndef items(): ...\n",
        },
        {"backend.path": "api"},
        ("api/main.py:5", 'root_path="/api"'),
    ),
    "an API's URL with a path at its end": Shape(
        {**vite("web/"), "web/.env.development": "VITE_API_URL=http://localhost:8000/api/\n", **fastapi("api/")},
        {"frontend.api_path": "/api"},
    ),
    "SvelteKit": Shape(
        {**package("@sveltejs/kit", "@sveltejs/adapter-static", "vite"), "index.html": ""},
        {"frontend.preset": "command", "frontend.output": "build", "frontend.hashed": "_app/immutable"},
    ),
    "SvelteKit without its static adapter": Shape(
        package("@sveltejs/kit", "vite"), {"frontend.preset": "command"}, ("static adapter",)
    ),
    "Hugo": Shape({"hugo.toml": "", "content/_index.md": ""}, {"frontend.command": ("hugo", "--minify")}),
    "Eleventy": Shape(package("@11ty/eleventy", scripts={}), {"frontend.output": "_site"}),
    "MkDocs beside an API is about the project": Shape(
        {**fastapi(""), "mkdocs.yml": "", "docs/index.md": ""}, {"frontend": None, "backend.path": "."}
    ),
    "MkDocs alone": Shape({"mkdocs.yml": ""}, {"frontend.command": ("mkdocs", "build"), "frontend.source_maps": True}),
    "MkDocs that uv locks": Shape(
        {"mkdocs.yml": "", "pyproject.toml": '[project]\nname = "x"\n', "uv.lock": ""},
        {"frontend.command": ("uv", "run", "mkdocs", "build")},
    ),
    "Vue with the older tool": Shape(
        {**package("@vue/cli-service"), "public/index.html": ""}, {"frontend.single_page": True}
    ),
    "Express with Prisma in compose": Shape(
        {
            **package("express", folder="api/"),
            "api/Dockerfile": "FROM node:22\nEXPOSE 4000\n",
            "api/prisma/schema.prisma": "",
            "api/src/server.js": "app.get('/healthz', (_, answer) => answer.send('ok'));\n",
            "compose.yml": "services:\n  api:\n    build: api\n    env_file: .env\n",
        },
        {
            "backend.service": "api",
            "backend.port": 4000,
            "backend.migrate": ("npx", "prisma", "migrate", "deploy"),
            "backend.health": "/healthz",
        },
    ),
    "Express without a container beside a site": Shape(
        {**vite("web/"), **package("express", folder="api/")},
        {"backend": None, "frontend.path": "web"},
        ("runs in a container", "build: api", "Write api/Dockerfile"),
    ),
    "bun's lock file": Shape(
        {**package("vite", lock=False), "index.html": "", "bun.lock": ""},
        {"frontend.preset": "vite"},
        ("npm install --package-lock-only",),
    ),
    "no lock file": Shape({**package("vite", lock=False), "index.html": ""}, {}, ("no lock file",)),
    "Vite for GitHub's pages": Shape(
        {**vite(""), "vite.config.ts": "export default { base: '/shop/', build: { outDir: 'public-site' } };\n"},
        {"frontend.output": "public-site"},
        ("built for /shop/",),
    ),
    "Korean names": Shape(
        {**{f"프론트/{path}": text for path, text in vite("").items()}, **fastapi("서버/")},
        {"frontend.path": "프론트", "backend.path": "서버"},
    ),
    "a broken package.json beside a whole one": Shape(
        {"old/package.json": '{"name": \n}\n', **vite("web/")},
        {"frontend.path": "web"},
        ("old/package.json:2", "not valid JSON"),
    ),
    "an unreadable pyproject": Shape(
        {"main.py": "from fastapi import FastAPI\napp = FastAPI()\n", "pyproject.toml": "[project\n"},
        {"backend.app": "main:app"},
        ("not valid TOML",),
    ),
    "what was installed is no part of it": Shape(
        {
            **vite("web/"),
            **next_app("web/node_modules/x/"),
            **django(".venv/lib/site-packages/y/"),
            **fastapi("examples/a/"),
        },
        {"frontend.path": "web", "backend": None},
    ),
    "a compose file that is no YAML": Shape(
        {**fastapi(""), "compose.yaml": "services:\n  - ][\n"}, {"backend.runtime": "systemd"}, ("not valid YAML",)
    ),
    "settings of pydantic and an example": Shape(
        {
            **fastapi(""),
            "app/settings.py": "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
            "    database_url: str\n    debug: bool = False\n",
            ".env.example": "DATABASE_URL=\nDEBUG=false\nVITE_API_URL=x\n",
        },
        {"backend.required_env": ("DATABASE_URL",)},
    ),
    "Django as startproject leaves it": Shape(
        {
            **django(""),
            "config/settings.py": 'SECRET_KEY = "' + "django-" + 'insecure-x"\nDEBUG = True\nALLOWED_HOSTS = []\n'
            'ROOT_URLCONF = "config.urls"\nDATABASES = {"default": {\n    "ENGINE": "django.db.backends.sqlite3",\n'
            '    "NAME": BASE_DIR / "db.sqlite3",\n}}\nSTATIC_ROOT = BASE_DIR / "staticfiles"\n',
        },
        {"backend.framework": "django"},
        (
            "config/settings.py:1 the key stands in the source",
            "config/settings.py:2 debug mode is on",
            "config/settings.py:3 without debug mode",
            "config/settings.py:7 the database is a file beside the code",
            "os.environ.get(\"DATABASE_PATH\", BASE_DIR / 'db.sqlite3')",
        ),
    ),
    "a database beside the code of FastAPI": Shape(
        {**fastapi(""), "app/database.py": 'import os\n\nURL = "sqlite:///./shop.db"\n'},
        {"backend.app": "app.main:app"},
        ("app/database.py:3", "begin with an empty one", "/srv/<name>/shared/data/"),
    ),
    "a database whose place comes from the environment": Shape(
        {**fastapi(""), "app/database.py": 'import os\n\nURL = os.getenv("DATABASE_URL", "sqlite:///./shop.db")\n'},
        {"backend.app": "app.main:app"},
    ),
    "websockets of FastAPI": Shape(
        {
            **vite("web/"),
            "api/requirements.txt": "fastapi[standard]\n",
            "api/main.py": "from fastapi import FastAPI\napp = FastAPI()\n\n\n@app.websocket('/ws/rooms/{room}')\n"
            "async def talk(room): ...\n\n\n@app.get('/api/health')\ndef health(): ...\n",
        },
        {"nginx.websockets": ("/ws/rooms/",), "backend.prefixes": ("/ws/", "/api/")},
    ),
}
