"""A project of the tests whose build is a small Python program: nothing is installed, and no server is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
from prepared import PROGRAM, run_shipper

SCHEMA = Path(__file__).parents[1] / "shipper" / "report" / "schema" / "output-1.schema.json"
BUILD = """\
import pathlib
pathlib.Path("out").mkdir()
pathlib.Path("out/index.html").write_text("<h1>bread</h1>")
"""
# Port 9 (discard): nothing listens there.
SHIP_TOML = """\
name = "bakery"
[frontend]
path = "site"
preset = "static"
command = ["{python}", "make.py"]
output = "out"
[targets.production]
host = "127.0.0.1"
port = 9
domain = "bakery.example.com"
"""


def validated(line: str) -> dict[str, Any]:
    """Read a line of `--json` and hold it against the public schema."""
    told: dict[str, Any] = json.loads(line)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(told)
    return told


def told_in(output: str) -> list[dict[str, Any]]:
    """Read all lines; the last one is the result, and those before are events."""
    told = [validated(line) for line in output.splitlines()]
    assert ["ok" in one for one in told] == [False] * (len(told) - 1) + [True], output
    return told


class Bakery:
    """The project in a repository of its own."""

    def __init__(self, root: Path, build: str = BUILD) -> None:
        self.root = root
        (root / "site").mkdir(parents=True)
        (root / "ship.toml").write_text(SHIP_TOML.format(python=sys.executable), encoding="utf-8")
        (root / ".gitignore").write_text(".env*\n.shipper/\nout/\n", encoding="utf-8")
        (root / "site" / "make.py").write_text(build, encoding="utf-8")
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "bread")

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
        subprocess.run(["git", *who, *words], cwd=self.root, check=True, capture_output=True)

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """Type a command; its output is read by who called this."""
        return subprocess.Popen(
            [*PROGRAM, *words],
            cwd=self.root,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def type(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """Type a command to its end; return its exit code, its output, and what it said beside."""
        done = run_shipper(words, self.root, {**os.environ, **environment}, apart=True, timeout=60)
        return done.returncode, done.stdout, done.stderr
