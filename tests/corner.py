"""A small app of the tests, shipped by the tests as its owner would: in a git repository, with the console script."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inside import run_inside
from prepared import run_shipper

from shipper.sandbox.keys import public_key
from shipper.sandbox.server import Sandbox

SOURCE = Path(__file__).parent / "fixtures" / "corner"
RELEASE_PATH = "/.well-known/shipper/release"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and all that it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Corner:
    """The app in its own repository, and the practice server it is shipped to."""

    root: Path
    sandbox: Sandbox

    @property
    def app(self) -> str:
        """The app's name, which its folder has as well."""
        return self.root.name

    @property
    def url(self) -> str:
        return self.sandbox.url

    def shipper(self, *words: str, **environment: str) -> Ended:
        """Type a command of shipper in the app's folder; tests edit files and ship them without a commit."""
        dirty = ("--allow-dirty",) if words[:1] in (("ship",), ("plan",)) and "--allow-dirty" not in words else ()
        return self.type(*words, *dirty, **environment)

    def type(self, *words: str, **environment: str) -> Ended:
        """Type exactly these words."""
        done = run_shipper(words, self.root, {**os.environ, **environment})
        return Ended(done.returncode, done.stdout)

    def ship(self) -> Ended:
        return self.shipper("ship", "--yes")

    def shipped(self) -> str:
        """Ship, expect it to work, and return the id of the release that is live then."""
        ended = self.ship()
        assert ended.code == 0, ended.output
        return self.live()

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        self.git("add", "--all")

    def add_far_target(self, port: int, more: str = "") -> None:
        """Add the target `far`: the practice server, over another port than its own, with `more` lines of TOML."""
        access = self.sandbox
        text = (self.root / "ship.toml").read_text(encoding="utf-8")
        self.write(
            "ship.toml",
            f"{text}\n[targets.far]\nhost = '127.0.0.1'\nport = {port}\nuser = 'deploy'\nkey = '{access.key_file}'\n"
            f"host_key = '{access.host_key_fingerprint}'\nurl = '{access.url}'\ndomain = '127.0.0.1'\n"
            f"env_file = '.env.sandbox'\n{more}",
        )

    def add_target_of(self, name: str, servers: Sequence[Sandbox], more: str = "") -> None:
        """Add a target of several servers, listed in this order, with `more` lines of TOML; each lets our key in."""
        for server in servers:
            self._let_in(server)
        first, *others = servers
        lines = [
            (self.root / "ship.toml").read_text(encoding="utf-8"),
            f'[targets.{name}]\nhost = "127.0.0.1"\nport = {first.ssh_port}\nhost_key = "{first.host_key_fingerprint}"',
            f'user = "deploy"\nkey = "{self.sandbox.key_file}"\nurl = "{self.sandbox.url}"\nenv_file = ".env.sandbox"',
            more,
        ]
        for one in others:
            lines += [f'[[targets.{name}.more]]\nhost = "127.0.0.1"\nport = {one.ssh_port}']
            lines += [f'host_key = "{one.host_key_fingerprint}"']
        self.write("ship.toml", "\n".join(lines) + "\n")

    def _let_in(self, server: Sandbox) -> None:
        file = "/home/deploy/.ssh/authorized_keys"
        script = ["sh", "-c", f'grep -qF "$1" {file} || echo "$1" >> {file}', "sh", public_key(self.sandbox.key_file)]
        code, output = run_inside(server.name, script)
        assert code == 0, output

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
        done = subprocess.run(["git", *who, *words], cwd=self.root, check=True, capture_output=True, encoding="utf-8")
        return done.stdout.strip()

    def get(self, path: str) -> tuple[int, str]:
        """Ask for a page as a visitor does; return the status and the text."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def live(self) -> str:
        """Return the id of the release that visitors see."""
        status, text = self.get(RELEASE_PATH)
        assert status == 200, (status, text)
        return text.strip()


def make_corner(
    root: Path, sandbox: Sandbox, source: Path = SOURCE, environment: str = 'SECRET_KEY="marker-9f8e7d6c5b4a"\n'
) -> Corner:
    """Put an app into a new repository with one commit, with the env file of its target."""
    shutil.copytree(source, root)
    corner = Corner(root, sandbox)
    (root / ".gitignore").write_text(".env*\n__pycache__/\n.shipper/\n", encoding="utf-8")
    (root / ".env.sandbox").write_text(environment, encoding="utf-8")
    corner.git("init", "--quiet")
    corner.git("add", "--all")
    corner.git("commit", "--quiet", "--message", "the corner shop")
    return corner
