"""A small runner of GitHub's actions: it evaluates expressions and runs steps with bash, as the real one would.

Steps that use other actions are not run; what they would have been given is kept, and a test says what they answer.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
ACTION = REPOSITORY / ".github" / "actions" / "ship" / "action.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def read_yaml(path: Path) -> dict[str, Any]:
    # Of YAML 1.2, in which the key `on` is no truth value.
    loaded = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def bash() -> str:
    """The bash that the real runner takes: on Windows the one of git, not of the Linux subsystem."""
    git = shutil.which("git")
    if sys.platform == "win32" and git:
        return str(Path(git).parents[1] / "bin" / "bash.exe")
    found = shutil.which("bash")
    assert found
    return found


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of an expression: what docs.github.com says of operators, as far as our files use them."""
    text = expression.strip()
    for operator in ("||", "&&"):
        parts = text.split(f" {operator} ")
        if len(parts) > 1:
            value = evaluate(parts[0], contexts)
            for part in parts[1:]:
                if bool(value) == (operator == "||"):
                    return value
                value = evaluate(part, contexts)
            return value
    for operator in ("==", "!="):
        left, found, right = text.partition(f" {operator} ")
        if found:
            same = str(evaluate(left, contexts)).lower() == str(evaluate(right, contexts)).lower()
            return same == (operator == "==")
    if text.startswith("'"):
        return text.strip("'")
    if text.startswith("hashFiles("):
        return "0" * 64
    value: Any = contexts
    for name in text.split("."):
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return value


def fill(text: str, contexts: Mapping[str, Any]) -> str:
    """The text with the values of its expressions."""
    return _EXPRESSION.sub(lambda found: str(evaluate(found[1], contexts)), text)


@dataclass
class Ran:
    """One step: its name, how it ended (None where nothing was started), what it printed, what it was given."""

    name: str
    code: int | None
    output: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


class Runner:
    """One job on one machine. `answers` are the outputs of steps, by id, that are not run here."""

    def __init__(self, folder: Path, workspace: Path, answers: Mapping[str, Mapping[str, str]]) -> None:
        self.temp = folder / "temp dir"
        self.temp.mkdir(parents=True)
        self.workspace = workspace
        self.answers = answers
        self.path = [str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment: dict[str, str] = {"PYTHONPATH": str(REPOSITORY)}
        self.github = {"sha": "1" * 40, "run_id": "7", "event_name": "push"}
        self.event: Mapping[str, Any] = {}
        self.ran: list[Ran] = []
        # The texts that bash was given.
        self.scripts: list[str] = []
        self.summary = folder / "summary.md"

    def action(self, **inputs: str) -> dict[str, str]:
        """Run our action with inputs, up to the first step that fails; its outputs."""
        action = read_yaml(ACTION)
        known = {name: str(about.get("default", "")) for name, about in action["inputs"].items()}
        assert set(inputs) <= set(known)
        outputs = self.steps(action["runs"]["steps"], {"inputs": {**known, **inputs}})
        contexts = {"steps": {name: {"outputs": values} for name, values in outputs.items()}}
        return {name: fill(about["value"], contexts) for name, about in action["outputs"].items()}

    def steps(self, steps: list[dict[str, Any]], contexts: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        outputs = {name: dict(values) for name, values in self.answers.items()}
        for step in steps:
            known = {
                **contexts,
                "github": self.github,
                "runner": {"temp": str(self.temp), "os": "Windows" if os.name == "nt" else "Linux", "arch": "X64"},
                "steps": {name: {"outputs": values} for name, values in outputs.items()},
            }
            if "if" in step and not evaluate(_EXPRESSION.sub(r"\1", str(step["if"])), known):
                continue
            given = {name: fill(str(value), known) for name, value in (step.get("with") or step.get("env", {})).items()}
            name = step.get("name") or step.get("uses") or step["run"]
            if "uses" in step or step.get("id") in self.answers:
                self.ran.append(Ran(name, None, given=given))
                continue
            ran, values = self._run(name, step, given, fill(step.get("working-directory", "."), known))
            self.ran.append(ran)
            outputs[step.get("id", name)] = values
            if ran.code:
                break
        return outputs

    def _run(
        self, name: str, step: Mapping[str, Any], given: dict[str, str], folder: str
    ) -> tuple[Ran, dict[str, str]]:
        script, output, event = (self.temp / file for file in ("step.sh", "output", "event.json"))
        assert "${{" not in step["run"], "the runner would put the value into the script"
        script.write_text(step["run"], encoding="utf-8", newline="\n")
        self.scripts.append(step["run"])
        output.write_text("")
        event.write_text(json.dumps(self.event), encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "SHIPPER_"))}
        done = subprocess.run(
            # What `shell: bash` means.
            [bash(), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace / folder,
            env={
                **kept,
                "CI": "true",
                "PATH": os.pathsep.join(self.path),
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(ACTION.parent),
                "GITHUB_EVENT_NAME": self.github["event_name"],
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_OS": "Windows" if os.name == "nt" else "Linux",
                "RUNNER_TEMP": str(self.temp),
                **self.environment,
                **given,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return Ran(name, done.returncode, done.stdout, given), read_outputs(output)


def read_outputs(file: Path) -> dict[str, str]:
    """The outputs of a step, in both forms that the file may have: name=value, and with a delimiter."""
    values: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").splitlines())
    for line in lines:
        name, delimiter, end = line.partition("<<")
        if delimiter and "=" not in name:
            value = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            values[name] = "\n".join(value)
        else:
            name, _, value_of_line = line.partition("=")
            values[name] = value_of_line
    return values
