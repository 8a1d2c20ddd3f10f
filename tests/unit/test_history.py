"""The record that every ship leaves on this machine: what is in it, who can read it, and how many there are."""

from __future__ import annotations

import dataclasses
import json
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shipper.config.load import parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.errors import BuildError, FindingsError, StoppedError
from shipper.events import Event, discard
from shipper.findings import Finding
from shipper.masking import hide
from shipper.pipeline.history import Recording, read_records, recording
from shipper.pipeline.job import Job
from shipper.pipeline.plan import Plan
from shipper.pipeline.rollout import Member, Report

PROJECT = parse_project('name = "shop"\n[frontend]\npreset = "static"\n', "ship.toml")
TARGET = Target(host="203.0.113.7", domain="shop.example.com")
RELEASE = "20261120T194500Z-1a2b3c4"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(Workspace(tmp_path, PROJECT), "production", TARGET)


def live(outcome: Any = "live") -> Report:
    plan = Plan("ship", {"id": RELEASE, "commit": "1a2b3c4", "dirty": False}, ())
    return Report(plan, RELEASE, TARGET.public_url, 1.0, 3, 620, outcome=outcome)


def play(record: Recording, *events: Event) -> None:
    for event in events:
        record(event)


def only(job: Job) -> dict[str, Any]:
    (record,) = read_records(job.workspace, "production")
    return record


def test_stages_have_their_moments_and_what_runs_side_by_side_overlaps(job: Job) -> None:
    with recording(job, "ship", discard) as record:
        play(
            record,
            Event("start", "connect", "Connection"),
            Event("start", "build.frontend", "Frontend"),
            Event("done", "connect", "live is nothing", seconds=0.1),
            Event("done", "build.frontend", "3 files", seconds=0.2),
            Event("start", "upload"),
            Event("progress", "upload", done=1, total=2, unit="bytes"),
            Event("output", "upload", "not kept"),
            Event("done", "upload", "1 file", 620, 850_000, "bytes", seconds=0.1),
            Event("note", "agent", "nginx was started"),
        )
        record.ended(live())
    kept = only(job)
    stages = {stage["step"]: stage for stage in kept["stages"]}
    assert list(stages) == ["connect", "build.frontend", "upload"]
    assert stages["build.frontend"]["begin"] <= stages["connect"]["end"] <= stages["build.frontend"]["end"]
    assert (stages["upload"]["bytes_sent"], stages["upload"]["bytes_whole"]) == (620, 850_000)
    assert stages["connect"]["bytes_sent"] is None
    assert [note["text"] for note in kept["notes"]] == ["nginx was started"]
    assert (job.workspace.cache / ".gitignore").read_text() == "*\n", "git shall not see it"
    assert (kept["result"], kept["bytes_sent"], kept["error"]) == ("live", 620, None)
    assert all(stage["end"] <= kept["seconds"] for stage in kept["stages"])
    assert "not kept" not in json.dumps(kept)


def test_events_go_on_to_whoever_shows_them(job: Job) -> None:
    seen: list[Event] = []
    with recording(job, "ship", seen.append) as record:
        play(record, Event("start", "lay"), Event("output", "lay", "x"))
    assert [event.kind for event in seen] == ["start", "output"]


@pytest.mark.parametrize("outcome", ["unchanged", "declined"])
def test_what_changed_nothing_leaves_no_record(outcome: str, job: Job) -> None:
    with recording(job, "ship", discard) as record:
        record.ended(live(outcome))
    assert read_records(job.workspace, "production") == []


FINDING = Finding("env.debug", "error", "DEBUG is on", fix="Set it to False.")


@pytest.mark.parametrize(
    ("error", "result", "what"),
    [
        (BuildError("The build failed.", why="no flour", fix="Buy some."), "failed", "The build failed."),
        (FindingsError([FINDING]), "failed", "1 finding must be settled before this can be shipped."),
        (
            StoppedError("Stopped on request; nothing was changed."),
            "stopped",
            "Stopped on request; nothing was changed.",
        ),
        (KeyboardInterrupt(), "stopped", "Stopped with Ctrl-C."),
        (ZeroDivisionError("secret words"), "failed", "shipper itself failed: ZeroDivisionError."),
    ],
)
def test_a_ship_that_ends_otherwise_is_recorded_as_such(error: BaseException, result: str, what: str, job: Job) -> None:
    with pytest.raises(type(error)), recording(job, "ship", discard) as record:
        play(record, Event("start", "build.frontend"), Event("undone", "lay", "what was half made is removed"))
        raise error
    kept = only(job)
    assert (kept["result"], kept["error"]["what"], kept["release"]) == (result, what, "")
    assert [(stage["step"], stage["result"]) for stage in kept["stages"]] == [
        ("build.frontend", "cut"),
        ("lay", "undone"),
    ]
    if isinstance(error, FindingsError):
        assert kept["findings"][0]["rule"] == FINDING.rule


def test_the_plan_names_the_release_and_thinking_about_it_takes_no_time(job: Job) -> None:
    class State:
        live = "20261119T120000Z-0000000"

    member = Member(job, None, State(), live().plan)  # type: ignore[arg-type]
    with recording(job, "ship", discard) as record:
        before = record.seconds

        def confirm(members: Sequence[Member]) -> bool:
            while record.seconds < before + 0.2:
                pass
            return True

        assert record.watched(confirm)([member])
        assert record.seconds < before + 0.2
        record.ended(live())
    kept = only(job)
    assert (kept["release"], kept["previous"], kept["commit"]) == (RELEASE, State.live, "1a2b3c4")


def test_no_secret_is_in_a_record_and_nobody_else_can_read_it(job: Job) -> None:
    secret = "deep-" + "river-2291"
    hide({"DATABASE_PASSWORD": secret})
    with pytest.raises(BuildError), recording(job, "ship", discard) as record:
        play(record, Event("start", "migrate"), Event("failed", "migrate", f"login {secret} refused"))
        raise BuildError("It failed.", why=f"password={secret}")
    (file,) = job.workspace.cache.rglob("*.json")
    text = file.read_text(encoding="utf-8")
    assert secret not in text
    assert "login ******** refused" in text
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_the_last_ones_of_each_target_are_kept(job: Job) -> None:
    for number in range(43):
        with recording(job, "ship", discard) as record:
            play(record, Event("note", "plan", str(number)))
            record.ended(live())
    texts = [record["notes"][0]["text"] for record in read_records(job.workspace, "production")]
    assert texts == [str(number) for number in range(42, 2, -1)]
    assert read_records(job.workspace, "staging") == []


def test_a_record_that_cannot_be_read_or_written_stops_nothing(job: Job) -> None:
    folder = job.workspace.cache / "ships"
    folder.mkdir(parents=True)
    (folder / "production").write_text("in the way", encoding="utf-8")
    with recording(job, "ship", discard) as record:
        record.ended(live())
    (folder / "production").unlink()
    (folder / "production").mkdir()
    for name, text in (("a", "{"), ("b", "[]"), ("c", '{"format": 99}')):
        (folder / "production" / f"{name}.json").write_text(text, encoding="utf-8")
    assert read_records(job.workspace, "production") == []


def test_what_was_found_when_the_release_was_live_is_kept(job: Job) -> None:
    finding = Finding("cors.blocked", "warning", "Browsers will not let the site read it.")
    with recording(job, "ship", discard) as record:
        record.ended(dataclasses.replace(live(), findings=(finding,)))
    assert [found["rule"] for found in only(job)["findings"]] == ["cors.blocked"]
