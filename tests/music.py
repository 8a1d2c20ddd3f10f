"""The example in containers, shipped by tests: a copy in a repository of its own, and questions to its database."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conftest import Exec
from corner import Corner
from example_images import POSTGRES, load, provide

from shipper.config.envfile import EnvFile, render_env
from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox.server import Sandbox

EXAMPLE = Path(__file__).parents[1] / "examples" / "music"
DATABASE = "music-db"
# What is made on a developer's machine, and no part of the example.
_MADE_HERE = ("node_modules", "dist", ".shipper", "__pycache__", ".env", ".env.sandbox", ".env.production")


@dataclass(frozen=True)
class Music(Corner):
    """The example in its own repository, the practice server it is shipped to, and its database there."""

    run: Exec
    password: str = field(repr=False)

    def query(self, statement: str) -> list[str]:
        """Ask the database directly; return the rows, columns separated by `|`."""
        code, output = self.run(self._psql(statement))
        assert code == 0, output
        return output.split("\n")[:-1]

    def refused(self, statement: str, password: str) -> bool:
        """Say whether the database refuses who comes over the network with this password."""
        environment = ["-e", f"PGPASSWORD={password}"]
        return self.run(self._psql(statement, *environment, options=["--host=127.0.0.1"]))[0] != 0

    def database_container(self) -> str:
        """Return the id of the database's container and the moment it was started."""
        code, output = self.run(["docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", DATABASE])
        assert code == 0, output
        return output.strip()

    def _psql(self, statement: str, *environment: str, options: Sequence[str] = ()) -> list[str]:
        client = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--no-password", "--username=music", *options]
        return ["docker", "exec", *environment, DATABASE, *client, "--command", statement]


def make_music(root: Path, sandbox: Sandbox, run: Exec) -> Music:
    """Copy the example into a new repository, with an env file of its own, and put its images where they belong."""
    with connect() as client:
        provide(client, discard)
        load(client, sandbox.name, POSTGRES)
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(*_MADE_HERE))
    password = secrets.token_hex(24)
    values = {
        "POSTGRES_USER": "music",
        "POSTGRES_PASSWORD": password,
        "POSTGRES_DB": "music",
        "CORS_ORIGINS": sandbox.url,
    }
    (root / ".env.sandbox").write_text(render_env(EnvFile("test", values)), encoding="utf-8")
    music = Music(root, sandbox, run, password)
    music.git("init", "--quiet")
    music.git("add", "--all")
    music.git("commit", "--quiet", "--message", "the practice diary")
    return music
