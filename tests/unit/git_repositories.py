"""Real git repositories for tests, apart from the configuration of whoever runs them, and simple rules to look with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shipper.check.hygiene.found import Found
from shipper.check.hygiene.git import GitRepository
from shipper.check.hygiene.scopes import Scope, push, staged
from shipper.check.hygiene.verdict import MESSAGE_PATH, Report, check

SECRET = b"SEC" + b"RET"
CONFIGURATION = {
    "init.defaultBranch": "main",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "core.fsync": "none",
    "protocol.file.allow": "always",
    "advice.detachedHead": "false",
    "core.autocrlf": "false",
}
PERSON = {"NAME": "Kim Test", "EMAIL": "kim@example.com", "DATE": "2026-01-01T12:00:00+0900"}
# Where git's hooks find this module and shipper.
_PATHS = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
Files = Mapping[str, "bytes | str | None"]


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Let git know nothing but what the tests tell it: no configuration, no hook around us, one person, one moment."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    settings = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}
    settings |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": str(len(CONFIGURATION))}
    for number, (name, value) in enumerate(CONFIGURATION.items()):
        settings |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    for role in ("AUTHOR", "COMMITTER"):
        settings |= {f"GIT_{role}_{name}": value for name, value in PERSON.items()}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@dataclass(frozen=True)
class Pushed:
    """What git gave to the hook pre-push."""

    remote: str
    url: str
    given: bytes


@dataclass(frozen=True)
class Repository:
    """A repository in the folder `path`."""

    path: Path

    def git(self, *arguments: str, given: bytes = b"", folder: Path | None = None, **variables: str) -> str:
        """Run git here and return its output; a failure of git fails the test with git's own words."""
        ended = self.try_git(*arguments, given=given, folder=folder, **variables)
        assert ended.returncode == 0, (arguments, ended.stderr.decode("utf-8", "replace"))
        return ended.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def try_git(
        self, *arguments: str, given: bytes = b"", folder: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments],
            cwd=folder or self.path,
            env={**os.environ, **variables},
            input=given,
            capture_output=True,
            check=False,
        )

    def write(self, files: Files) -> None:
        """Write files; None deletes one."""
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files | None = None, message: str = "A commit", *options: str) -> str:
        """Write files, commit everything, and return the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}", *options)
        return self.id("HEAD")

    def id(self, name: str) -> str:
        return self.git("rev-parse", "--verify", name)

    def blob(self, content: bytes) -> str:
        """Store contents that no commit names."""
        return self.git("hash-object", "-w", "--stdin", given=content)

    def object(self, kind: str, content: bytes) -> str:
        """Store an object byte by byte, as no porcelain would write it."""
        return self.git("hash-object", "-w", "-t", kind, "--literally", "--stdin", given=content)

    def remote(self, name: str = "origin") -> Repository:
        """Make an empty bare repository and add it as a remote."""
        path = self.path.parent / f"{self.path.name}-{name.replace('/', '-')}.git"
        bare = make(path, "--bare")
        self.git("remote", "add", name, path.as_posix())
        return bare

    def hook(self, name: str, function: Callable[..., Any]) -> None:
        """Let the hook `name` call a function of this module."""
        lines = [f"import sys; sys.path[:0] = {_PATHS!r}", f"import git_repositories as g; g.{function.__name__}()"]
        common = Path(self.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
        program = common / "hooks" / f"{name}.py"
        program.parent.mkdir(exist_ok=True)
        program.write_text("\n".join(lines), "utf-8")
        script = program.with_suffix("")
        command = f'"{Path(sys.executable).as_posix()}" "{program.as_posix()}"'
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8", newline="\n")
        script.chmod(0o755)

    def pushed(self, *arguments: str) -> Pushed:
        """Let git push, and return what it gave its hook, which then refused: nothing has changed."""
        record = self.path.parent / "pushed.json"
        record.unlink(missing_ok=True)
        self.hook("pre-push", record_push)
        ended = self.try_git("push", *arguments, SHIPPER_TEST_RECORD=str(record))
        assert record.exists(), ended.stderr.decode("utf-8", "replace")
        said = json.loads(record.read_text("utf-8"))
        return Pushed(said["remote"], said["url"], bytes.fromhex(said["given"]))

    def push(self, *arguments: str) -> None:
        """Push without a hook."""
        self.git("push", "--quiet", "--no-verify", *arguments)


def make(path: Path, *options: str) -> Repository:
    path.mkdir(parents=True, exist_ok=True)
    repository = Repository(path)
    repository.git("init", "--quiet", *options)
    return repository


@dataclass
class Looked:
    """What was shown to the rules, in order, and what came out of it. `texts` is what was in no file."""

    report: Report
    names: list[str]
    files: list[tuple[str, bytes]]
    texts: list[bytes]

    @property
    def places(self) -> list[tuple[str, str]]:
        """Path and commit of each finding."""
        return [(finding.path, finding.commit) for finding in self.report.findings]


@dataclass
class Rules:
    """Rules that know one secret word and one forbidden name, and note down what they are shown."""

    names: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)

    def check_name(self, path: str, size: int, read_beginning: Callable[[], bytes]) -> Found | None:
        self.names.append(path)
        if not size:
            self.files.append((path, b""))
        if path.rpartition("/")[2] != ".env":
            return None
        assert len(read_beginning()) <= size
        return Found("name", "error", None, f"{path} is an environment.", "Why.", "Rotate it.")

    def check_contents(self, path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
        if path == MESSAGE_PATH:
            self.texts.append(data)
        else:
            self.files.append((path, data))
        lines = [number for number, line in enumerate(data.split(b"\n"), 1) if SECRET in line]
        return [
            Found("contents", "error", number, "A secret (6 characters).", "Why.", "Rotate it.") for number in lines
        ]


def look(scope: Scope) -> Looked:
    rules = Rules()
    report = check(scope, rules.check_name, rules.check_contents)
    return Looked(report, rules.names, rules.files, rules.texts)


def look_staged(repository: Repository) -> Looked:
    with GitRepository.open(repository.path) as opened:
        return look(staged(opened))


def look_pushed(repository: Repository, pushed: Pushed) -> Looked:
    with GitRepository.open(repository.path) as opened:
        return look(push(opened, pushed.given, pushed.remote, pushed.url))


def record_push() -> None:
    """Run as a hook: note down what git says, and refuse."""
    said = {"remote": sys.argv[1], "url": sys.argv[2], "given": sys.stdin.buffer.read().hex()}
    Path(os.environ["SHIPPER_TEST_RECORD"]).write_text(json.dumps(said), "utf-8")
    sys.exit(1)


def check_push() -> None:
    """Run as a hook: look at what is pushed, and refuse when there is a finding."""
    with GitRepository.open(Path.cwd()) as opened:
        _judge(look(push(opened, sys.stdin.buffer.read(), sys.argv[1], sys.argv[2])))


def check_staged() -> None:
    """Run as a hook: look at what is committed, and refuse when there is a finding."""
    with GitRepository.open(Path.cwd()) as opened:
        _judge(look(staged(opened)))


def _judge(looked: Looked) -> None:
    files = [f"{path}={data.decode('utf-8', 'replace')}" for path, data in looked.files]
    fixes = [finding.fix for finding in looked.report.findings]
    print(json.dumps({"title": looked.report.title, "files": files, "fixes": fixes}), file=sys.stderr)
    sys.exit(1 if looked.report.findings else 0)


def said_by_hook(ended: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return what a checking hook printed while git ran."""
    lines = [line for line in ended.stderr.decode("utf-8", "replace").split("\n") if line.startswith("{")]
    assert len(lines) == 1, ended
    said: dict[str, Any] = json.loads(lines[0])
    return said
