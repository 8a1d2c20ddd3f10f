"""The models behind `ship.toml`. Frozen, complete with defaults, without any knowledge of where they came from.

A model's docstring and its fields' descriptions are the reference of `ship.toml` (docs/ship-toml.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from shipper.config.check import Check
from shipper.config.model import Model


def _inside_project(value: str) -> str:
    path = PurePosixPath(value.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (len(value) > 1 and value[1] == ":"):
        raise ValueError("expected a folder inside the project, such as 'frontend'")
    return str(path)


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected a full URL such as 'https://app.example.com'")
    if parts.username or parts.password:
        raise ValueError("a URL that is baked into a site must not hold a password")
    return value.rstrip("/")


def _public_or_relative_url(value: str) -> str:
    if not value.startswith("/"):
        return _public_url(value)
    # "/" alone would be baked as `//api/...`: the browser takes what follows for the name of a host.
    if value.startswith("//") or not value.rstrip("/"):
        raise ValueError("expected a full URL, or a path such as '/backend'")
    return value.rstrip("/")


def _prefix(value: str) -> str:
    if not value.startswith("/") or not value.endswith("/") or "//" in value:
        raise ValueError("expected a path prefix with a slash at both ends, such as '/api/'")
    return value


def _runs_on_server(command: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what systemd could not start: it looks for no program in the dependencies (field note S1)."""
    if command and command[0] != "python" and not command[0].startswith("/"):
        raise ValueError(
            "expected a command that begins with 'python', which is the server's (such as "
            f"['python', '-m', '{PurePosixPath(command[0]).name}', ...]), or with an absolute path on the server"
        )
    return command


# An app's name becomes a system user, a unit, a folder and an nginx zone: useradd(8) allows 32 characters.
AppName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}[a-z0-9]$|^[a-z]$")]
Folder = Annotated[str, AfterValidator(_inside_project)]
ServerCommand = Annotated[tuple[str, ...], AfterValidator(_runs_on_server)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
ApiUrl = Annotated[str, AfterValidator(_public_or_relative_url)]
# Paths and prefixes are rendered into nginx's configuration: no space, quote, brace, `;` or `$` can be in them.
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$"), AfterValidator(_prefix)]
Size = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*[kmgKMG]$")]
Seconds = Annotated[int, Field(ge=1, le=3600)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
HostKey = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}=?$")]
Hostname = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")]


Strategy = Literal["rolling", "stop-first"]


class AllowedUrl(Model):
    """`[[frontend.allow]]`: an address in the built files that is meant to be there."""

    url: str = Field(
        min_length=4,
        description="the address as it stands in the built file, such as 'http://localhost:3000'",
    )
    reason: str = Field(min_length=3, description="why it may stay; shown when somebody asks")


class Frontend(Model):
    """`[frontend]`: an app that exports to static files."""

    path: Folder = Field("frontend", description="the folder with package.json (or the files, for 'static')")
    preset: Literal["next", "vite", "static"] = Field(description="how it is built")
    api_url_variable: VariableName | None = Field(
        None,
        description="the variable that the source reads for the API's URL, such as 'NEXT_PUBLIC_API_URL'",
    )
    variables: dict[VariableName, str] = Field(
        default_factory=dict,
        description="more variables to bake; they are public, so never put a secret here",
    )
    command: tuple[str, ...] | None = Field(None, description="the build command; default: the preset's own")
    output: Folder | None = Field(None, description="the folder that the build writes; default: the preset's own")
    hashed: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")] | None = Field(
        None,
        description="the folder of the site whose files are all named by their content; default: the preset's own",
    )
    source_maps: bool = Field(False, description="whether *.map files may be published")
    allow: tuple[AllowedUrl, ...] = Field((), description="addresses in the built files that are meant to be there")


