"""The server of a target: the way to its agent, and what a plan has to know of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from shipper.build.dependencies import Python, python_platform
from shipper.completion.known import remember_releases
from shipper.config.backend import Backend
from shipper.errors import ConfigError, HostError
from shipper.events import Emit, Event, of_server
from shipper.host.connection import open_host
from shipper.host.session import AgentSession, open_agent
from shipper.pipeline.job import Job

Record = dict[str, Any]


# The first that looks after an interrupted ship waits until that was finished or undone.
_STATE_SECONDS = 180.0
# An agent whose client is gone needs a while to notice (shipper.agent.channel), and has the lock until then.
OWN_LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class ServerState:
    """The app on one server at one moment.

    `live` is a release id or "". `releases` are their records, the newest first. `environment` holds the names of the
    variables (no values) and `environment_digest` changes with any of them; `settings` are the few with their values
    that say under which address the app is reached (shipper.agent.environment). `memory` is what the
    live backend holds, in bytes. `facts` are the agent's. `services` is the definition of what outlives releases,
    `lasting` the names of what it has of them, and `containers` what the server's Docker is and has; nothing for a
    backend that needs none. `token` is the agent's own word for all of this but memory and facts: equal tokens, equal
    plans. `unfinished` is whether contents may be there that an upload left which was cut off.
    """

    live: str
    releases: tuple[Record, ...]
    slots: frozenset[str]
    running: frozenset[str]
    environment: frozenset[str]
    empty_variables: frozenset[str]
    environment_digest: str
    nginx: Mapping[str, str]
    units: Mapping[str, str]
    migrations: frozenset[str]
    memory: int
    facts: Mapping[str, Any]
    services: str = ""
    lasting: frozenset[str] = frozenset()
    containers: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = ""
    unfinished: bool = False

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> ServerState:
        """Read the agent's answer to `state`."""
        environment = answer["environment"]
        return cls(
            live=answer["live"],
            releases=tuple(answer["releases"]),
            slots=frozenset(answer["slots"]),
            running=frozenset(answer["running"]),
            environment=frozenset(environment["keys"]),
            empty_variables=frozenset(environment["empty"]),
            environment_digest=environment["digest"],
            nginx=answer["nginx"],
            units=answer["units"],
            migrations=frozenset(answer["migrations"]),
            memory=answer["memory"],
            facts=answer["facts"],
            services=answer["services"],
            lasting=frozenset(answer["lasting"]),
            containers=answer["containers"],
            settings=environment["settings"],
            token=answer["token"],
            unfinished=answer["unfinished"],
        )

    def goes_on_from(self, other: ServerState) -> bool:
        """Whether nobody changed what a plan for `other` rests on; what our own delivery made room for is no change."""
        mine, theirs = (
            (one.live, one.running, one.nginx, one.units, one.environment_digest, one.services, one.lasting)
            for one in (self, other)
        )
        new = {record["id"] for record in self.releases} - {record["id"] for record in other.releases}
        return mine == theirs and not new

    def plans_alike(self, other: ServerState) -> bool:
        """Whether a plan made for one is right for the other; facts such as free memory differ all the time."""
        left_out: dict[str, Any] = {"facts": {}, "memory": 0, "token": "", "unfinished": False}
        return dataclasses.replace(self, **left_out) == dataclasses.replace(other, **left_out)

    @property
    def live_record(self) -> Record | None:
        """The record of the live release."""
        return next((record for record in self.releases if record["id"] == self.live), None)

    def release(self, release_id: str) -> Record:
        """Return the record of a release. Raises ConfigError with the ids there are."""
        for record in self.releases:
            if record["id"] == release_id:
                return record
        known = ", ".join(record["id"] for record in self.releases) or "none"
        raise ConfigError(
            f"There is no release {release_id} on the server.", why=f"There are: {known}", fix="inv status"
        )


@contextmanager
def connect(job: Job, emit: Emit) -> Iterator[AgentSession]:
    """Open the connection to the target's server and start the agent there. Raises HostError."""

    def note(text: str) -> None:
        emit(Event("note", "agent", text))

    reach = job.hosts.reach if job.hosts else open_host
    with reach(job.target, job.target_name) as host, open_agent(host, note) as session:
        yield session


@contextmanager
def connect_each(job: Job, emit: Emit) -> Iterator[tuple[tuple[Job, AgentSession], ...]]:
    """Connect to all servers of the target side by side. Raises HostError when one of them cannot be reached."""
    jobs = job.each
    with ExitStack() as stack, ThreadPoolExecutor(len(jobs), thread_name_prefix="connect") as pool:
        opened = [pool.submit(stack.enter_context, connect(one, of_server(emit, one.server))) for one in jobs]
        yield tuple((one, future.result()) for one, future in zip(jobs, opened, strict=True))


def read_state(session: AgentSession, job: Job) -> ServerState:
    """Ask the agent what is on the server."""
    asked = {"app": job.app, "containers": job.in_containers}
    state = ServerState.parse(session.call("state", asked, deadline=_STATE_SECONDS))
    remember_releases(job.workspace.cache, job.target_name, state.live, state.releases)
    return state


def lock_order(job: Job) -> tuple[str, int]:
    """Return the key by which servers are sorted before their locks are taken one after the other.

    It is no matter of the order in a `ship.toml`: two people whose files differ in it would hold one lock each and wait
    for the other's.
    """
    return job.target.host, job.target.port or 0


def lock_each(servers: Sequence[tuple[Job, AgentSession]], action: str) -> list[ServerState]:
    """Take the locks of all servers until their sessions end; return their states, in the order of the servers.

    Of several who do it at once, one gets all locks. Raises LockHeldError.
    """
    ordered = sorted(servers, key=lambda server: lock_order(server[0]))
    states = {job.server: lock_server(job, session, action) for job, session in ordered}
    return [states[job.server] for job, _ in servers]


def lock_server(job: Job, session: AgentSession, action: str) -> ServerState:
    """Take the app's lock until the session ends; return the state, which nobody else changes from now on.

    Raises LockHeldError when somebody else has it, or the app is frozen.
    """
    asked = {**job.change, "action": action, "containers": job.in_containers}
    return ServerState.parse(session.call("lock", asked, deadline=_STATE_SECONDS))


def backend_python(state: ServerState, backend: Backend, host: str) -> tuple[Python, str]:
    """Return the Python the backend will run with, and the path of its interpreter on the server.

    Raises HostError when the server does not have the wanted one.
    """
    facts = state.facts
    interpreters: Mapping[str, str] = facts["pythons"]
    version = backend.python or facts["python"]["minor"]
    if version not in interpreters:
        raise HostError(
            f"{host} has no Python {version}, which [backend] asks for.",
            why=f"It has {', '.join(sorted(interpreters)) or 'none'}.",
            fix=f"Install python{version} on the server, or change `python` in [backend].",
        )
    platform = python_platform(facts["machine"], facts["libc"]["name"], facts["libc"]["version"])
    return Python(version, platform), interpreters[version]
