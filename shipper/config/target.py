"""`[targets.<name>]`: a place to ship to, one server or several."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from shipper.config.model import Model
from shipper.config.types import ApiUrl, HostKey, Hostname, PublicUrl

Strategy = Literal["rolling", "stop-first"]


class AutoRollback(Model):
    """`[targets.<name>.auto_rollback]`: going back by itself when visitors get server errors after the switch."""

    seconds: Annotated[int, Field(ge=5, le=600)] = Field(30, description="how long to watch, from the switch on")
    errors: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="percentage points of server errors (5xx) above what it was before, from which on to go back"
    )
    at_least: Annotated[int, Field(ge=1)] = Field(20, description="requests below which no share is computed")


class Server(Model):
    """`[[targets.<name>.more]]`: one more server of a target; what it does not say is as for the first one."""

    host: Hostname = Field(description="a name or an address, or a `Host` of your `~/.ssh/config`")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(None, description="the ssh port; default: the target's")
    host_key: HostKey | None = Field(
        None, description="the pinned host key; `inv host.trust` writes it; default: `~/.ssh/known_hosts`"
    )


class Target(Model):
    """`[targets.<name>]`: a place to ship to, one server or several that serve the same."""

    host: Hostname = Field(
        description=(
            "a name or an address, or a `Host` of your `~/.ssh/config`. Of several servers the one that goes first"
        )
    )
    more: tuple[Server, ...] = Field((), description="further servers")
    parallel: Annotated[int, Field(ge=1, le=50)] = Field(
        1, description="how many of the further servers go live at a time, after the first one did"
    )
    user: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_.-]*\$?$")] | None = Field(
        None, description="the user to log in as; default: ssh's"
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(None, description="the ssh port; default: ssh's")
    key: str | None = Field(None, description="the private key file; default: ssh-agent, then ssh's own files")
    host_key: HostKey | None = Field(
        None,
        description=(
            "the pinned host key, `SHA256:...`; `inv host.trust` writes it. An unknown host key is refused; "
            "default: `~/.ssh/known_hosts`"
        ),
    )
    jump: str | None = Field(None, description="a jump host, as `[user@]host[:port]`")
    domain: Hostname | None = Field(None, description="the name that visitors use; default: the host")
    url: PublicUrl | None = Field(
        None, description="the address that visitors use, in full; default: `http://<domain>`"
    )
    api_url: ApiUrl | None = Field(
        None,
        description=(
            "the API's URL that is baked into the frontend: in full, or a path such as `/api`; default: the `url`"
        ),
    )
    env_file: str = Field(
        ".env.production",
        description="the env file on this machine that `inv env.push` sends. It is never part of a release's files",
    )
    strategy: Strategy = Field(
        "rolling",
        description=(
            "`stop-first` stops the old backend before the new one starts, where both do not fit in memory. The "
            "backend is away for that long; the site is not"
        ),
    )
    step_timeout: Annotated[int, Field(ge=1, le=86_400)] = Field(
        3600,
        description=(
            "seconds that any one step of a ship or a rollback may take: sending, laying out, starting. Limits such as "
            "`migrate_timeout` come on top"
        ),
    )
    auto_rollback: AutoRollback | None = Field(None, description="watching visitors' requests after the switch")
    keep: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="how many good releases stay on the server, to go back to"
    )

    @model_validator(mode="after")
    def _one_name_for_all(self) -> Target:
        if self.more and not (self.domain or self.url):
            raise ValueError("expected 'domain' or 'url' where there are several servers: what visitors type for all")
        places = [(target.host, target.port) for target in self.each]
        if len(set(places)) < len(places):
            raise ValueError("expected every server once; two of them have the same host and port")
        return self

    @property
    def each(self) -> tuple[Target, ...]:
        """The servers, each as a target of its own; the first one goes first."""
        first = self.model_copy(update={"more": ()})
        others = (
            {"host": server.host, "port": server.port or self.port, "host_key": server.host_key} for server in self.more
        )
        return (first, *(first.model_copy(update=values) for values in others))

    @property
    def server_name(self) -> str:
        """The name nginx answers to."""
        return self.domain or urlsplit(self.public_url).hostname or self.host

    @property
    def public_url(self) -> str:
        """The address visitors use, without a slash at the end."""
        return self.url or f"http://{self.domain or self.host}"

    @property
    def baked_api_url(self) -> str:
        """The API's URL for this target, before `api_path` of the frontend: `Job.api_url` is what is baked."""
        return self.api_url or self.public_url