class StaticFiles(Model):
    """`[backend.static]`: files that the backend collects for nginx to serve (Django's collectstatic)."""

    url: Prefix = Field("/static/", description="where they are served; Django's STATIC_URL")
    root: Folder = Field(
        "staticfiles", description="the folder, inside the backend's, they are collected into; STATIC_ROOT"
    )
    command: ServerCommand = Field(
        ("python", "manage.py", "collectstatic", "--noinput"), description="the command that collects them"
    )


class Image(Model):
    """`[backend.image]`: how the image of a backend in a container is built (default: as the compose file says), and
    how it gets to the server.
    """

    context: Folder | None = Field(None, description="the folder that is sent to the builder")
    dockerfile: Folder | None = Field(None, description="the Dockerfile, inside the context; default: 'Dockerfile'")
    stage: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] | None = Field(
        None, description="the stage of the Dockerfile that is wanted; default: its last one"
    )
    args: dict[VariableName, str] = Field(
        default_factory=dict, description="build arguments; they stay in the image, so never put a secret here"
    )
    secrets: tuple[VariableName, ...] = Field(
        (), description="variables of this machine that the Dockerfile mounts as secrets of the same id; needs buildx"
    )
    delivery: Literal["ssh", "ecr", "registry"] = Field(
        "ssh",
        description="how the server gets the image: through the SSH connection, from ECR, or from another registry",
    )
    repository: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-zA-Z0-9._:/-]*$")] | None = Field(
        None, description="where images go: the name of the ECR repository, or 'registry.example.com/team/music'"
    )
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] | None = Field(
        None, description="the AWS region of the repository; default: as the AWS SDK finds it"
    )
    expected_account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = Field(
        None, description="the AWS account that is meant; with credentials of another one nothing is done"
    )

    @model_validator(mode="after")
    def _what_belongs_to_the_delivery(self) -> Image:
        if self.delivery != "ssh" and not self.repository:
            raise ValueError(f"expected 'repository' with delivery = '{self.delivery}': where the image goes")
        if self.delivery == "ssh" and self.repository:
            raise ValueError("'repository' means nothing with delivery = 'ssh'; expected 'ecr' or 'registry'")
        if self.delivery != "ecr" and (self.region or self.expected_account):
            raise ValueError("'region' and 'expected_account' belong to delivery = 'ecr'")
        return self


