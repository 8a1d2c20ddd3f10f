"""The documentation says what is there: links, commands, examples, tables, the catalogue; and the site is built."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import documents
import pytest
import tomlkit
import yaml
from documents import PAGES, ROOT, Block
from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from shipper.check.hygiene.rules import load_rules
from shipper.config.load import parse_project
from shipper.config.project import Project
from shipper.tasks import namespace
from shipper.tasks.program import Shipper

SOURCES = sorted((ROOT / "shipper").rglob("*.py"))
# What the ids of rules begin with; a new family shows itself in `test_families_of_rules_are_known`.
FAMILIES = ("allow", "bake", "compose", "cors", "env", "host", "ignore", "image", "name", "nginx", "secret", "tree")
# The options with a word behind them, in any command.
TAKING = {
    f"--{option.name}"
    for name in namespace.task_names
    for option in namespace[name].get_arguments()
    if option.takes_value
}
# In a message of the code; `inv env.*` is no command.
COMMAND = re.compile(r"(?:inv|shipper) (?P<task>[a-z]+(?:\.[a-z]+)*+)(?!\.?\*)(?P<words>(?: --?[a-z-]+)*)")
RULE = re.compile(rf"(?:{'|'.join(FAMILIES)})[.-][a-z0-9]+(?:-[a-z0-9]+)*")
# They look like ids and are names of steps, of the agent's commands, of options, of files and of functions.
NO_RULES = frozenset(
    """
    allow-dirty compose.json compose.yaml compose.yml env.compare env.describe env.example env.push env.read env.str
    image.push nginx.txt
    """.split()
)


def blocks_in(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in documents.blocks(page) if block.language in languages]


def test_what_is_typed_at_home_works_in_the_powershell_that_windows_comes_with() -> None:
    lines = [line for block in blocks_in("", "sh", "console", "text") for line in block.text.splitlines()]
    assert [line for line in lines if "&&" in line and not line.startswith("sudo ")] == [], "it has no `&&`"


@cache
def complaint_about(*words: str) -> str:
    """Parse a command as `inv` or `shipper` does, without running it; return what is said about a wrong one."""
    kind = Shipper if words[0] == "shipper" else Program
    program = kind(name=words[0], binary=words[0], namespace=namespace)
    program.create_config()
    try:
        program.parse_core(list(words))
        program.parse_collection()
        program.parse_tasks()
    except Exit as end:
        return f"{end.message}".partition("\n")[0] if end.code else ""
    except (ParseError, ValueError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for link in documents.links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (
            anchor and anchor not in documents.anchors(target.resolve().relative_to(ROOT).as_posix())
        ):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist_with_their_options(page: str) -> None:
    said = {command: complaint_about(*documents.words_of(command)) for command in documents.commands(page)}
    assert {command: complaint for command, complaint in said.items() if complaint} == {}


def test_a_command_that_does_not_exist_is_noticed() -> None:
    # Only the console script takes a release without its option.
    unknown = ("inv shp", "inv ship --now", "inv env.push --to", "inv logs --lines many", "inv rollback 20261121T1-a")
    for command in (*unknown, "shipper ship --now"):
        assert complaint_about(*documents.words_of(command)), command
    assert not complaint_about("shipper", "rollback", "20261121T1-a")


def test_commands_that_messages_name_exist_with_their_options() -> None:
    wrong = {}
    for source in SOURCES:
        for text in _texts(ast.parse(source.read_text(encoding="utf-8"))):
            for match in COMMAND.finditer(text):
                task, options = match["task"], match["words"].split()
                if task.split(".")[0] in {*namespace.tasks, *namespace.collections}:
                    complaint = complaint_about("inv", task, *map(_with_value, options))
                    if complaint:
                        wrong[f"{source.name}: {match.group()}"] = complaint
    assert wrong == {}


@pytest.mark.parametrize("block", blocks_in("toml"), ids=str)
def test_examples_of_ship_toml_are_valid(block: Block) -> None:
    if block.title in ("", "ship.toml"):
        parse_project(_completed(block.text), "ship.toml")
    else:
        tomllib.loads(block.text)


def test_the_full_example_has_every_table_of_the_top() -> None:
    examples = [block for block in documents.blocks("docs/ship-toml.md") if block.language == "toml"]
    full = parse_project(examples[-1].text, "ship.toml").model_dump(exclude_unset=True)
    assert set(full) == set(Project.model_fields)


@pytest.mark.parametrize("block", blocks_in("yaml"), ids=str)
def test_examples_of_workflows_call_what_is_there_with_inputs_it_has(block: Block) -> None:
    calls = list(_calls_of_ours(yaml.safe_load(block.text)))
    assert calls or block.title not in ("", "ship.yml")
    for path, given in calls:
        file = ROOT / path if path.endswith(".yml") else ROOT / path / "action.yml"
        described = yaml.safe_load(file.read_text(encoding="utf-8"))
        # YAML 1.1 takes the key `on` for true.
        inputs = described["inputs"] if "inputs" in described else described[True]["workflow_call"]["inputs"]
        assert set(given) <= set(inputs), path
        assert {name for name, one in inputs.items() if one.get("required")} <= set(given), path


@pytest.mark.parametrize("block", blocks_in("json"), ids=str)
def test_examples_of_json_can_be_read(block: Block) -> None:
    try:
        json.loads(block.text)
    except ValueError:  # a part of an object, or one object a line
        wrapped = [f"{{{block.text}}}"] if block.text.lstrip().startswith('"') else block.text.splitlines()
        for one in wrapped:
            json.loads(one)


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_examples_of_python_can_be_parsed(block: Block) -> None:
    ast.parse(block.text)


def test_tables_are_what_the_code_says() -> None:
    argv = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(argv, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert answer.returncode == 0, f"{answer.stdout}{answer.stderr}\npython scripts/reference.py makes them anew"


def test_every_rule_is_in_the_catalogue_and_no_other() -> None:
    catalogue = documents.text_of("docs/findings.md")
    told = set(re.findall(r"^### `([a-z0-9.-]+)`$", catalogue, re.MULTILINE))
    told |= set(re.findall(r"^\| `([a-z0-9.-]+)` \|", catalogue, re.MULTILINE))
    assert told == _rules_of_the_code()


def test_families_of_rules_are_known() -> None:
    ids = {rule for rule, _ in _findings_of_the_code()}
    assert len(ids) > 20
    assert [one for one in ids if not RULE.fullmatch(one)] == []


def test_the_catalogue_says_how_bad_a_finding_is() -> None:
    sections = re.split(r"^### `", documents.text_of("docs/findings.md"), flags=re.MULTILINE)[1:]
    told = {name: text for name, _, text in (section.partition("`\n\n") for section in sections)}
    wrong = [
        (rule, severity)
        for rule, severity in _findings_of_the_code()
        if severity and severity not in " ".join(told[rule].split(" *Way out:*")[0].split()[:40]).replace("*", "")
    ]
    assert wrong == []


def test_the_korean_pages_show_the_same_commands_and_the_same_ship_toml() -> None:
    for korean, english in (
        ("README.ko.md", "README.md"),
        ("docs/ko/next-django.md", "docs/start/next-django.md"),
        ("docs/ko/vite-fastapi.md", "docs/start/vite-fastapi.md"),
    ):
        assert _shown(korean) == _shown(english), korean


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "https://fonts." not in index


def _with_value(option: str) -> str:
    """Return an option as it is typed; what stands behind it in a message is somebody's own word."""
    return f"{option}=1" if option in TAKING else option


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module; what is computed in an f-string is one word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)


