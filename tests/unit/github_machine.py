"""A machine of GitHub with a clone on it, on which the programs that our scripts start are stand-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from actions_runner import REPOSITORY, Runner

CI, SHIP = (REPOSITORY / ".github" / "workflows" / name for name in ("ci.yml", "ship.yml"))
STAND_IN = """\
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
name, words = sys.argv[1], sys.argv[2:]
kept = {key: value for key, value in os.environ.items() if key.startswith("SHIPPER_")}
with open(os.path.join(here, "calls"), "a", encoding="utf-8") as calls:
    calls.write(json.dumps({"words": [name, *words], "environment": kept, "in": os.getcwd()}) + "\\n")
if words[:1] in (["ship"], ["rollback"]):
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as output:
        output.write("release<<x\\n20261121T000000Z-1a2b3c4\\nx\\nurl<<x\\nhttps://a.example.com\\nx\\n")
codes = os.path.join(here, "codes")
sys.exit(json.load(open(codes)).get((words or [""])[0], 0) if os.path.exists(codes) else 0)
"""
INPUTS = {"target": "production", "ssh-key": "the key", "host-key": "SHA256:x"}


class Machine:
    """A runner with a clone of a small project on it, and stand-ins that write down how they are called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = folder / "a clone"
        (self.clone / "app 웹").mkdir(parents=True)
        self.programs = folder / "stand-ins"
        self.programs.mkdir()
        (self.programs / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
        self.git("init", "-q", "-b", "main")
        self.first, self.second = (self.commit() for _ in range(2))
        shipper = self.stand_in("shipper")
        answers = {
            "python": {"python-path": sys.executable},
            "install": {"python": sys.executable, "shipper": str(shipper)},
        }
        self.runner = Runner(folder / "machine", self.clone, answers)
        self.runner.event = {
            "ref": "refs/heads/main",
            "before": self.first,
            "after": self.second,
            "repository": {"default_branch": "main"},
        }

    def git(self, *words: str) -> str:
        who = [word for key in ("user.name", "user.email") for word in ("-c", f"{key}=a@b.c")]
        done = subprocess.run(["git", *who, *words], cwd=self.clone, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def stand_in(self, name: str) -> Path:
        file = self.programs / name
        words = f"'{Path(sys.executable).as_posix()}' '{(self.programs / 'stand_in.py').as_posix()}' {name}"
        file.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8", newline="\n")
        file.chmod(0o755)
        return file

    def ends_with(self, **codes: int) -> None:
        (self.programs / "codes").write_text(json.dumps(codes))

    @property
    def calls(self) -> list[dict[str, Any]]:
        file = self.programs / "calls"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    @property
    def words(self) -> list[list[str]]:
        return [call["words"][1:] for call in self.calls]

    @property
    def names(self) -> list[str]:
        return [ran.name for ran in self.runner.ran]
