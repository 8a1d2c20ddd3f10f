"""The first team's way of shipping examples/quality: what its server and repository had, and its script, timed.

The script is benchmarks/by_hand: real git, uv, systemd and nginx. What a team has done long before is prepared and not
counted: the programs on the server, an empty repository there to push to, the env file, packages in uv's cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.server import run_on
from shipper.config.envfile import EnvFile, render_env
from shipper.sandbox.state import LOOPBACK, USER, Access

SCRIPTS = Path(__file__).parent / "by_hand"
_WHEELS = "/opt/wheels"
_MARK = "== "
_SSH_CONFIG = """Host server
  HostName {host}
  Port {port}
  User {user}
  IdentityFile "{key}"
  IdentitiesOnly yes
  UserKnownHostsFile "{known}"
  HostKeyAlias [{host}]:{alias}
  BatchMode yes
  LogLevel ERROR
"""
# As in Django's and uvicorn's own guides; `no-index`, because the practice server may not reach any.
_PYPROJECT = """[project]
name = "quality"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = {dependencies}

[tool.uv]
package = false
environments = ["sys_platform == 'linux'"]
no-index = true
find-links = ["{wheels}"]
"""


class HandMade:
    """The first team's repository, its server, and its script. `root` is a copy of the example in a repository."""

    def __init__(self, root: Path, access: Access, port: int, values: dict[str, str]) -> None:
        self.root = root
        self._config = root.parent / "ssh-config"
        self._config.write_text(
            _SSH_CONFIG.format(
                host=LOOPBACK,
                port=port,
                user=USER,
                key=access.key_file.as_posix(),
                known=(access.state_folder / "known_hosts").as_posix(),
                alias=access.ssh_port,
            ),
            encoding="utf-8",
        )
        self._prepare_server(access.name, values)
        self._prepare_repository()

    def ship(self, api_url: str) -> Iterator[str]:
        """Run the script; yield the name of each of its steps at the moment at which it begins."""
        with subprocess.Popen(
            ["sh", "server/ship.sh"],
            cwd=self.root,
            env=self._environment | {"API_URL": api_url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith(_MARK):
                    yield line.removeprefix(_MARK).strip()
        assert process.returncode == 0, "".join(lines)

    @property
    def _environment(self) -> dict[str, str]:
        own = {"SSH_CONFIG": str(self._config), "GIT_SSH_COMMAND": f'ssh -F "{self._config}"'}
        return {**os.environ, **own, "NEXT_TELEMETRY_DISABLED": "1"}

    def _on_server(self, command: str, given: str = "") -> str:
        return run(["ssh", "-F", str(self._config), "server", command], given)

    def _prepare_server(self, name: str, values: dict[str, str]) -> None:
        """Install what the script needs there, and fill uv's cache with the app's packages."""
        run_on(name, "sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends git")
        folder = self.root.parent / "wheels"
        requirements = str(self.root / "backend/requirements.txt")
        # Those of the server: its processor is this machine's, its Python Debian's own.
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--python-version=3.11"]
        run([*pip, "--dest", str(folder), "--requirement", requirements])
        run_on(name, "install", "-d", "-o", USER, "-g", USER, _WHEELS, "/srv/git", "/var/www/quality")
        self._copy(_uv(), "uv")
        run_on(name, "install", f"/home/{USER}/uv", "/usr/local/bin/uv")
        for wheel in sorted(folder.iterdir()):
            self._copy(wheel, f"{_WHEELS}/{wheel.name}")
        self._on_server("git init --quiet --bare --initial-branch=main /srv/git/quality.git")
        self._on_server("umask 077; cat > quality.env", render_env(EnvFile("benchmark", values)))

    def _copy(self, file: Path, to: str) -> None:
        run(["scp", "-q", "-F", str(self._config), str(file), f"server:{to}"])

    def _prepare_repository(self) -> None:
        """Add what the team's repository has beside the app: the script, its server's files, uv's lock file."""
        lines = (self.root / "backend/requirements.txt").read_text(encoding="utf-8").splitlines()
        dependencies = [line for line in lines if line and not line.startswith("#")]
        project = _PYPROJECT.format(dependencies=dependencies, wheels=_WHEELS)
        tomllib.loads(project)
        (self.root / "backend/pyproject.toml").write_text(project, encoding="utf-8")
        # As deep as the clone: a lock file tells the wheels' folder relative to itself.
        self._on_server("mkdir -p prepared/backend && cat > prepared/backend/pyproject.toml", project)
        locked = self._on_server("cd prepared/backend && uv sync --quiet && cat uv.lock")
        (self.root / "backend/uv.lock").write_text(locked, encoding="utf-8")
        shutil.copytree(SCRIPTS, self.root / "server")
        commit(self.root, "how it is shipped")
        for words in (["remote", "add", "origin", "server:/srv/git/quality.git"], ["push", "-qu", "origin", "main"]):
            subprocess.run(["git", *words], cwd=self.root, env=self._environment, check=True)


def commit(root: Path, message: str) -> None:
    """Commit everything in a repository."""
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for words in (["add", "-A"], [*who, "commit", "-qm", message]):
        subprocess.run(["git", *words], cwd=root, check=True)


def run(argv: Sequence[str], given: str = "") -> str:
    """Run a command and return what it prints; it has to succeed."""
    done = subprocess.run(argv, input=given, capture_output=True, text=True)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


def _uv() -> Path:
    """Return the program uv of this environment."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "uv is one of the dependencies of shipper"
    return Path(found)
