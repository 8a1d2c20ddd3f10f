"""How the outcome of a check is told: at a terminal, as JSON, as SARIF, and as annotations of GitHub."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from rich.console import Console

from shipper.check.report import CheckReport
from shipper.findings import Finding
from shipper.report.as_json import answer_object, check_answer
from shipper.report.check import show_check, summary
from shipper.report.github import render_github
from shipper.report.sarif import render_sarif

COMMIT = "1a2b3c4d5e" * 4
PASSWORD = Finding(
    "secret.password",
    "error",
    "a password of 12 characters, 'hu…'",
    why="Everybody who can read the repository can log in.",
    fix="Take it from the environment: os.environ['DB_PASSWORD']\nRenew it.",
    path="backend/settings.py",
    line=12,
)
LOG = Finding("name.log", "warning", "a log", why="Logs hold addresses.", path="한글 폴더/debug.log", commit=COMMIT)
MESSAGE = Finding("message.password", "error", "a password in a message", fix="git commit --amend", commit=COMMIT)


def report(*findings: Finding, commits: int = 3, files: int = 41, notes: tuple[str, ...] = ()) -> CheckReport:
    return CheckReport(findings, "main..side", commits, files, notes)


def shown(given: CheckReport, encoding: str = "utf-8") -> str:
    """What a terminal without colours shows."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    show_check(given, Console(file=stream, highlight=False, soft_wrap=True, color_system=None))
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(encoding)


def as_json(given: CheckReport) -> str:
    """What a program reads from `--json`."""
    return json.dumps(answer_object("check", check_answer(given)))


# --- the terminal ---


def test_findings_stand_below_their_file_and_a_rule_is_explained_once() -> None:
    second = replace(PASSWORD, line=30)
    other = replace(PASSWORD, path="z.py", line=1)
    text = shown(report(second, LOG, other, MESSAGE, PASSWORD))
    lines = text.splitlines()
    assert lines.count("backend/settings.py") == 1
    assert text.count(PASSWORD.why) == 1
    assert text.count("-> Take it from the environment: os.environ['DB_PASSWORD']") == 2, "once for a file"
    assert text.index("   12 error") < text.index("   30 error") < text.index("commit 1a2b3c4d5e1a")
    assert "(secret.password)" in text
    assert f"in {COMMIT[:12]}" in lines[lines.index("한글 폴더/debug.log") + 1]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (report(PASSWORD, LOG, MESSAGE), "main..side: 2 errors, 1 warning in 2 files; 41 files of 3 commits checked"),
        (report(LOG, files=1, commits=1), "main..side: 0 errors, 1 warning in 1 file; 1 file of 1 commit checked"),
        (report(MESSAGE), "main..side: 1 error; 41 files of 3 commits checked"),
        (report(), "main..side: nothing found; 41 files of 3 commits checked"),
        (report(commits=0), "main..side: nothing found; 41 files checked"),
        (report(commits=2, files=0), "main..side: nothing found; 2 commits checked"),
        (report(commits=0, files=0), "main..side: nothing found; 0 commits checked"),
    ],
)
def test_the_last_line_says_what_was_found_in_how_much(given: CheckReport, line: str) -> None:
    assert summary(given) == line
    assert shown(given).splitlines()[-1] == line


def test_notes_are_shown() -> None:
    assert "note 1 submodule was not looked at" in shown(report(notes=("1 submodule was not looked at",)))


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("a\x1b[31mred\x07.py", r"a\x1b[31mred\x07.py"),
        ("new\nline.py", r"new\nline.py"),
        ("[bold]x[/bold].py", "[bold]x[/bold].py"),
        ("app/[id]/[/red].tsx", "app/[id]/[/red].tsx"),
        ("gpj\u202eexe.py", r"gpj\u202eexe.py"),
        (os.fsdecode(b"caf\xe9.py"), r"caf\udce9.py"),
        ("::stop-commands::x", "./::stop-commands::x"),
    ],
)
def test_odd_names_of_files_do_nothing_to_the_terminal(name: str, seen: str) -> None:
    assert shown(report(replace(PASSWORD, path=name))).splitlines()[0] == seen


