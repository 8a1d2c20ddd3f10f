"""What each step of an activation does on the server. The order is the plan's.

How they are undone is in shipper.agent.settle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

from . import (
    compose,
    diagnosis,
    drain,
    environment,
    health,
    hooks,
    images,
    journal,
    leftovers,
    nginx,
    release,
    settle,
    slot,
    store,
    systemd,
    tree,
    watch,
)
from .channel import Channel
from .errors import AgentError
from .layout import Layout
from .mask import Mask
from .once import once_unit, run_command

# Every question to systemd takes the processor for a moment, which the backend that starts may need.
_LOOK_SECONDS = 0.25


@dataclass
class Run:
    """One activation: the record of the release, what was live before, and what becomes known on the way."""

    layout: Layout
    record: dict[str, Any]
    channel: Channel
    previous: str
    previous_slot: str = ""
    limit: float = 0.0
    reloaded: bool = False
    restarts: int = 0
    stopped_at: float = 0.0
    switched_at: float = 0.0
    visits: Optional[watch.AccessLog] = None
    trouble: list[str] = field(default_factory=list)
    failed_hooks: list[str] = field(default_factory=list)

    @property
    def slot(self) -> str:
        """The slot of the release, "" when it has no backend."""
        return str(self.record.get("slot") or "")

    @property
    def mask(self) -> Mask:
        """Hides the values of the environment, and those that only one of the two releases still knows; read anew,
        because the slot's own exists only after `lay`.
        """
        slots = (f"{self.layout.slot(name)}/env" for name in (self.slot, self.previous_slot) if name)
        return environment.mask_of(self.layout.env, *slots)

    def say(self, kind: str, step: str, text: str = "", **more: Any) -> None:
        """Tell the client what happens."""
        self.channel.event({"kind": kind, "step": step, "text": self.mask(text), **more})


@dataclass(frozen=True)
class Step:
    """A step by its name: `act` does it and returns a line for people. One that tidies comes after the point of no
    return. How steps are undone is not theirs to know: shipper.agent.settle makes the server what it was.
    """

    name: str
    act: Callable[[Run, dict[str, Any]], str]
    tidies: bool = False


def _lay(run: Run, arguments: dict[str, Any]) -> str:
    """Make the release and, when it is new, the slot. Trees are given by their digests when they were delivered."""
    if arguments.get("slot"):
        trees = {name: tree.named(arguments["slot"][name]) for name in ("code", "dependencies")}
        slot.make(run.layout, {**arguments["slot"], **trees})
    site = tree.named(arguments["site"])
    folder = release.make(run.layout, run.record, site, arguments["immutable"])
    store.settle(run.layout)
    user = nginx.worker_user(run.layout)
    blocked = tree.first_unreadable(f"{folder}/site", user)
    if blocked:
        raise AgentError(
            "release",
            f"nginx's user {user} may not enter {blocked}, so the site would be a 403.",
            "",
            f"On the server: sudo chmod o+x {blocked}",
        )
    return f"{len(site)} entries"


def _unit(run: Run, _: dict[str, Any]) -> str:
    """Install the units of this release's backend; instances that run are not touched by it."""
    slot.ensure_user(run.layout)
    changed = systemd.install_units(run.layout, settle.units_of(run.layout, run.record))
    return run.layout.unit_file if changed else "unchanged"


def _services(run: Run, _: dict[str, Any]) -> str:
    """Bring up what outlives releases; what runs already is only touched when its definition changed."""
    try:
        changed = compose.ensure(run.layout, run.record["services"], lambda line: run.say("output", "services", line))
    except AgentError as error:
        raise error.masked(run.mask) from None
    return "as defined now" if changed else "as they were"


def _retire(run: Run, _: dict[str, Any]) -> str:
    """Remove the lasting services that are defined no more, now that nothing uses them; their volumes stay."""
    return ", ".join(compose.retire(run.layout, run.record["services"]))


def _once(run: Run, step: str, arguments: dict[str, Any]) -> None:
    """Run a command of the app to its end, as the app's user, in the new slot, with the new slot's environment."""
    fix = "The lines above are its output. Mend it and ship again; the old release is still serving."
    run_command(once_unit(run.layout, step, run.slot), arguments, lambda line: run.say("output", step, line), fix)


def _migrate(run: Run, arguments: dict[str, Any]) -> str:
    _once(run, "migrate", arguments)
    return ""


