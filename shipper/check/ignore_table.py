"""What a project's .gitignore must cover and what it must not, by the kind of project. A table; it asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

# A kind of project, and the names of files that show it; every folder is of kind "any".
MARKERS: Mapping[str, tuple[str, ...]] = {
    "shipper": ("ship.toml",),
    "python": ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "uv.lock", "manage.py"),
    "django": ("manage.py",),
    "node": ("package.json",),
    "next": ("next.config.*",),
    "vite": ("vite.config.*",),
    "docker": ("Dockerfile", "compose.y*ml", "docker-compose*.y*ml"),
    "terraform": ("*.tf",),
    "maven": ("pom.xml",),
    "gradle": ("build.gradle", "build.gradle.kts"),
}
EXAMPLES = (".example", ".sample", ".template", ".dist")


@dataclass(frozen=True)
class Wanted:
    """A line of .gitignore, the path that shows whether it or another one is there, the kinds of project that need it,
    and what it keeps out.

    `secret` is what makes a hole dangerous. `anchored` lines are written with the project's folder in front, because a
    folder of that name may hold sources elsewhere. `unless` is a line that makes this one unnecessary.
    """

    line: str
    sample: str
    kinds: tuple[str, ...]
    what: str
    secret: bool = False
    anchored: bool = False
    unless: str = ""


_DATA = ("python", "django", "docker", "shipper")
WANTED = (
    Wanted(".env", ".env", ("any",), "an environment with its secrets", secret=True),
    # What Next, Vite, Django and Compose read besides `.env`; the negations after it keep the examples.
    Wanted(".env.*", ".env.production", ("any",), "an environment with its secrets", secret=True),
    Wanted(".env*.local", ".env.local", ("any",), "a developer's own environment", secret=True, unless=".env.*"),
    Wanted("*.pem", "server.pem", ("any",), "a private key", secret=True),
    Wanted("*.key", "server.key", ("any",), "a private key", secret=True),
    Wanted("id_rsa*", "id_rsa", ("any",), "a private key", secret=True),
    Wanted("id_ed25519*", "id_ed25519", ("any",), "a private key", secret=True),
    Wanted("*.sqlite3", "db.sqlite3", ("python", "django"), "a database", secret=True),
    Wanted("*.dump", "shop.dump", _DATA, "a database dump", secret=True),
    Wanted("*.sql.gz", "shop.sql.gz", _DATA, "a database dump", secret=True),
    Wanted("*.bak", "settings.bak", _DATA, "a copy of something that was kept out", secret=True),
    Wanted("backups/", "backups/shop", _DATA, "backups", secret=True),
    Wanted("*.tfstate", "terraform.tfstate", ("terraform",), "Terraform's state, with passwords in it", secret=True),
    Wanted("*.tfstate.*", "terraform.tfstate.backup", ("terraform",), "Terraform's state", secret=True),
    Wanted(".terraform/", ".terraform/providers/x", ("terraform",), "what terraform init downloads"),
    Wanted("node_modules/", "node_modules/x/index.js", ("node",), "installed packages"),
    Wanted(".next/", ".next/server/x.js", ("next",), "what next build writes"),
    Wanted("out/", "out/index.html", ("next",), "the exported site", anchored=True),
    Wanted("dist/", "dist/index.html", ("vite",), "the built site", anchored=True),
    Wanted("__pycache__/", "__pycache__/x.cpython-312.pyc", ("python",), "compiled Python"),
    Wanted(".venv/", ".venv/pyvenv.cfg", ("python",), "a virtual environment"),
    Wanted("target/", "target/classes/x.class", ("maven",), "what Maven writes", anchored=True),
    Wanted(".gradle/", ".gradle/x", ("gradle",), "Gradle's cache"),
    Wanted("build/", "build/classes/x.class", ("gradle",), "what Gradle writes", anchored=True),
    Wanted(".shipper/", ".shipper/build/x", ("shipper",), "shipper's cache"),
    Wanted("*.log", "debug.log", ("any",), "logs"),
    Wanted(".DS_Store", ".DS_Store", ("any",), "what macOS leaves in folders"),
)

# Files as they are in most projects of a kind, and as people add them to a folder of sources; when one would be
# ignored, a line is too wide. GitHub's template for Python has `lib/` and `build/`, many projects have `data/`.
TYPICAL: Mapping[str, tuple[str, ...]] = {"any": (".env.example",), "next": ("lib/client.ts",)}
TYPICAL_IN_SOURCES: Mapping[str, tuple[str, ...]] = {
    "node": ("lib/client.ts", "data/items.ts", "build/steps.ts"),
    "python": ("lib/client.py", "data/items.py", "build/steps.py"),
    "django": ("migrations/0001_initial.py",),
}
# Below a folder of such a name people write, and programs seldom do.
SOURCE_FOLDERS = frozenset(["src", "app", "pages", "components", "lib"])
# What is in these is made by a program, whatever it ends with.
DERIVED = frozenset(
    """
    node_modules .next .nuxt .turbo .cache .svelte-kit .terraform dist out coverage htmlcov __pycache__ .venv venv env
    site-packages generated __generated__ gen staticfiles static_root media target .gradle .mypy_cache .ruff_cache
    .pytest_cache .shipper .git
    """.split()
)
_SOURCES = frozenset(
    ".py .pyi .js .jsx .ts .tsx .mjs .cjs .mts .cts .vue .svelte .astro .css .scss .html .java .kt .go .rs .tf".split()
)


def kinds_of(names: Iterable[str]) -> frozenset[str]:
    """Return the kinds of project that the names of a folder's files show; empty when it is no project's folder."""
    present = list(names)
    return frozenset(
        kind
        for kind, patterns in MARKERS.items()
        if any(fnmatchcase(name, pattern) for name in present for pattern in patterns)
    )


def line_matches(line: str, path: str) -> bool:
    """Say whether a file is what a line of `WANTED` is about; examples of environments are not."""
    *folders, name = path.split("/")
    if line.endswith("/"):
        return line.rstrip("/") in folders
    return fnmatchcase(name, line) and not name.endswith(EXAMPLES)


def is_source(path: str) -> bool:
    """Say whether people write such a file: by its ending, outside of folders that programs fill."""
    pure = PurePosixPath(path)
    is_written = pure.suffix in _SOURCES or (pure.name.startswith(".env") and pure.name.endswith(EXAMPLES))
    return is_written and DERIVED.isdisjoint(pure.parts)
