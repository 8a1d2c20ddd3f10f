"""What commands say to programs (`--json`): one object at the end, and before it one line for every event of a ship.

The form is public and has a version: shipper/report/schema/output-1.schema.json, docs/json.md.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from shipper.errors import AfterSwitchError, FindingsError, ShipperError
from shipper.events import Event
from shipper.report.streams import tell

if TYPE_CHECKING:
    from shipper.check.report import CheckReport
    from shipper.findings import Finding
    from shipper.pipeline.job import Job
    from shipper.pipeline.rollout import Member, Report
    from shipper.sandbox.server import Sandbox

# Grows when a key changes its meaning or goes away; new keys may appear at any time.
SCHEMA = 1
# Of one step; an upload tells of every piece.
_PROGRESS_SECONDS = 0.2


@dataclass(frozen=True)
class Answer:
    """How a command ended: its own keys (plain data), findings, and the exit code.

    `command` is only for one that did the work of another (`ship --dry-run` is a `plan`).
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    exit_code: int = 0
    command: str = ""


def answer_object(command: str, answer: Answer) -> dict[str, Any]:
    """Return the last line of a command that came to its end."""
    ok = answer.exit_code == 0
    known = {
        "schema": SCHEMA,
        "command": answer.command or command,
        "ok": ok,
        "exit_code": answer.exit_code,
        **answer.fields,
    }
    return {**known, "findings": [_finding(finding) for finding in answer.findings]}


def error_object(command: str, error: ShipperError) -> dict[str, Any]:
    """Return the last line of a command that failed: what happened, why, and what to type next."""
    found = error.findings if isinstance(error, FindingsError) else ()
    told = {"what": error.what, "why": error.why, "fix": error.fix}
    return {**answer_object(command, Answer(findings=found, exit_code=error.exit_code)), "error": told}


def _finding(finding: Finding) -> dict[str, Any]:
    """Return a finding; texts that do not apply are empty, a line that does not is null."""
    keys = ("rule", "severity", "path", "line", "commit", "message", "why", "fix")
    return {key: getattr(finding, key) for key in keys}


def event_object(event: Event, moment: datetime.datetime) -> dict[str, Any]:
    """Return one line of running work; numbers that do not apply are left out."""
    told: dict[str, Any] = {"schema": SCHEMA, "event": event.kind, "time": moment.isoformat(timespec="milliseconds")}
    told |= {"step": event.step, "server": event.server, "text": event.text}
    if event.kind in ("done", "failed"):
        told["seconds"] = round(event.seconds, 3)
    if event.unit:
        told |= {"done": event.done, "total": event.total, "unit": event.unit}
    return told


class JsonReporter:
    """Tells of events as they come, from any thread, one line each; else like shipper.report.console.Reporter."""

    def __init__(self) -> None:
        self.stages: list[Event] = []
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ShipperError):
            error.stages = tuple(self.stages)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Questions stand on the terminal, beside what programs read."""
        yield

    def __call__(self, event: Event) -> None:
        """Tell of one event."""
        with self._lock:
            if event.kind in ("done", "failed", "undone"):
                self.stages.append(event)
            if event.kind != "progress" or self._is_time(event):
                tell(event_object(event, datetime.datetime.now(datetime.UTC)))

    def _is_time(self, event: Event) -> bool:
        key, now = (event.server, event.step), time.monotonic()
        if event.done < event.total and now - self._told.get(key, 0.0) < _PROGRESS_SECONDS:
            return False
        self._told[key] = now
        return True


def check_answer(report: CheckReport) -> Answer:
    """Return what a check found, and in how much."""
    fields = {"title": report.title, "commits": report.commits, "files": report.files, "notes": list(report.notes)}
    return Answer(fields, report.findings, report.exit_code)


def report_answer(report: Report, target: str) -> Answer:
    """Return how a ship or a rollback ended."""
    fields = {
        "target": target,
        "action": report.plan.action,
        "outcome": report.outcome,
        "release": report.live,
        "url": report.url,
        "seconds": round(report.seconds, 3),
        "files": report.files,
        "bytes_sent": report.bytes_sent,
        "round_trips": report.round_trips,
        "servers": [server for server in report.servers if server],
        "trouble": list(report.trouble),
        "failed_hooks": list(report.failed_hooks),
    }
    code = AfterSwitchError.exit_code if report.failed_hooks else 0
    return Answer(fields, (*report.findings, *report.plan.findings), code)


def plans_answer(
    members: Sequence[Member], differences: Iterable[tuple[Job, Mapping[str, list[str]] | None]], target: str
) -> Answer:
    """Return the plan for each server, and how its environment differs from the file here (names only)."""
    plans = [
        {
            "server": server_name(member.job),
            "action": member.plan.action,
            "release": member.plan.record["id"],
            "nothing_to_do": member.plan.nothing_to_do,
            "steps": [_without(asdict(step), "arguments") for step in member.plan.steps],
        }
        for member in members
    ]
    environment = [
        {"server": server_name(job), **difference} for job, difference in differences if difference is not None
    ]
    findings = dict.fromkeys(finding for member in members for finding in member.plan.findings)
    return Answer({"target": target, "plans": plans, "environment": environment}, tuple(findings), command="plan")


def servers_answer(
    job: Job, answers: Iterable[tuple[Job, Mapping[str, Any]]], findings: Sequence[Finding] = ()
) -> Answer:
    """Return what each server of a target said; errors among the findings block."""
    servers = [{"server": server_name(one), **answer} for one, answer in answers]
    blocked = any(finding.severity == "error" for finding in findings)
    code = FindingsError.exit_code if blocked else 0
    return Answer({"target": job.target_name, "app": job.app, "servers": servers}, findings, code)


def sandbox_answer(name: str, sandbox: Sandbox | None) -> Answer:
    """Return whether the practice server is "running", "stopped" or "absent", and how it is reached."""
    if sandbox is None:
        return Answer({"name": name, "state": "absent", "url": "", "ssh": None})
    ssh = {"host": "127.0.0.1", "port": sandbox.ssh_port, "user": sandbox.user, "key": str(sandbox.key_file)}
    return Answer({"name": name, "state": "running" if sandbox.running else "stopped", "url": sandbox.url, "ssh": ssh})


def server_name(job: Job) -> str:
    """Return what a server is called: its host, with the port where it takes that to tell two apart."""
    return job.server or job.target.host


def _without(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    # What the agent is told is between the two of them.
    return {name: value for name, value in data.items() if name != key}
