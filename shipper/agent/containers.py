"""The containers of a Compose project: what runs, how one ended, and whether its image's own health check passes."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import engine
from .errors import AgentError

_HEALTH_LINES = 3
_DEFAULT_CHECK_SECONDS = 30.0  # https://docs.docker.com/reference/dockerfile/#healthcheck


@dataclass(frozen=True)
class Container:
    """One container, as the engine describes it (GET /containers/{id}/json, Docker Engine API v1.41)."""

    described: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The engine's number for it."""
        return str(self.described["Id"])

    @property
    def service(self) -> str:
        """The name of its service in the compose file."""
        return str((self.described["Config"].get("Labels") or {}).get("com.docker.compose.service", ""))

    @property
    def running(self) -> bool:
        """Whether its process runs, and not only until the engine starts it again."""
        state = self.described["State"]
        return bool(state["Running"]) and not state.get("Restarting")

    @property
    def restarts(self) -> int:
        """How often the engine started it again."""
        return int(self.described.get("RestartCount") or 0)

    @property
    def age(self) -> float:
        """For how many seconds it has been running."""
        started = re.sub(r"\.\d+", "", str(self.described["State"].get("StartedAt") or ""))
        try:
            moment = datetime.datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            return 0.0
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        return (now - moment).total_seconds()

    @property
    def health(self) -> str:
        """What its health check says: "healthy", "unhealthy", "starting"; "" when it has none."""
        return str((self.described["State"].get("Health") or {}).get("Status", "")).replace("none", "")

    @property
    def check(self) -> list[str]:
        """The command of its health check, nothing when it has none."""
        words: Sequence[str] = (self.described["Config"].get("Healthcheck") or {}).get("Test") or ()
        if not words or words[0] == "NONE":
            return []
        return ["/bin/sh", "-c", words[1]] if words[0] == "CMD-SHELL" else list(words[1:])

    @property
    def check_seconds(self) -> float:
        """How long its health check may take."""
        nanoseconds = (self.described["Config"].get("Healthcheck") or {}).get("Timeout") or 0
        return nanoseconds / 1e9 or _DEFAULT_CHECK_SECONDS

    @property
    def killed_for_memory(self) -> bool:
        """Whether the kernel ended it, or one of its processes, because its memory was used up."""
        return bool(self.described["State"].get("OOMKilled"))

    @property
    def memory_limit(self) -> str:
        """How much memory it may use, in words; "" when it has no limit of its own."""
        limit = int((self.described.get("HostConfig") or {}).get("Memory") or 0)
        return f"{limit / (1 << 20):,.0f} MiB" if limit else ""

    @property
    def exit_code(self) -> int:
        """With what its process ended."""
        return int(self.described["State"].get("ExitCode") or 0)

    def fate(self) -> str:
        """Say in one line, and some more of its health check's, what became of it (field note S5)."""
        state = self.described["State"]
        words = [f"container of {self.service}: {state.get('Status', 'unknown')}"]
        if not self.running:
            words.append(f"exit code {self.exit_code}")
        if self.killed_for_memory:
            limit = f" (its limit is {self.memory_limit})" if self.memory_limit else ""
            words.append(("a process in it was killed, " if self.running else "") + "out of memory" + limit)
        if state.get("Error"):
            words.append(str(state["Error"]))
        if self.restarts:
            words.append(f"{self.restarts} restarts by the engine")
        if self.health:
            words.append(f"health check: {self.health}")
        told = ((state.get("Health") or {}).get("Log") or [])[-1:]
        lines = [line for entry in told for line in str(entry.get("Output") or "").strip().splitlines()]
        return "\n".join([", ".join(words), *(f"  {line}" for line in lines[-_HEALTH_LINES:])])


def of_project(project: str) -> list[Container]:
    """Return the containers of a Compose project, also those that have ended, by service."""
    label = json.dumps({"label": [f"com.docker.compose.project={project}"]})
    found = []
    for entry in engine.ask("GET", "/containers/json", {"all": "true", "filters": label}):
        described = engine.find(f"/containers/{entry['Id']}/json")
        if described is not None:  # it was removed meanwhile
            found.append(Container(described))
    return sorted(found, key=lambda container: container.service)


def memory(container: Container) -> int:
    """Return the memory that a container holds and cannot give back, in bytes: file cache is not in it."""
    stats = engine.ask("GET", f"/containers/{container.id}/stats", {"stream": "false", "one-shot": "true"})
    details = (stats.get("memory_stats") or {}).get("stats") or {}
    # Control groups of version 2 say `anon`, of version 1 `total_rss`.
    return int(details.get("anon") or details.get("total_rss") or 0)


def last_lines(container: Container, count: int) -> list[str]:
    """Return the last lines that a container wrote."""
    options = {"stdout": "1", "stderr": "1", "tail": str(count)}
    output = engine.ask_raw("GET", f"/containers/{container.id}/logs", options)
    has_terminal = bool(container.described["Config"].get("Tty"))
    text = output.decode("utf-8", "replace") if has_terminal else _text_of(output)
    return text.splitlines()[-count:]


def failed_check(container: Container) -> str:
    """Run the container's own health check now, instead of at the engine's next turn; "" when it passes.

    Returns what it wrote, or how it ended. One that cannot be run or takes too long has failed, as it has for the
    engine, and may pass the next time.
    """
    try:
        return _run_check(container) if container.check else ""
    except AgentError as error:
        return " ".join(f"{error.what} {error.why}".split())


def _run_check(container: Container) -> str:
    wanted = {"Cmd": container.check, "AttachStdout": True, "AttachStderr": True}
    made = engine.create(f"/containers/{container.id}/exec", wanted)
    output = engine.create_raw(f"/exec/{made['Id']}/start", {"Detach": False, "Tty": False}, container.check_seconds)
    code = engine.ask("GET", f"/exec/{made['Id']}/json").get("ExitCode")
    text = _text_of(output).strip()
    return "" if code == 0 else text or f"exit code {code}"


def _text_of(output: bytes) -> str:
    """Return the text of the engine's frames: eight bytes of header, the last four of them the length."""
    text = b""
    while len(output) >= 8:
        length = int.from_bytes(output[4:8], "big")
        text, output = text + output[8 : 8 + length], output[8 + length :]
    return re.sub(r"[\x00-\x08\x0b-\x1f]", "", text.decode("utf-8", "replace"))