def test_a_terminal_without_korean_letters_still_shows_everything() -> None:
    assert r"\ud55c\uae00 \ud3f4\ub354/debug.log" in shown(report(LOG), encoding="cp1252")


# --- JSON ---


def test_json_is_one_object_with_all_findings() -> None:
    given = json.loads(as_json(report(PASSWORD, LOG, notes=("x",))))
    assert given["schema"] == 1
    assert (given["ok"], given["exit_code"]) == (False, 3)
    assert (given["title"], given["commits"], given["files"], given["notes"]) == ("main..side", 3, 41, ["x"])
    first, second = given["findings"]
    assert first == {
        "rule": "secret.password",
        "severity": "error",
        "path": "backend/settings.py",
        "line": 12,
        "commit": "",
        "message": PASSWORD.message,
        "why": PASSWORD.why,
        "fix": PASSWORD.fix,
    }
    assert (second["line"], second["commit"], second["path"]) == (None, COMMIT, "한글 폴더/debug.log")


@pytest.mark.parametrize(("findings", "code"), [((), 0), ((LOG,), 0), ((LOG, PASSWORD), 3)])
def test_only_errors_block(findings: tuple[Finding, ...], code: int) -> None:
    given = report(*findings)
    assert given.exit_code == code
    assert json.loads(as_json(given))["ok"] == (code == 0)


@pytest.mark.parametrize("path", ["한글/ü.py", os.fsdecode(b"caf\xe9"), "a\n\x00b"])
def test_json_and_sarif_are_ascii_whatever_files_are_called(path: str) -> None:
    for text in (as_json(report(replace(PASSWORD, path=path))), render_sarif(report(replace(PASSWORD, path=path)))):
        assert text.isascii()
        json.loads(text)


# --- SARIF ---

# What the schema of SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) says about the parts that are written here: the keys
# that must be there, and the type of each key that is.
STRING, OBJECT, INTEGER, BOOLEAN = str, dict, int, bool
LEVELS = ("none", "note", "warning", "error")
SCHEMA: dict[str, tuple[set[str], dict[str, Any]]] = {
    "log": ({"version", "runs"}, {"$schema": STRING, "version": ("2.1.0",), "runs": ["run"]}),
    "run": (
        {"tool"},
        {
            "tool": "tool",
            "invocations": ["invocation"],
            "automationDetails": "details",
            "columnKind": ("utf16CodeUnits", "unicodeCodePoints"),
            "results": ["result"],
        },
    ),
    "tool": ({"driver"}, {"driver": "component"}),
    "component": ({"name"}, {"name": STRING, "semanticVersion": STRING, "rules": ["rule"]}),
    "rule": (
        {"id"},
        {
            "id": STRING,
            "name": STRING,
            "shortDescription": "multiformat",
            "fullDescription": "multiformat",
            "help": "multiformat",
            "defaultConfiguration": "configuration",
        },
    ),
    "multiformat": ({"text"}, {"text": STRING, "markdown": STRING}),
    "configuration": (set(), {"level": LEVELS}),
    "invocation": ({"executionSuccessful"}, {"executionSuccessful": BOOLEAN, "exitCode": INTEGER}),
    "details": (set(), {"id": STRING}),
    "result": (
        {"message"},
        {
            "ruleId": STRING,
            "ruleIndex": INTEGER,
            "level": LEVELS,
            "message": "multiformat",
            "locations": ["location"],
            "partialFingerprints": OBJECT,
            "properties": OBJECT,
        },
    ),
    "location": (set(), {"physicalLocation": "physical"}),
    "physical": ({"artifactLocation"}, {"artifactLocation": "artifact", "region": "region"}),
    "artifact": (set(), {"uri": STRING, "uriBaseId": STRING}),
    "region": (set(), {"startLine": INTEGER}),
}


