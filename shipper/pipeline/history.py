"""The record of every ship and rollback from this machine: what happened when, and how it ended. `inv report` shows it.

Records stand in the cache, a file each, masked and for this user alone. They are a convenience: one that is missing
costs a picture, and one that cannot be written stops no ship. The truth is in the server's journal.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shipper.config.project import Workspace
from shipper.errors import FindingsError, ShipperError, StoppedError
from shipper.events import Emit, Event
from shipper.masking import masked_data
from shipper.pipeline.job import Job, who
from shipper.pipeline.rollout import Member, Report
from shipper.remembered import ignore_in_git

# Grows when a key changes its meaning; a record of another format is not shown.
FORMAT = 1
_KEPT = 40  # of each target
_MOST_NOTES = 40
_LONGEST_TEXT = 4000

Record = dict[str, Any]


@dataclass
class _Stage:
    """One step on one server ("" is this machine, or the only server); moments in seconds since the beginning."""

    step: str
    server: str
    title: str
    begin: float
    end: float | None = None
    result: str = "running"
    text: str = ""
    bytes_sent: int | None = None
    bytes_whole: int | None = None


@dataclass
class Recording:
    """Takes the events of one ship and passes them on; knows at the end what belongs into the record.

    One that is `unwanted`, because somebody called the ship off before anything was sent, leaves none.
    """

    emit: Emit
    stages: list[_Stage] = field(default_factory=list)
    notes: list[Mapping[str, Any]] = field(default_factory=list)
    members: Sequence[Member] = ()
    report: Report | None = None
    unwanted: bool = False
    _began: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        """Note one event, and pass it on."""
        with self._lock:
            self._note(event)
        self.emit(event)

    def watched(self, confirm: Callable[[Sequence[Member]], bool]) -> Callable[[Sequence[Member]], bool]:
        """Return a `confirm` that lets the record know the plans; how long somebody thinks is no part of the time."""

        def ask(members: Sequence[Member]) -> bool:
            self.members = members
            asked = time.monotonic()
            try:
                return confirm(members)
            finally:
                self._began += time.monotonic() - asked

        return ask

    def ended(self, report: Report) -> Report:
        """Take the report of a ship that came to its end, and return it."""
        self.report = report
        return report

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return round(time.monotonic() - self._began, 3)

    def _note(self, event: Event) -> None:
        now = self.seconds
        if event.kind == "start":
            self.stages.append(_Stage(event.step, event.server, event.text, now))
        elif event.kind in ("done", "failed"):
            stage = self._running(event) or self._late(event, now)
            stage.end, stage.result, stage.text = now, event.kind, event.text[:_LONGEST_TEXT]
            if event.unit == "bytes":
                stage.bytes_sent, stage.bytes_whole = event.done, event.total or None
        elif event.kind == "undone":
            self.stages.append(_Stage(event.step, event.server, "", now, now, "undone", event.text))
        elif event.kind == "note" and len(self.notes) < _MOST_NOTES:
            self.notes.append({"at": now, "step": event.step, "server": event.server, "text": event.text})

    def _running(self, event: Event) -> _Stage | None:
        same = (s for s in self.stages if (s.step, s.server, s.result) == (event.step, event.server, "running"))
        return next(same, None)

    def _late(self, event: Event, now: float) -> _Stage:
        """Return a new stage for an event whose start nobody told of."""
        self.stages.append(_Stage(event.step, event.server, "", max(0.0, round(now - event.seconds, 3))))
        return self.stages[-1]


@contextmanager
def recording(job: Job, action: str, emit: Emit) -> Iterator[Recording]:
    """Record what the block does, however it ends; what was declined, or changed nothing, leaves no record."""
    kept, started = Recording(emit), datetime.datetime.now(datetime.UTC)
    error: BaseException | None = None
    try:
        yield kept
    except BaseException as raised:
        error = raised
        raise
    finally:
        if (error is not None and not kept.unwanted) or (kept.report and kept.report.outcome == "live"):
            with suppress(OSError):
                _save(job.workspace, job.target_name, _record(job, action, kept, started, error))


def _record(job: Job, action: str, kept: Recording, started: datetime.datetime, error: BaseException | None) -> Record:
    members, report = kept.members, kept.report
    release = members[0].plan.record if members else {}
    for stage in kept.stages:
        if stage.end is None:
            stage.end, stage.result = kept.seconds, "cut"
    return {
        "format": FORMAT,
        "app": job.app,
        "target": job.target_name,
        "url": job.target.public_url,
        "action": action,
        "started": started.isoformat(timespec="microseconds"),
        "seconds": kept.seconds,
        "result": _result(error),
        "who": who(),
        "author": job.change["holder"]["author"],
        "run": job.change["holder"]["run"],
        "release": release.get("id", ""),
        "previous": members[0].state.live if members else None,
        "commit": release.get("commit", ""),
        "dirty": bool(release.get("dirty")),
        "servers": [one.server or one.target.host for one in job.each],
        "files": report.files if report else None,
        "bytes_sent": report.bytes_sent if report else None,
        "watched": job.target.auto_rollback is not None,
        "stages": [asdict(stage) for stage in kept.stages],
        "notes": kept.notes,
        "findings": _findings(members, report, error),
        "trouble": list(report.trouble) if report else [],
        "error": _told(error),
    }


def _result(error: BaseException | None) -> str:
    if error is None:
        return "live"
    return "stopped" if isinstance(error, StoppedError | KeyboardInterrupt | EOFError) else "failed"


def _findings(members: Sequence[Member], report: Report | None, error: BaseException | None) -> list[Mapping[str, Any]]:
    found = dict.fromkeys(finding for member in members for finding in member.plan.findings)
    found |= dict.fromkeys(report.findings if report else ())
    if isinstance(error, FindingsError):
        found |= dict.fromkeys(error.findings)
    return [asdict(finding) for finding in found]


def _told(error: BaseException | None) -> Mapping[str, str] | None:
    if error is None:
        return None
    if isinstance(error, ShipperError):
        return {"what": error.what, "why": error.why[-_LONGEST_TEXT:], "fix": error.fix}
    if isinstance(error, KeyboardInterrupt):
        return {"what": "Stopped with Ctrl-C.", "why": "", "fix": "inv status"}
    return {"what": f"shipper itself failed: {type(error).__name__}.", "why": "", "fix": ""}


def _folder(workspace: Workspace, target: str) -> Path:
    return workspace.cache / "ships" / target


def _save(workspace: Workspace, target: str, record: Record) -> None:
    """Write a record that only this user can read, in one step, and remove the oldest ones of the target."""
    folder = _folder(workspace, target)
    folder.mkdir(parents=True, exist_ok=True)
    ignore_in_git(workspace.cache)
    moment = datetime.datetime.fromisoformat(record["started"])
    name = f"{moment:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(3)}"
    scratch = folder / f"{name}.new"
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(masked_data(record), file)
    scratch.replace(folder / f"{name}.json")
    for old in sorted(folder.glob("*.json"))[:-_KEPT]:
        old.unlink(missing_ok=True)


def read_records(workspace: Workspace, target: str) -> list[Record]:
    """Return the records of a target, the newest first; what cannot be read is left out."""
    found = []
    for file in sorted(_folder(workspace, target).glob("*.json"), reverse=True):
        with suppress(OSError, ValueError):
            record = json.loads(file.read_text(encoding="utf-8"))
            if isinstance(record, dict) and record.get("format") == FORMAT:
                found.append(record)
    return found
