"""systemd, through `systemctl`, `systemd-run` and `journalctl`: the units of an app and what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import programs
from .errors import AgentError
from .layout import Layout

_CONTROL_SECONDS = 90.0  # longer than a unit's own TimeoutStopSec


@dataclass(frozen=True)
class UnitState:
    """What `systemctl show` says of a unit. `memory` is in bytes, 0 when unknown.

    `restarts` are those that have begun; while `resting`, it has ended and waits for the next one.
    """

    active: str
    resting: bool
    result: str
    restarts: int
    exit_code: str
    exit_status: str
    memory: int

    @property
    def running(self) -> bool:
        """Whether its main process runs."""
        return self.active == "active"

    @property
    def busy(self) -> bool:
        """Whether it runs, or is about to begin or end."""
        return self.active in ("active", "activating", "deactivating")

    @property
    def ends(self) -> int:
        """How often it has ended and is, or was, to be started again."""
        return self.restarts + self.resting


def install_units(layout: Layout, units: Mapping[str, str]) -> bool:
    """Install the app's unit files, by the names of the layout; return whether any changed.

    The boot unit is enabled; an empty text, or none, removes a file.
    """
    wanted = {name: units.get(name, "") for name in layout.unit_files}
    if installed_units(layout) == wanted:
        return False
    boot = os.path.basename(layout.unit_files["boot"])
    # Only links are changed by these; systemd reads all files anew, once, when they are as they shall be.
    if not wanted["boot"]:
        _control("disable", "--quiet", "--no-reload", boot, tolerated=True)
    for name, path in layout.unit_files.items():
        write_text(path, wanted[name])
    if wanted["boot"]:
        _control("enable", "--quiet", "--no-reload", boot)
    _control("daemon-reload")
    return True


def installed_units(layout: Layout) -> dict[str, str]:
    """Return the texts of the app's unit files as they are now; "" for one that is not there."""
    return {name: read_text(path) for name, path in layout.unit_files.items()}


def read_text(path: str) -> str:
    """Return a file's text, "" when there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write_text(path: str, text: str) -> None:
    """Write a configuration file in one step, 0644; an empty text removes it."""
    if not text:
        if os.path.exists(path):
            os.unlink(path)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Neither nginx nor systemd reads a name with this ending.
    scratch = f"{path}.{os.getpid()}.shipper-new"
    with open(scratch, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(scratch, 0o644)
    os.replace(scratch, path)


def start(unit: str) -> None:
    """Start a unit. None of a slot is enabled: after a reboot the boot unit starts the one that `current` names."""
    _control("start", unit)


def stop(unit: str, *, tolerated: bool = False) -> None:
    """Stop a unit and wait until it has ended; with `tolerated`, also one that does not exist."""
    _control("stop", unit, tolerated=tolerated)
    # A copy that failed is forgotten, so that its next start is a first one; there may be nothing to forget.
    _control("reset-failed", unit, tolerated=True)


def _control(*words: str, tolerated: bool = False) -> None:
    outcome = programs.run(["systemctl", *words], timeout=_CONTROL_SECONDS)
    if not outcome.ok and not tolerated:
        raise AgentError("release", f"systemctl {' '.join(words)} failed.", outcome.text, "inv logs")


def state_of(unit: str) -> UnitState:
    """Ask systemd for the state of a unit; an unknown one is "inactive"."""
    wanted = "ActiveState,SubState,Result,NRestarts,ExecMainCode,ExecMainStatus,MemoryCurrent"
    outcome = programs.run(["systemctl", "show", unit, f"--property={wanted}"], timeout=_CONTROL_SECONDS)
    values = dict(line.split("=", 1) for line in outcome.lines if "=" in line)
    memory = values.get("MemoryCurrent", "")
    return UnitState(
        active=values.get("ActiveState", "inactive"),
        resting=values.get("SubState", "").startswith("auto-restart"),
        result=values.get("Result", ""),
        restarts=int(values.get("NRestarts") or 0),
        exit_code=values.get("ExecMainCode", ""),
        exit_status=values.get("ExecMainStatus", ""),
        memory=int(memory) if memory.isdigit() and int(memory) < 1 << 62 else 0,
    )


def running_slots(layout: Layout) -> list[str]:
    """Return the slots of the app whose units run or are about to."""
    return _instances(f"{layout.app}@", ".service")


def proxied_slots(layout: Layout) -> list[str]:
    """Return the slots for whose containers systemd holds a socket, also when those have failed."""
    return _instances(f"{layout.app}-proxy@", ".socket")


def _instances(template: str, kind: str) -> list[str]:
    argv = ["systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating,deactivating"]
    lines = programs.run([*argv, f"{template}*{kind}"], timeout=_CONTROL_SECONDS).lines
    return [line.split()[0][len(template) : -len(kind)] for line in lines if line.strip()]


def last_lines(unit: str, count: int) -> list[str]:
    """Return the last lines a unit wrote to the journal."""
    # With --all, lines with control sequences are shown and not only counted.
    argv = ["journalctl", "--all", "--unit", unit, "--lines", str(count), "--output", "cat", "--no-pager", "--quiet"]
    return list(programs.run(argv, timeout=_CONTROL_SECONDS).lines)


def run_once(
    name: str,
    command: Sequence[str],
    properties: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    timeout: float,
    on_line: Callable[[str], None],
) -> programs.Outcome:
    """Run a command to its end in a transient unit, with the user, environment file and limits of `properties`.

    systemd reads the environment file, as it does for the service itself: there is one parser, and no value of it is
    in any argv. `variables` are more of them, which are no secret. The command is run as it is: systemd would put the
    variables of the unit in place of `$NAME` and `${NAME}`, also where a shell in the command has one of that name.
    """
    options = [f"--property={key}={value}" for key, value in properties.items()]
    options += [f"--setenv={name}={value}" for name, value in variables.items()]
    # Wait, pipe and collect: exit code and output come back here, and nothing of the unit stays behind.
    argv = ["systemd-run", "--wait", "--pipe", "--collect", f"--unit={name}", *options]
    # systemd.service(5), "Command lines": `$$` is a dollar sign.
    words = [*command[:1], *(word.replace("$", "$$") for word in command[1:])]
    lines: list[str] = []

    def keep(line: str) -> None:
        if line.startswith(("Running as unit: ", "Finished with result: ", "Main processes terminated with: ")):
            lines.append(line)
        elif not line.startswith(
            ("Service runtime: ", "CPU time consumed: ", "IP traffic ", "IO bytes ", "Memory peak")
        ):
            on_line(line)

    argv += ["--property=RuntimeMaxSec=" + str(int(timeout)), "--", *words]
    try:
        outcome = programs.run(argv, timeout=timeout + 30, on_line=keep)
    except BaseException:
        # The step it is for has taken too long (limit): the unit would go on, and be in the way of the next one.
        stop(name, tolerated=True)
        raise
    result = next((line.partition(": ")[2] for line in lines if line.startswith("Finished with result: ")), "")
    return programs.Outcome(
        outcome.code, (result,) if result else outcome.lines[-3:], result == "timeout" or outcome.timed_out
    )