def _collect_static(run: Run, arguments: dict[str, Any]) -> str:
    _once(run, "collect-static", arguments)
    return ""


def _stop_first(run: Run, _: dict[str, Any]) -> str:
    """Stop the old copy before the new one starts, where both do not fit: the backend is away until the switch."""
    run.stopped_at = time.monotonic()
    return _stop(run, {})


def _start(run: Run, _: dict[str, Any]) -> str:
    unit = run.layout.unit(run.slot)
    if systemd.state_of(unit).running:
        return "runs already"
    systemd.start(unit)
    return unit


def _health(run: Run, arguments: dict[str, Any]) -> str:
    """Wait until the new copy answers on its own socket; nothing else knows of it yet."""
    began = time.monotonic()
    looked = 0.0
    unit = run.layout.unit(run.slot)
    while True:
        answer = health.ask_socket(
            run.layout.socket(run.slot), arguments["path"], arguments["host"], arguments["scheme"]
        )
        checks = compose.failed_checks(run.layout, run.slot) if answer.ok and run.record.get("image") else []
        if answer.ok and not checks:
            return f"{answer} after {time.monotonic() - began:.1f} s"
        if time.monotonic() - looked > _LOOK_SECONDS:
            looked = time.monotonic()
            state = systemd.state_of(unit)
            if state.active == "failed" or state.ends >= 2 or looked - began > arguments["timeout"]:
                lines = [*checks, *systemd.last_lines(unit, 20)]
                fates = compose.fates(run.layout, run.slot) if run.record.get("image") else []
                raise diagnosis.unhealthy(unit, state, answer, arguments, [*fates, *lines], run.mask)
        stop_if_asked(run)
        time.sleep(0.3 if checks else 0.05)


def stop_if_asked(run: Run) -> None:
    """Raise AgentError when the client wants the activation to be undone, and there is still time for it."""
    if run.channel.cancelled and not run.switched_at:
        raise AgentError("release", "Stopped on request; nothing was changed.", "", "Ship again when you are ready.")


def _nginx(run: Run, _: dict[str, Any]) -> str:
    run.reloaded = nginx.install(run.layout, run.record["nginx"])
    for other in nginx.sharing_name(run.layout, run.record["nginx"]):
        run.channel.note(f"{other} has the same domain on this server; nginx lets only one of the two answer.")
    return "tested, installed, reloaded" if run.reloaded else "unchanged"


def _switch(run: Run, _: dict[str, Any]) -> str:
    """Change site and backend together, in one moment."""
    if run.previous:
        release.prepare_switch(run.layout, run.previous)  # the way back needs no room on the disk
    if run.slot:
        run.restarts = systemd.state_of(run.layout.unit(run.slot)).restarts
    run.visits = watch.AccessLog(run.layout)
    release.switch(run.layout, run.record["id"])
    run.switched_at = time.monotonic()
    gap = f"; the backend was away for {run.switched_at - run.stopped_at:.1f} s" if run.stopped_at else ""
    return f"current -> {run.record['id']}{gap}"


def _verify(run: Run, arguments: dict[str, Any]) -> str:
    """See the new release through nginx, and ask the client whether it sees it at the public address."""
    wanted = [(health.RELEASE_PATH, run.record["id"])] + [(path, "") for path in arguments["paths"]]
    # A reloaded nginx answers as before for some moments. Otherwise visitors see what is seen here: no time to lose.
    patience = 3.0 if run.reloaded else 0.5
    for path, text in wanted:
        answer = _patiently(path, arguments["host"], text, patience)
        if not answer.status and nginx.start_if_down():
            run.channel.note("nginx was not running; it was started.")
            answer = _patiently(path, arguments["host"], text, 3.0)
        if not answer.ok or text not in answer.body:
            _refuse_shared_name(run, arguments["host"])
            lines = systemd.last_lines(run.layout.unit(run.slot), 10) if run.slot and not text else []
            raise AgentError(
                "release",
                f"Through nginx, {path} answers {answer}" + (" with another release." if answer.ok else "."),
                "\n".join(map(run.mask, lines)),
                "The old release is live again. `inv logs` and `inv logs --nginx` show more.",
            )
    answer_of_client = run.channel.ask(
        "public", {"release": run.record["id"], "paths": arguments["paths"]}, timeout=arguments["patience"]
    )
    if isinstance(answer_of_client, dict) and not answer_of_client.get("ok"):
        watch.refuse_crash(run.layout, run.slot, run.restarts, run.mask)
        raise AgentError(
            "release",
            str(answer_of_client.get("what")),
            str(answer_of_client.get("why") or ""),
            str(answer_of_client.get("fix") or ""),
        )
    seen = "here and at the public address" if answer_of_client else "on the server"
    return f"{run.record['id']} seen {seen}"


