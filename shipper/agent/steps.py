"""What each step of an activation does on the server, and how it is undone. The order is the plan's.

A step's function returns how it is undone (None when there is nothing to undo) and a line for people.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Optional

from . import diagnosis, environment, health, nginx, release, slot, store, systemd, tree
from .channel import Channel
from .errors import AgentError
from .layout import Layout

Undo = Callable[[], None]
Result = tuple[Optional[Undo], str]


@dataclass
class Run:
    """One activation: the record of the release, what was live before, and what becomes known on the way."""

    layout: Layout
    record: dict[str, Any]
    channel: Channel
    previous: str
    switched_at: float = 0.0
    undo: list[tuple[str, Undo]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    @property
    def slot(self) -> str:
        """The slot of the release, "" when it has no backend."""
        return str(self.record.get("slot") or "")

    @property
    def mask(self) -> environment.Mask:
        """Hides the values of the environment; read anew, because the slot's own exists only after `lay`."""
        slots = [f"{self.layout.slot(self.slot)}/env"] if self.slot else []
        return environment.mask_of(self.layout.env, *slots)

    def say(self, kind: str, step: str, text: str = "", **more: Any) -> None:
        """Tell the client what happens."""
        self.channel.event({"kind": kind, "step": step, "text": self.mask(text), **more})


@dataclass(frozen=True)
class Step:
    """A step by its name. One that tidies comes after the point of no return."""

    name: str
    act: Callable[[Run, dict[str, Any]], Result]
    tidies: bool = False


def _lay(run: Run, arguments: dict[str, Any]) -> Result:
    """Make the release and, when it is new, the slot."""
    made = slot.make(run.layout, arguments["slot"]) if arguments.get("slot") else None

    def undo() -> None:
        if made:
            shutil.rmtree(made, ignore_errors=True)

    try:
        folder = release.make(run.layout, run.record, arguments["site"], arguments["immutable"])
    except BaseException:
        undo()
        raise
    user = nginx.worker_user(run.layout)
    blocked = tree.first_unreadable(f"{folder}/site", user)
    if blocked:
        undo()
        raise AgentError(
            "release",
            f"nginx's user {user} may not enter {blocked}, so the site would be a 403.",
            "",
            f"On the server: sudo chmod o+x {blocked}",
        )
    return undo, f"{len(arguments['site'])} entries"


def _unit(run: Run, _: dict[str, Any]) -> Result:
    """Install the unit of this release's backend; instances that run are not touched by it."""
    slot.ensure_user(run.layout)
    undo = systemd.install_unit(run.layout, run.record["unit"])
    return undo, run.layout.unit_file if undo else "unchanged"


def _once(run: Run, step: str, arguments: dict[str, Any]) -> None:
    """Run a command of the app to its end, as the app's user, in the new slot, with the new slot's environment."""
    command = list(arguments["command"])
    outcome = systemd.run_once(
        f"{run.layout.app}-{step}-{run.slot}",
        command,
        arguments["properties"],
        timeout=arguments["timeout"],
        on_line=lambda line: run.say("output", step, line),
    )
    if not outcome.ok:
        raise AgentError(
            "release",
            f"`{' '.join(command)}` failed: {diagnosis.ending(outcome, arguments['timeout'])}.",
            "",
            "The lines above are its output. Mend it and ship again; the old release is still serving.",
        )


def _migrate(run: Run, arguments: dict[str, Any]) -> Result:
    _once(run, "migrate", arguments)
    return None, ""


def _collect_static(run: Run, arguments: dict[str, Any]) -> Result:
    _once(run, "collect-static", arguments)
    return None, ""


def _start(run: Run, _: dict[str, Any]) -> Result:
    unit = run.layout.unit(run.slot)
    if systemd.state_of(unit).running:
        return None, "runs already"

    def undo() -> None:
        systemd.forget(unit)
        _end(run, run.slot)

    try:
        systemd.start(unit)
    except AgentError:
        undo()
        raise
    return undo, unit


def _health(run: Run, arguments: dict[str, Any]) -> Result:
    """Wait until the new copy answers on its own socket; nothing else knows of it yet."""
    began = time.monotonic()
    unit = run.layout.unit(run.slot)
    while True:
        answer = health.ask_socket(
            run.layout.socket(run.slot), arguments["path"], arguments["host"], arguments["scheme"]
        )
        if answer.ok:
            return None, f"{answer} after {time.monotonic() - began:.1f} s"
        state = systemd.state_of(unit)
        if state.active == "failed" or state.restarts >= 2 or time.monotonic() - began > arguments["timeout"]:
            raise diagnosis.unhealthy(unit, state, answer, arguments, systemd.last_lines(unit, 20), run.mask)
        time.sleep(0.05)