def validate(value: Any, kind: str) -> None:
    required, keys = SCHEMA[kind]
    assert isinstance(value, dict), (kind, value)
    assert required <= set(value), (kind, value)
    assert set(value) <= set(keys), (kind, value)
    for key, wanted in keys.items():
        if key not in value:
            continue
        if isinstance(wanted, list):
            for element in value[key]:
                validate(element, wanted[0])
        elif isinstance(wanted, str):
            validate(value[key], wanted)
        elif isinstance(wanted, tuple):
            assert value[key] in wanted
        else:
            assert isinstance(value[key], wanted), (kind, key)


def sarif(*findings: Finding) -> dict[str, Any]:
    log = json.loads(render_sarif(report(*findings)))
    validate(log, "log")
    run: dict[str, Any] = log["runs"][0]
    return run


def test_sarif_has_what_its_schema_requires_and_every_result_finds_its_rule() -> None:
    run = sarif(PASSWORD, LOG, MESSAGE, replace(PASSWORD, line=40))
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == 3
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"]
    first = run["results"][0]
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 12}
    assert "os.environ" in rules[first["ruleIndex"]]["help"]["text"]
    assert run["results"][1]["properties"] == {"commit": COMMIT}
    assert "region" not in run["results"][1]["locations"][0]["physicalLocation"]


def test_sarif_of_nothing_found_is_valid_and_empty() -> None:
    assert sarif()["results"] == []


@pytest.mark.parametrize(
    "path", ["a b#c?.py", "한글/x.py", "100%.py", "c:/x.py", os.fsdecode(b"caf\xe9.py"), "[id]\\x"]
)
def test_sarif_paths_are_escaped_and_can_be_read_back(path: str) -> None:
    uri = sarif(replace(PASSWORD, path=path))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"][
        "uri"
    ]
    assert uri.isascii()
    assert not set(uri) & set(" #?:[]\\")
    assert os.fsdecode(unquote_to_bytes(uri)) == path


def fingerprints(*findings: Finding) -> list[str]:
    return [next(iter(result["partialFingerprints"].values())) for result in sarif(*findings)["results"]]


def test_a_fingerprint_survives_other_lines_and_commits_and_tells_findings_apart() -> None:
    moved = replace(PASSWORD, line=99, commit=COMMIT)
    assert fingerprints(PASSWORD) == fingerprints(moved)
    several = [PASSWORD, moved, LOG, MESSAGE, replace(PASSWORD, path="other.py"), replace(PASSWORD, rule="secret.x")]
    assert len(set(fingerprints(*several))) == len(several)


# --- GitHub ---


def test_an_annotation_names_file_line_and_rule_and_stays_on_one_line() -> None:
    text = render_github(report(LOG, PASSWORD))
    error, warning = text.splitlines()
    assert error.startswith("::error file=backend/settings.py,line=12,title=secret.password::a password of 12")
    assert error.endswith("os.environ['DB_PASSWORD']%0ARenew it.")
    assert warning.startswith("::warning file=한글 폴더/debug.log,title=name.log::a log%0Acommit 1a2b")


def test_what_means_something_in_a_command_is_escaped() -> None:
    odd = Finding("x.y", "note", "50% of\r\n::error::it", path="a,b:c%\n.py", line=3)
    (line,) = render_github(report(odd)).splitlines()
    assert line == "::notice file=a%2Cb%3Ac%25%0A.py,line=3,title=x.y::50%25 of%0D%0A::error::it"


def test_a_finding_without_a_file_has_no_place() -> None:
    assert render_github(report(replace(MESSAGE, line=4))).startswith("::error title=message.password::")


def test_nothing_found_is_no_annotation() -> None:
    assert render_github(report()) == ""