class Backend(Model):
    """`[backend]`: an application behind nginx: Python under systemd, or anything in a container under Compose."""

    runtime: Literal["systemd", "compose"] = Field("systemd", description="what runs it on the server")
    path: Folder = Field("backend", description="the folder with the code")
    compose_file: Folder | None = Field(
        None, description="the compose file; default: the first of those that Compose itself looks for"
    )
    service: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")] | None = Field(
        None, description="the service of the compose file that answers nginx"
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="the port that the service listens on inside its container"
    )
    beside: tuple[str, ...] = Field(
        (), description="more services of the compose file that belong to each release, such as a worker"
    )
    stateful: tuple[str, ...] | None = Field(
        None, description="the services that outlive releases; default: known databases and what has a volume"
    )
    image: Image = Field(default_factory=Image, description="how the image is built")
    framework: Literal["django", "asgi"] = Field("asgi", description="'django' adds migrate and collectstatic")
    app: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?$")] | None = Field(
        None, description="the ASGI application for uvicorn, such as 'config.asgi:application'"
    )
    command: ServerCommand | None = Field(
        None,
        description="another start command; '{socket}' in it becomes the path of the unix socket to listen on",
    )
    requirements: Folder | None = Field(
        None,
        description="requirements.txt, pyproject.toml or uv.lock inside the folder; default: the first that exists",
    )
    python: Annotated[str, StringConstraints(pattern=r"^3\.\d+$")] | None = Field(
        None, description="the Python on the server, such as '3.11'; default: the server is asked"
    )
    prefixes: tuple[Prefix, ...] = Field(("/api/",), description="paths that nginx passes on to the backend")
    health: UrlPath = Field("/api/health", description="a path that answers 200 when the backend works")
    health_timeout: Seconds = Field(30, description="seconds within which a new copy must be healthy")
    migrate: tuple[str, ...] | None = Field(
        None,
        description="the command that migrates the database; default for Django: manage.py migrate; () for none",
    )
    migrate_timeout: Seconds = Field(600, description="seconds after which a migration is stopped and the ship fails")
    static: StaticFiles | None = Field(None, description="collected static files; on by default for Django")
    required_env: tuple[VariableName, ...] = Field((), description="variables without which nothing is shipped")
    memory: Size = Field("384M", description="the memory limit of one running copy")
    drain: Annotated[int, Field(ge=2, le=600)] = Field(
        2, description="seconds between the switch and the stop of the old copy"
    )

    @model_validator(mode="after")
    def _one_way_to_start(self) -> Backend:
        if self.runtime == "compose":
            return self
        if (self.app is None) == (self.command is None):
            raise ValueError("expected exactly one of 'app' (for uvicorn) and 'command' (anything else)")
        if self.command is not None and not any("{socket}" in word for word in self.command):
            raise ValueError("expected '{socket}' in 'command', so that the backend listens on its unix socket")
        return self

    @model_validator(mode="after")
    def _what_belongs_to_the_runtime(self) -> Backend:
        mine = _OF_COMPOSE if self.runtime == "systemd" else _OF_SYSTEMD
        for key in sorted(self.model_fields_set & mine):
            raise ValueError(f"'{key}' means nothing with runtime = '{self.runtime}'")
        if self.runtime == "systemd" and self.migrate:
            _runs_on_server(self.migrate)
        if self.runtime == "compose" and (self.service is None or self.port is None):
            raise ValueError("expected 'service' and 'port' with runtime = 'compose': who answers nginx, and where")
        return self

    @property
    def start_command(self) -> tuple[str, ...]:
        """The start command; `python` stands for the server's Python and `{socket}` for the slot's socket."""
        if self.command is not None:
            return self.command
        assert self.app is not None
        options = ("--proxy-headers", "--forwarded-allow-ips", "*", "--no-access-log", "--no-server-header")
        return ("python", "-m", "uvicorn", self.app, "--uds", "{socket}", *options)

    @property
    def migrate_command(self) -> tuple[str, ...]:
        """The command that migrates the database; empty when there is none."""
        if self.migrate is not None:
            return self.migrate
        return ("python", "manage.py", "migrate", "--noinput") if self.framework == "django" else ()

    @property
    def static_files(self) -> StaticFiles | None:
        """The collected static files; Django's defaults when the table is not there."""
        if self.static is None and self.framework == "django":
            return StaticFiles()
        return self.static


_OF_COMPOSE = frozenset({"compose_file", "service", "port", "beside", "stateful", "image"})
_OF_SYSTEMD = frozenset({"path", "framework", "app", "command", "requirements", "python", "static", "memory"})


class Nginx(Model):
    """`[nginx]`: what the server block does. Every key has a default that suits a small app (field note N9)."""

    body_size: Size = Field("10m", description="the largest request body")
    rate: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*r/[sm]$")] | Literal["off"] = Field(
        "30r/s", description="requests to the backend per visitor's address; 'off' for no limit"
    )
    burst: Annotated[int, Field(ge=0, le=100_000)] = Field(
        60, description="requests above the rate that are still served"
    )
    read_timeout: Seconds = Field(60, description="seconds nginx waits for the backend's answer")
    websockets: tuple[Prefix, ...] = Field((), description="prefixes that carry websockets")


class AutoRollback(Model):
    """`[targets.<name>.auto_rollback]`: going back by itself when visitors get server errors after the switch."""

    seconds: Annotated[int, Field(ge=5, le=600)] = Field(30, description="how long to watch, from the switch on")
    errors: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="percentage points of server errors (5xx) above what it was before, from which on to go back"
    )
    at_least: Annotated[int, Field(ge=1)] = Field(20, description="requests below which no share is computed")