def _nginx(run: Run, _: dict[str, Any]) -> Result:
    undo = nginx.install(run.layout, run.record["nginx"])
    return undo, "tested, installed, reloaded" if undo else "unchanged"


def _switch(run: Run, _: dict[str, Any]) -> Result:
    """Change site and backend together, in one moment."""
    release.switch(run.layout, run.record["id"])
    run.switched_at = time.monotonic()
    return lambda: release.switch(run.layout, run.previous), f"current -> {run.record['id']}"


def _verify(run: Run, arguments: dict[str, Any]) -> Result:
    """See the new release through nginx, and ask the client whether it sees it at the public address."""
    wanted = [(health.RELEASE_PATH, run.record["id"])] + [(path, "") for path in arguments["paths"]]
    # A reloaded nginx answers as before for some moments. Otherwise visitors see what is seen here: no time to lose.
    patience = 3.0 if any(name == "nginx" for name, _ in run.undo) else 0.5
    for path, text in wanted:
        answer = _patiently(path, arguments["host"], text, patience)
        if not answer.ok or text not in answer.body:
            lines = systemd.last_lines(run.layout.unit(run.slot), 10) if run.slot and not text else []
            raise AgentError(
                "release",
                f"Through nginx, {path} answers {answer}" + (" with another release." if answer.ok else "."),
                "\n".join(map(run.mask, lines)),
                "The old release is live again. `inv logs` and `inv logs --nginx` show more.",
            )
    answer_of_client = run.channel.ask("public", {"release": run.record["id"]}, timeout=arguments["patience"])
    if isinstance(answer_of_client, dict) and not answer_of_client.get("ok"):
        raise AgentError(
            "release",
            str(answer_of_client.get("what")),
            str(answer_of_client.get("why") or ""),
            str(answer_of_client.get("fix") or ""),
        )
    seen = "here and at the public address" if answer_of_client else "on the server"
    return None, f"{run.record['id']} seen {seen}"


def _patiently(path: str, host: str, text: str, seconds: float) -> health.Answer:
    """Ask until the answer is right, or time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = health.ask_nginx(path, host)
        if (answer.ok and text in answer.body) or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


def _drain(run: Run, arguments: dict[str, Any]) -> Result:
    """Leave the old copy time to finish what it was asked before the switch; meanwhile a reboot forgets it."""
    for name in _others(run):
        systemd.forget(run.layout.unit(name))
    time.sleep(max(0.0, run.switched_at + arguments["seconds"] - time.monotonic()))
    return None, f"{arguments['seconds']} s since the switch"


def _stop(run: Run, _: dict[str, Any]) -> Result:
    """Stop every copy but the live one, also one that an interrupted ship left."""
    others = _others(run)
    for name in others:
        _end(run, name)
    return None, ", ".join(others)


def _others(run: Run) -> list[str]:
    return [name for name in systemd.running_slots(run.layout) if name != run.slot]


def _end(run: Run, name: str) -> None:
    systemd.stop(run.layout.unit(name))
    with suppress(FileNotFoundError):  # most servers leave the file of their socket behind
        os.unlink(run.layout.socket(name))


def _prune(run: Run, arguments: dict[str, Any]) -> Result:
    removed, freed = prune(run.layout, arguments["keep"])
    return None, f"{len(removed)} old releases removed, {freed / 1_000_000:.1f} MB free again" if removed else ""


def prune(layout: Layout, keep: int, wanted: Iterable[str] = ()) -> tuple[list[str], int]:
    """Remove old releases, and the slots and contents that only they used, but no `wanted` content.

    Returns the names of the releases and the bytes that became free.
    """
    removed = release.prune(layout, keep)
    used = {str(entry["slot"]) for entry in release.records(layout) if entry.get("slot")}
    slot.prune(layout, used | set(systemd.running_slots(layout)))
    return removed, store.prune(layout, wanted)


_STEPS = {
    step.name: step
    for step in (
        Step("lay", _lay),
        Step("unit", _unit),
        Step("migrate", _migrate),
        Step("collect-static", _collect_static),
        Step("start", _start),
        Step("health", _health),
        Step("nginx", _nginx),
        Step("switch", _switch),
        Step("verify", _verify),
        Step("drain", _drain, tidies=True),
        Step("stop", _stop, tidies=True),
        Step("prune", _prune, tidies=True),
    )
}


def named(name: str) -> Step:
    """Return the step of that name. Raises AgentError for one this agent does not know."""
    try:
        return _STEPS[name]
    except KeyError:
        raise AgentError("config", f"The agent knows no step {name!r}.") from None
