"""The summary of a job and the outputs of its step, and what the log of a run gets beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from actions_runner import read_outputs

from shipper.check.report import CheckReport
from shipper.errors import BuildError, FindingsError
from shipper.events import Event
from shipper.findings import Finding
from shipper.masking import hide
from shipper.pipeline.plan import Plan
from shipper.pipeline.rollout import Report
from shipper.report.console import show_error
from shipper.report.github import render_error
from shipper.report.outcome import show_report
from shipper.report.reporter import Reporter
from shipper.report.summary import summarise_check, summarise_failure

RELEASE = "20261121T000000Z-1a2b3c4"
FINDING = Finding(
    "secret.password",
    "error",
    "a password of 12 characters, 'hu…'",
    why="Everybody can read it.",
    fix="Renew it: passwd",
    path="settings.py",
    line=12,
)
ODD = "<img src=x>|`![a](http://e.example)`\n# @all **$x$**\x1b[31m\u202e ::error::x"


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    return file


def report(action: str = "ship", **more: object) -> Report:
    known = Report(Plan(action, {"id": RELEASE}, ()), RELEASE, "https://a.example.com", 12.34, 7, 123_456)
    return replace(known, **more)


def text_of(file: Path) -> str:
    """What a reader sees of the Markdown: without what escapes a mark."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", file.read_text(encoding="utf-8"))


def test_what_was_found_when_the_release_was_live_is_told_after_it(
    summary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replace(FINDING, severity="warning", rule="cors.blocked", message="Browsers will not let the site read it.")
    show_report(report(findings=(found,)), "production")
    assert "cors.blocked" in text_of(summary)
    said = capsys.readouterr().out
    assert said.index("is live at") < said.index("cors.blocked") < said.index("Renew it: passwd")


def test_a_ship_says_release_address_what_was_sent_and_how_long_each_stage_took(summary: Path, tmp_path: Path) -> None:
    stages = (
        Event("done", "build.frontend", "40 files", seconds=3.21),
        Event("done", "upload", seconds=0.5, server="b"),
    )
    show_report(report(servers=("a", "b"), trouble=("the old copy did not end",)), "production", stages)
    text = text_of(summary)
    assert text.startswith("### shipped to production\n")
    assert "| release | **20261121T000000Z-1a2b3c4** |" in text
    assert "| address | <https://a.example.com> |" in text
    assert "| sent | 7 files as 123,456 bytes |" in text
    assert "| servers | a, b |" in text
    assert "| build.frontend | 3.2 | 40 files |" in text
    assert "| b: upload | 0.5 |" in text
    assert "- afterwards: the old copy did not end" in text
    assert read_outputs(tmp_path / "output") == {"release": RELEASE, "url": "https://a.example.com"}


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (report("rollback"), "### rolled back: production"),
        (report(outcome="unchanged"), "### shipped to production, nothing to do"),
    ],
)
def test_a_rollback_and_a_ship_without_work_say_what_is_live_and_sent_nothing(
    given: Report, title: str, summary: Path
) -> None:
    show_report(given, "production")
    assert text_of(summary).startswith(f"{title}\n")
    assert RELEASE in text_of(summary)
    assert "sent" not in text_of(summary)


def test_who_declined_has_nothing_to_read(summary: Path, tmp_path: Path) -> None:
    show_report(report(outcome="declined"), "production")
    assert not summary.exists()
    assert not (tmp_path / "output").exists()


def test_a_failure_says_what_happened_the_cause_and_what_to_type(summary: Path) -> None:
    error = BuildError("The build failed.", why="line 1\n```\nline 3", fix="npm ci\nnpm run build")
    with pytest.raises(BuildError), Reporter() as reporter:
        reporter(Event("done", "agent", "connected", seconds=0.4))
        raise error
    summarise_failure("ship", error)
    text = text_of(summary)
    assert "### ship failed (exit code 1)" in text
    assert "**The build failed.**" in text
    # A fence that is longer than the one inside.
    assert "````text\nline 1\n```\nline 3\n````" in text
    assert "```text\nnpm ci\nnpm run build\n```" in text
    assert "| agent | 0.4 | connected |" in text


def test_no_secret_is_in_the_summary_whatever_markdown_makes_of_its_letters(summary: Path) -> None:
    value = "a_b*c-" + "d|e.f!"
    hide({"SUMMARY_PASSWORD": value})
    summarise_failure("ship", BuildError(f"It said {value}.", why=f"line {value}", fix=f"unset {value}"))
    assert text_of(summary).count("********") + text_of(summary).count(r"\*" * 8) == 3