def _refuse_shared_name(run: Run, host: str) -> None:
    """Raise AgentError when another app has the same domain: nginx gives everything to the one it reads first."""
    others = nginx.sharing_name(run.layout, run.record["nginx"])
    if others:
        raise AgentError(
            "release",
            f"{', '.join(others)} has the same domain on this server ({host}), and answers instead of this app.",
            "nginx gives all requests for a name to one server block.",
            "Give one of the two another `domain` in its ship.toml. On the practice server: inv sandbox.reset",
        )


def _patiently(path: str, host: str, text: str, seconds: float) -> health.Answer:
    """Ask until the answer is right, or time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = health.ask_nginx(path, host)
        if (answer.ok and text in answer.body) or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


def _watch(run: Run, arguments: dict[str, Any]) -> str:
    """Look for a while at how the requests of visitors end."""
    visits = run.visits or watch.AccessLog(run.layout)
    return watch.errors(visits, run.switched_at, arguments["seconds"], arguments["errors"], arguments["at_least"])


def _drain(run: Run, arguments: dict[str, Any]) -> str:
    """Leave the old copy time to finish what it was asked before the switch; the new one may still fail meanwhile."""
    old = [run.layout.socket(name) for name in systemd.running_slots(run.layout) if name != run.slot]
    return drain.wait(
        old,
        run.switched_at,
        arguments["at_least"],
        arguments["seconds"],
        lambda: watch.refuse_crash(run.layout, run.slot, run.restarts, run.mask),
    )


def _stop(run: Run, _: dict[str, Any]) -> str:
    """Stop every copy but the live one, also one that an interrupted ship left."""
    others = [name for name in systemd.running_slots(run.layout) if name != run.slot]
    for name in others:
        slot.stop(run.layout, name)
    return ", ".join(others)


def _prune(run: Run, arguments: dict[str, Any]) -> str:
    removed, freed = prune(run.layout, arguments["keep"])
    journal.trim(run.layout)
    return f"{len(removed)} old releases removed, {freed / 1_000_000:.1f} MB free again" if removed else ""


def prune(
    layout: Layout, keep: int, wanted: Iterable[str] = (), image: str = "", slot_name: str = ""
) -> tuple[list[str], int]:
    """Remove old releases, and the slots, contents and images that only they used, but no `wanted` content, nor the
    `image` and the slot that a release to come will use.

    Returns the names of the releases and the bytes that became free.
    """
    leftovers.sweep(layout)
    before = release.images(layout)
    removed = release.prune(layout, keep)
    used = {str(entry["slot"]) for entry in release.records(layout) if entry.get("slot")}
    slot.prune(layout, {*used, *systemd.running_slots(layout), slot_name})
    kept = release.images(layout)
    if kept:
        images.prune(layout, before, {*kept, image})
    return removed, store.prune(layout, wanted)


STEPS = {
    step.name: step
    for step in (
        Step("lay", _lay),
        Step("unit", _unit),
        Step("services", _services),
        Step("migrate", _migrate),
        Step("collect-static", _collect_static),
        Step("stop-first", _stop_first),
        Step("start", _start),
        Step("health", _health),
        Step("nginx", _nginx),
        Step("switch", _switch),
        Step("verify", _verify),
        Step("watch", _watch),
        Step("drain", _drain),
        Step(hooks.BEFORE, hooks.take),
        Step(hooks.AFTER, hooks.take, tidies=True),
        Step(hooks.FAILURE, hooks.take, tidies=True),
        Step("stop", _stop, tidies=True),
        Step("retire", _retire, tidies=True),
        Step("prune", _prune, tidies=True),
    )
}


def named(name: str) -> Step:
    """Return the step of that name; several of one kind are "name.1", "name.2" and so on.

    Raises AgentError for one this agent does not know.
    """
    try:
        return STEPS[name.partition(".")[0]]
    except KeyError:
        raise AgentError("config", f"The agent knows no step {name!r}.") from None
