"""`[backend]`: an application behind nginx, and how its image is built and delivered when it runs in a container."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shipper.config.model import Model
from shipper.config.types import Folder, Prefix, Seconds, ServerCommand, Size, UrlPath, VariableName, runs_on_server


class StaticFiles(Model):
    """`[backend.static]`: files that the backend collects for nginx to serve (Django's collectstatic)."""

    url: Prefix = Field("/static/", description="where they are served; Django's `STATIC_URL`")
    root: Folder = Field(
        "staticfiles", description="the folder, inside the backend's, they are collected into; Django's `STATIC_ROOT`"
    )
    command: ServerCommand = Field(
        ("python", "manage.py", "collectstatic", "--noinput"), description="the command that collects them"
    )


class Image(Model):
    """`[backend.image]`: how the image of a backend in a container is built (default: as the compose file says), and
    how it gets to the server.
    """

    context: Folder | None = Field(
        None,
        description="the folder that is sent to the builder, as `.dockerignore` leaves it; default: the compose file's",
    )
    dockerfile: Folder | None = Field(
        None, description="the Dockerfile, inside the context; default: the compose file's, or `Dockerfile`"
    )
    stage: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] | None = Field(
        None, description="the stage of the Dockerfile that is wanted; default: the last one"
    )
    args: dict[VariableName, str] = Field(
        default_factory=dict, description="build arguments. They stay in the image: never a secret"
    )
    secrets: tuple[VariableName, ...] = Field(
        (),
        description=(
            "variables of this machine that the Dockerfile mounts as secrets of the same id "
            "(`RUN --mount=type=secret,id=PIP_TOKEN`). Needs buildx; they are in no layer"
        ),
    )
    delivery: Literal["ssh", "ecr", "registry"] = Field(
        "ssh",
        description=(
            "how the server gets the image: through the SSH connection, from Amazon's ECR, or from any other registry"
        ),
    )
    repository: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-zA-Z0-9._:/-]*$")] | None = Field(
        None,
        description=(
            'where images go: with `ecr` the repository\'s name, such as `"team/music"`; with `registry` its full '
            'name, such as `"docker.io/team/music"`'
        ),
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
        None,
        description=(
            "the compose file, by default what Compose itself looks for: `compose.yaml` first, `docker-compose.yml` "
            "last; default: the first that exists"
        ),
    )
    service: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")] | None = Field(
        None, description="the service of the compose file that answers nginx; default: required with `compose`"
    )
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None,
        description="the port that the service listens on inside its container; default: required with `compose`",
    )
    beside: tuple[str, ...] = Field(
        (), description="more services that belong to each release and run the same image, such as a worker"
    )
    stateful: tuple[str, ...] | None = Field(
        None,
        description=(
            "the services that outlive releases; default: known databases, and what has a volume and is not built here"
        ),
    )
    image: Image = Field(default_factory=Image, description="how the image is built and delivered")
    framework: Literal["django", "asgi"] = Field(
        "asgi", description="`django` adds migrations and collected static files"
    )
    app: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?$")] | None = Field(
        None, description="the ASGI application for uvicorn, such as `config.asgi:application`"
    )
    command: ServerCommand | None = Field(
        None,
        description=(
            "another start command. `{socket}` in it becomes the path of the unix socket to listen on; the first word "
            "`python` is the server's Python with your dependencies. Start programs as modules "
            '(`["python", "-m", "gunicorn", ...]`): console scripts are not shipped'
        ),
    )
    requirements: Folder | None = Field(
        None,
        description=(
            "`uv.lock`, `requirements.txt` or `pyproject.toml`, in this order, relative to `path`. Everything in it "
            "must exist as a wheel; editable installs, local paths and repositories are refused; "
            "default: the first that exists"
        ),
    )
    python: Annotated[str, StringConstraints(pattern=r"^3\.\d+$")] | None = Field(
        None, description="the Python on the server, such as `3.11`; default: the server is asked"
    )
    prefixes: tuple[Prefix, ...] = Field(("/api/",), description="the paths that nginx passes on to the backend")
    health: UrlPath = Field("/api/health", description="a path that answers 200 when the backend works")
    health_timeout: Seconds = Field(
        30, description="seconds within which a new copy must be healthy; otherwise the old one keeps serving"
    )
    migrate: tuple[str, ...] | None = Field(
        None,
        description=(
            "the command that migrates the database, `[]` for none. Django's is "
            '`["python", "manage.py", "migrate", "--noinput"]`; default: Django\'s, otherwise none'
        ),
    )
    migrate_timeout: Seconds = Field(600, description="seconds after which a migration is stopped and the ship fails")
    static: StaticFiles | None = Field(None, description="collected static files; on by default for Django")
    required_env: tuple[VariableName, ...] = Field(
        (), description="variables without which nothing is shipped. An empty value counts as missing"
    )
    memory: Size = Field("384M", description="the memory limit of one running copy. Two run for a moment during a ship")
    drain: Annotated[int, Field(ge=2, le=600)] = Field(
        2,
        description=(
            "seconds between the switch and the stop of the old copy, in which it answers what is in flight. "
            "A rollback stops it as soon as nobody is connected to it any more"
        ),
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
            runs_on_server(self.migrate)
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