def _completed(text: str) -> str:
    """Return a part of a `ship.toml` as a whole one, with the least that what it does not say could be."""
    data = tomlkit.parse(text).unwrap()
    data.setdefault("name", "app")
    backend = data.get("backend")
    if "frontend" in data:
        data["frontend"].setdefault("preset", "next")
    if backend is not None:
        if "image" in backend or backend.get("runtime") == "compose":
            data["backend"] = {"runtime": "compose", "service": "api", "port": 8000, **backend}
        elif "command" not in backend:
            backend.setdefault("app", "app:app")
    elif "frontend" not in data:
        data["frontend"] = {"preset": "static"}
    for target in data.get("targets", {}).values():
        target.setdefault("host", "app.example.com")
    return tomlkit.dumps(data)


def _calls_of_ours(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path of every workflow and action of this repository that is used, with what it is given."""
    if isinstance(node, dict):
        used = re.fullmatch(r"[^/]+/shipper/(\.github/[^@]+)@.+", str(node.get("uses", "")))
        if used:
            yield used[1], node.get("with") or {}
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _calls_of_ours(inner)


def _rules_of_the_code() -> set[str]:
    """Return the ids of all rules: those in the tables of the secret check, and every text that has the form of one."""
    found = {"secret.password", "secret.secret", "secret.token", "secret.key"}
    rules = load_rules()
    found |= {name for name in rules.texts if RULE.fullmatch(name)}
    found |= {shape.rule for group in rules.lines.values() for shape in group}
    for table in (ROOT / "shipper" / "check").rglob("*.toml"):
        found |= set(re.findall(r'^id = "([^"]+)"', table.read_text(encoding="utf-8"), re.MULTILINE))
    for source in SOURCES:
        if "agent" in source.relative_to(ROOT).parts or source.name == "explain.py":
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and RULE.fullmatch(node.value):
                found.add(node.value)
    return found - NO_RULES


def _findings_of_the_code() -> Iterator[tuple[str, str]]:
    """Yield id and severity of every finding that is made with its id written out; "" for a severity that is not."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                given = dict(zip(("rule", "severity"), node.args, strict=False))
                given |= {word.arg: word.value for word in node.keywords if word.arg}
                rule, severity = given.get("rule"), given.get("severity")
                if isinstance(rule, ast.Constant):
                    yield str(rule.value), str(severity.value) if isinstance(severity, ast.Constant) else ""


def _shown(page: str) -> tuple[list[str], list[object]]:
    tables = [tomllib.loads(block.text) for block in documents.blocks(page) if block.language == "toml"]
    typed = [line for block in documents.blocks(page) for line in documents.commands_of(block)]
    return typed, tables
