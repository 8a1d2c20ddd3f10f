"""From evidence to cause: why a program or a service did not do what it should, in one screen (field note S5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import causes
from .errors import AgentError
from .health import Answer
from .programs import Outcome
from .systemd import UnitState

# systemd.exec(5), "Process Exit Codes": what systemd itself says before the program's own first line.
_START_FAILURES = {
    "200": "the working directory is not there (200/CHDIR)",
    "203": "the program cannot be executed (203/EXEC)",
    "217": "the user does not exist (217/USER)",
    "226": "the sandbox of the unit could not be set up (226/NAMESPACE)",
}
# systemd's own line in the journal; what it shows of the unit is forgotten at the next start.
_EXIT_STATUS = re.compile(r"code=exited, status=([0-9]+)/")
# What shipper.agent.containers says of a container that the kernel ended.
_CONTAINER_MEMORY = re.compile(r"^container of .*(out of memory(?: \([^)]*\))?)", re.MULTILINE)


def ending(outcome: Outcome, timeout: float) -> str:
    """Say in a few words how a one-off command ended; its last line is systemd's own word for it, when it has one."""
    if outcome.timed_out:
        return f"stopped after {timeout:.0f} s"
    if "oom-kill" in outcome.text:
        return "killed, out of memory"
    if outcome.text == "signal" or outcome.code < 0:
        return "killed by a signal, probably out of memory"
    return f"exit code {outcome.code}"


def unhealthy(
    unit: str,
    state: UnitState,
    answer: Answer,
    arguments: Mapping[str, Any],
    lines: Sequence[str],
    mask: Callable[[str], str],
) -> AgentError:
    """Explain why a new copy did not become healthy: its last lines, how it ended, and what that usually means."""
    last = "\n".join(mask(line) for line in lines)
    what, fix = _cause(state, answer, arguments, last)
    facts = f"{unit}: {state.active}, {state.restarts} restarts"
    return AgentError("release", what, f"{facts}\n{last}", fix)


def crashed(unit: str, state: UnitState, lines: Sequence[str]) -> AgentError:
    """Explain that a copy that was healthy ended, or was started again, soon after it had gone live."""
    return AgentError(
        "release",
        "The new backend was healthy and then ended by itself"
        + (", out of memory." if state.result == "oom-kill" else "."),
        "\n".join([f"{unit}: {state.active}, {state.restarts} restarts", *lines]),
        "The old release is live again. The last lines above say why it ended; `inv logs` shows more.",
    )


def _cause(state: UnitState, answer: Answer, arguments: Mapping[str, Any], lines: str) -> tuple[str, str]:
    limit = arguments["memory"]
    # systemd forgets the result when it starts the unit again; its line in the journal stays.
    killed = "status=9/KILL" in lines
    memory = _CONTAINER_MEMORY.search(lines)
    if memory:
        return (
            f"The new backend was killed: {memory[1]}.",
            "Raise the service's memory limit in the compose file if the server has room (`inv host.check`), or find "
            "what needs so much.",
        )
    if state.result == "oom-kill" or "'oom-kill'" in lines or killed:
        # With the first version of control groups systemd sees the signal, but not who sent it.
        how = "most probably out of memory" if killed else "out of memory"
        return (
            f"The new backend was killed: {how} (its limit is {limit}).",
            "Raise `memory` in [backend] if the server has room (`inv host.check`), or find what needs so much.",
        )
    told = _EXIT_STATUS.findall(lines)
    status = told[-1] if told else state.exit_status
    if status == "137":  # 128 + SIGKILL: a container's way to say it
        return (
            "The new backend was killed (137): most probably out of memory.",
            "Raise the service's memory limit if the server has room (`inv host.check`), or find what needs so much.",
        )
    if status in _START_FAILURES:
        return f"The new backend did not start: {_START_FAILURES[status]}.", "inv logs"
    known = causes.known_cause(lines)
    if state.restarts or state.active in ("failed", "activating"):
        if known:
            return f"The new backend exits right after its start (exit status {status}). {known[0]}", known[1]
        return (
            f"The new backend exits right after its start (exit status {status}).",
            "Its last lines say why; a missing variable is added with `inv env.push`.",
        )
    if "health check of " in lines and answer.ok:
        check = next(line for line in lines.splitlines() if line.startswith("health check of "))
        return (
            f"The new backend answers, but its own health check fails: {check.partition(': ')[2]}",
            "Look at HEALTHCHECK in the Dockerfile, or `healthcheck` of the service in the compose file.",
        )
    if known:
        return f"The new backend runs but has not become healthy in {arguments['timeout']} s. {known[0]}", known[1]
    return (
        f"The new backend runs but has not become healthy in {arguments['timeout']} s: {arguments['path']}: {answer}.",
        f"Check that {arguments['path']} answers 200 and that the backend listens on its socket (`health`, `command`).",
    )