def test_findings_are_told_with_place_reason_and_way_out_errors_first(summary: Path) -> None:
    warning = replace(FINDING, severity="warning", rule="name.log", path="", line=None, commit="1a" * 20)
    summarise_check(CheckReport((warning, FINDING), "main..side", 3, 41, ("One file was too large.",)))
    text = text_of(summary)
    assert "### check: findings block" in text
    assert "main..side: 1 error, 1 warning in 1 file; 41 files of 3 commits checked" in text
    assert "- **error** settings.py:12: a password of 12 characters, 'hu…' (secret.password)" in text
    assert "<br>Everybody can read it." in text
    assert "<br>→ Renew it: passwd" in text
    assert text.index("**error**") < text.index("**warning** " + "1a" * 20)
    assert "- One file was too large." in text


def test_hundreds_of_findings_do_not_make_a_summary_that_github_drops(summary: Path) -> None:
    many = tuple(replace(FINDING, line=line, why="x" * 500) for line in range(1, 3000))
    summarise_check(CheckReport(many, "main..side", 3, 41))
    assert summary.stat().st_size < 2**20 / 2
    assert "and 2899 more, in the log" in text_of(summary)


def test_nothing_from_elsewhere_means_anything_in_markdown(summary: Path) -> None:
    finding = Finding("x.y", "error", ODD, why=ODD, fix=ODD, path=ODD, line=1)
    summarise_failure("ship", FindingsError([finding]))
    raw = summary.read_text(encoding="utf-8")
    assert "\x1b" not in raw
    assert "\u202e" not in raw
    told = raw.partition("- **error** ")[2].replace("<br>", "")
    assert told
    assert re.findall(r"(?<!\\)[<`!\[\]@$*|#&~]", told) == []


def test_a_summary_that_cannot_be_written_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, str(tmp_path))
    show_report(report(), "production")
    assert f"{RELEASE} is live" in capsys.readouterr().out


def test_outside_of_a_run_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    show_report(report(), "production")
    assert list(tmp_path.iterdir()) == []


def test_no_value_can_set_another_output(summary: Path, tmp_path: Path) -> None:
    show_report(report(live="x\nurl=https://e.example\nurl<<EOF\nhttps://e.example\nEOF"), "production")
    assert read_outputs(tmp_path / "output")["url"] == "https://a.example.com"


def test_a_command_that_fails_writes_it_into_both_the_summary_and_the_log(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    done = subprocess.run(
        [sys.executable, "-m", "shipper", "ship", "--yes"],
        cwd=tmp_path,
        env={**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(file)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 2
    assert "### ship failed (exit code 2)" in text_of(file)
    assert "There is no ship.toml" in text_of(file)
    (annotation,) = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert annotation.startswith("::error title=There is no ship.toml in ")
    assert "%0A" in annotation


def test_findings_that_block_are_annotated_at_their_place_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (line,) = render_error(FindingsError([FINDING])).splitlines()
    assert line.startswith("::error file=app/settings.py,line=12,title=secret.password::a password")


def test_the_output_of_a_build_is_folded_and_commands_in_it_are_dead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with Reporter() as reporter:
        reporter(Event("start", "build.frontend", "Frontend"))
        reporter(Event("output", "build.frontend", "::add-mask::e"))
        reporter(Event("output", "migrate", "Applying 0001"))
        reporter(Event("done", "build.frontend", "40 files", seconds=3.2))
        reporter(Event("output", "upload", "never ended"))
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("::group::output of build.frontend")
    stop, inner, again, end = lines[start + 1 : start + 5]
    assert stop.startswith("::stop-commands::")
    assert (inner, again, end) == ("::add-mask::e", f"::{stop.removeprefix('::stop-commands::')}::", "::endgroup::")
    assert lines[start - 1].split() == ["ok", "build.frontend", "3.2", "s", "40", "files"]
    assert "    | Applying 0001" in lines[:start]
    assert "::group::output of upload" in lines


def test_elsewhere_nothing_is_folded_or_annotated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with Reporter() as reporter:
        reporter(Event("output", "build.frontend", "x"))
        reporter(Event("done", "build.frontend"))
    show_error(BuildError("It failed.", why="y"))
    captured = capsys.readouterr()
    assert "::" not in captured.out + captured.err