class Server(Model):
    """`[[targets.<name>.more]]`: one more server of a target; what it does not say is as for the first one."""

    host: Hostname = Field(description="a name or address, or a Host of ~/.ssh/config")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(None, description="the ssh port")
    host_key: HostKey | None = Field(None, description="the pinned host key; `inv host.trust` writes it")


class Target(Model):
    """`[targets.<name>]`: a place to ship to, one server or several that serve the same."""

    host: Hostname = Field(
        description="a name or address, or a Host of ~/.ssh/config; of several servers the one that goes first"
    )
    more: tuple[Server, ...] = Field((), description="further servers")
    parallel: Annotated[int, Field(ge=1, le=50)] = Field(
        1, description="how many of the further servers go live at a time, after the first one did"
    )
    user: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_.-]*\$?$")] | None = Field(
        None, description="the user to log in as; default: ssh's"
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(None, description="the ssh port; default: ssh's")
    key: str | None = Field(None, description="the private key file; default: ssh-agent and ssh's own files")
    host_key: HostKey | None = Field(
        None, description="the pinned host key; `inv host.trust` writes it; default: ~/.ssh/known_hosts"
    )
    jump: str | None = Field(None, description="a jump host as [user@]host[:port]")
    domain: Hostname | None = Field(None, description="the name visitors use; default: the host")
    url: PublicUrl | None = Field(None, description="the address visitors use; default: http://<domain>")
    api_url: ApiUrl | None = Field(None, description="the API's URL that is baked into the frontend; default: the url")
    env_file: str = Field(".env.production", description="the env file on this machine that `inv env.push` sends")
    strategy: Strategy = Field(
        "rolling",
        description="'stop-first' stops the old backend before the new one starts, where both do not fit in memory",
    )
    auto_rollback: AutoRollback | None = Field(None, description="watching visitors' requests after the switch")
    keep: Annotated[int, Field(ge=2, le=100)] = Field(5, description="good releases to keep on the server")

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
        """The one value for the API's URL that is baked into the frontend (field note B2)."""
        return self.api_url or self.public_url


class Project(Model):
    """`ship.toml`: one app with an optional frontend and an optional backend, and the targets it is shipped to."""

    name: AppName = Field(description="names the folder, the user and the units on the server")
    frontend: Frontend | None = Field(None, description="an app that exports to static files")
    backend: Backend | None = Field(None, description="an application that runs on the server")
    nginx: Nginx = Field(default_factory=Nginx, description="what the server block does")
    check: Check = Field(default_factory=Check, description="what the secret check lets pass")
    default_target: str | None = Field(None, description="the target when none is named")
    targets: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")], Target] = Field(
        default_factory=dict, description="the places to ship to"
    )

    @field_validator("name")
    @classmethod
    def _not_a_system_name(cls, name: str) -> str:
        if name in _SYSTEM_NAMES:
            raise ValueError(f"'{name}' is a user or a service of the server itself; choose another name")
        return name

    @model_validator(mode="after")
    def _something_to_ship(self) -> Project:
        if self.frontend is None and self.backend is None:
            raise ValueError("expected a [frontend] or a [backend] table (or both)")
        if self.default_target and self.default_target not in {*self.targets, "sandbox"}:
            raise ValueError(
                f"default_target = '{self.default_target}', but there is no [targets.{self.default_target}]"
            )
        return self


# Users and services that are on every Debian or Amazon Linux server; an app of that name would take them over.
_SYSTEM_NAMES = frozenset(
    """
    root daemon bin sys sync games man lp mail news uucp proxy backup list irc nobody nginx sshd systemd dbus
    www-data admin ubuntu debian ec2-user postgres mysql redis docker shipper
    """.split()
)


@dataclass(frozen=True)
class Workspace:
    """A project and where it is on this machine."""

    root: Path
    project: Project

    @property
    def cache(self) -> Path:
        """The folder for caches; it ignores itself in git and may be deleted at any time."""
        return self.root / ".shipper"
