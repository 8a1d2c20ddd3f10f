"""Building the image: with buildx and the engine's own builder, secrets that stay out of it, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Exec
from corner import Corner
from gig import edited

from shipper.archive import tar_of
from shipper.engine import connect

pytestmark = pytest.mark.xdist_group("image build")

BUILDERS = {"buildx": {}, "the engine's own": {"DOCKER_BUILDKIT": "0"}}
DOCKERFILE = "api/Dockerfile"
COPY = "COPY main.py migrate.py ./\n"
STAGES = """FROM ${BASE} AS tools
ARG MOOD=none
RUN echo ${MOOD} > /mood

FROM ${BASE} AS wanted
COPY --from=tools /mood /mood
WORKDIR /usr
WORKDIR /tmp
WORKDIR /app
COPY main.py migrate.py ./
CMD ["python3", "-u", "main.py"]

FROM wanted AS unwanted
RUN exit 9
"""


def told(output: str) -> str:
    return " ".join(output.split())


def image_of(output: str) -> str:
    """Return the short id of the image that was built: its tag may be another test's in the next moment."""
    short = re.search(r"ok   build\.image +[0-9.]+ s  ([0-9a-f]{12})", output)
    assert short, output
    return short[1]


def layers_of(output: str) -> list[str]:
    """Return the DiffIDs of the image that was built."""
    with connect() as client:
        return list(client.images.get(image_of(output)).attrs["RootFS"]["Layers"])


@pytest.mark.parametrize("builder", BUILDERS)
def test_both_builders_know_stages_and_arguments_and_name_the_step_that_failed(serving: Corner, builder: str) -> None:
    environment = BUILDERS[builder]
    from_line = (serving.root / DOCKERFILE).read_text().partition("FROM")[2]
    with (
        edited(serving, DOCKERFILE, f"FROM{from_line}", STAGES),
        edited(serving, "ship.toml", "args = {", 'stage = "wanted"\nargs = { MOOD = "good", '),
    ):
        built = serving.shipper("build", **environment)
        assert built.code == 0, built.output
        with connect() as client:
            mood = client.containers.run(image_of(built.output), ["cat", "/mood"], remove=True)
        assert mood == b"good\n"
        # Unchanged, it is the same image, layer by layer.
        assert layers_of(serving.shipper("build", **environment).output) == layers_of(built.output)
        with edited(serving, "ship.toml", 'stage = "wanted"', 'stage = "unwanted"'):
            failed = serving.ship() if not environment else serving.shipper("ship", "--yes", **environment)
            assert failed.code == 1, failed.output
            assert re.search(r"The image could not be built: .*RUN exit 9", told(failed.output)), failed.output
            assert "code: 9" in told(failed.output)


# Between the end of a build and the first look at it, somebody else builds another clone of the project.
NEIGHBOUR = """#!/bin/sh
{docker} "$@" || exit
case "$*" in "buildx build "*) {docker} tag gig-database:1 gig:amd64 ;; esac
"""


def test_an_image_that_another_clone_makes_at_the_same_time_is_not_taken_for_this_one(
    serving: Corner, tmp_path: Path
) -> None:
    alone = layers_of(serving.shipper("build").output)
    neighbour = tmp_path / "docker"
    neighbour.write_text(NEIGHBOUR.format(docker=shutil.which("docker")))
    neighbour.chmod(0o755)
    crowded = serving.shipper("build", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert layers_of(crowded.output) == alone


TOKEN = f"token-{secrets.token_hex(12)}"
MOUNT = "RUN --mount=type=secret,id=PIP_TOKEN sha256sum /run/secrets/PIP_TOKEN | cut -c 1-8 > /seen\n"


def test_a_secret_of_the_build_is_in_no_layer_no_history_and_no_output(serving: Corner) -> None:
    with (
        edited(serving, DOCKERFILE, COPY, MOUNT + COPY),
        edited(serving, "ship.toml", "args = {", 'secrets = ["PIP_TOKEN"]\nargs = {'),
    ):
        for environment, wanted in (
            ({}, "export PIP_TOKEN=..."),
            ({"PIP_TOKEN": TOKEN, "DOCKER_BUILDKIT": "0"}, "need buildx"),
        ):
            refused = serving.shipper("build", **environment)
            assert refused.code == 2, refused.output
            assert wanted in told(refused.output)
            assert TOKEN not in refused.output
        built = serving.shipper("build", PIP_TOKEN=TOKEN)
        assert built.code == 0, built.output
    assert TOKEN not in built.output
    with connect() as client:
        assert len(client.containers.run(image_of(built.output), ["cat", "/seen"], remove=True)) == 9, "the step had it"
        image = client.images.get(image_of(built.output))
        assert TOKEN not in json.dumps([image.attrs, image.history()])
        saved = b"".join(image.save())
    assert TOKEN.encode() not in saved
    for file in (serving.root / ".shipper").rglob("*"):
        assert file.is_dir() or TOKEN.encode() not in file.read_bytes()


PRIVATE = f"""RUN echo TOKEN=marker-in-a-layer > /app/.env.production
RUN mkdir /app/keys && echo '-----BEGIN {"PRIVATE"} KEY-----' > /app/keys/server.pem
RUN echo '-----BEGIN CERTIFICATE-----' > /app/keys/ca.pem
RUN rm /app/.env.production
{COPY}"""


@pytest.mark.parametrize("builder", BUILDERS)
def test_what_must_not_be_in_an_image_is_found_in_its_layers_and_nothing_is_sent(
    serving: Corner, sandbox_exec: Exec, builder: str
) -> None:
    before = sandbox_exec(["docker", "images", "--no-trunc", "--quiet"])[1]
    with edited(serving, DOCKERFILE, COPY, PRIVATE):
        for command, looked in ((("ship", "--yes"), True), (("plan",), False)):
            ended = serving.shipper(*command, **BUILDERS[builder])
            assert ended.code == 3, ended.output
            text = told(ended.output)
            assert "/app/.env.production is in the image: it is an env file" in text
            assert "The step that put it there: RUN echo TOKEN=... > /app/.env.production" in text
            assert "marker" not in text
            assert "/app/keys/server.pem is in the image" in text
            assert "2 findings" in text, "a certificate is for everybody"
            assert ("Looked through" in text) == looked, "what was found in a layer is remembered"
    assert sandbox_exec(["docker", "images", "--no-trunc", "--quiet"])[1] == before
    assert "gig" not in sandbox_exec(["find", "/srv/gig/store", "-size", "+1M"])[1]


def test_a_secret_in_what_is_sent_to_the_builder_is_refused(serving: Corner) -> None:
    (serving.root / "api/.env").write_text("TOKEN=marker-in-the-image\n", encoding="utf-8")
    try:
        refused = serving.ship()
        assert refused.code == 3, refused.output
        assert "api/.env" in refused.output
        assert "api/.dockerignore" in refused.output
        assert "marker-in-the-image" not in refused.output
        (serving.root / "api/.dockerignore").write_text(".env\n", encoding="utf-8")
        serving.shipped()
    finally:
        (serving.root / "api/.env").unlink()
        (serving.root / "api/.dockerignore").unlink(missing_ok=True)


def test_a_proposal_for_an_ignore_file_is_in_the_plan(serving: Corner) -> None:
    (serving.root / "api/venv").mkdir()
    (serving.root / "api/venv/python").write_text("")
    with edited(serving, "api/main.py", 'VERSION = "one"', 'VERSION = "planned"'):
        plan = serving.shipper("plan")
    assert plan.code == 0, plan.output
    assert "api has no .dockerignore" in plan.output
    proposed = plan.output.partition("Write api/.dockerignore:")[2].split()
    assert {".git", ".env", "venv", "__pycache__"} <= set(proposed)
    (serving.root / "api/.dockerignore").write_text("venv\n", encoding="utf-8")
    assert "has no .dockerignore" not in serving.shipper("plan").output
    (serving.root / "api/.dockerignore").unlink()


@pytest.fixture
def foreign_base() -> Iterator[str]:
    """An image for another kind of processor, with nothing but a file in it."""
    name = f"shipper-test/arm:{secrets.token_hex(4)}"
    layer = tar_of({"file": b"arm"}).getvalue()
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    configuration = json.dumps({"architecture": "arm64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    manifest = [{"Config": "configuration.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {"layer.tar": layer, "configuration.json": configuration, "manifest.json": json.dumps(manifest).encode()}
    with connect() as client:
        client.images.load(tar_of(files))
        yield name
        client.images.remove(name)


def test_an_image_for_another_platform_is_refused(serving: Corner, foreign_base: str) -> None:
    live = serving.live()
    with edited(serving, "ship.toml", "shipper-test/python:3", foreign_base):
        # The base is not what the Dockerfile's reader would think.
        ended = serving.shipper("ship", "--yes", DOCKER_BUILDKIT="0")
        assert ended.code == 1, ended.output
        assert "The image is for linux/arm64, but the server is linux/amd64." in told(ended.output)
        # buildx would write the server's platform on it.
        with edited(serving, DOCKERFILE, "FROM ${BASE}", "FROM --platform=linux/arm64/v8 ${BASE} AS one\nFROM one"):
            ended = serving.ship()
        assert ended.code == 1, ended.output
        assert "The image is for linux/arm64, but the server is linux/amd64." in told(ended.output)
        assert "Dockerfile, line 2, says so" in told(ended.output)
    assert serving.live() == live


def test_an_engine_that_is_away_here_or_there_is_told_with_the_way_to_start_it(
    serving: Corner, sandbox_exec: Exec, tmp_path: Path
) -> None:
    serving.add_far_target(serving.sandbox.ssh_port)
    for builder in BUILDERS.values():
        nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock", **builder}
        ended = serving.shipper("ship", "--yes", "--to", "far", **nowhere)
        assert ended.code == 4, ended.output
        assert "The Docker engine is not running." in ended.output
        assert "sudo systemctl start docker" in ended.output
    sandbox_exec(["systemctl", "stop", "docker.socket", "docker"])
    sandbox_exec(["systemctl", "mask", "--runtime", "docker.socket", "docker"])
    try:
        ended = serving.shipper("ship", "--yes", "--to", "far")
    finally:
        sandbox_exec(["systemctl", "unmask", "--runtime", "docker.socket", "docker"])
        sandbox_exec(["systemctl", "start", "docker.socket", "docker"])
    assert ended.code == 4, ended.output
    assert re.search(r"On the server: sudo (?:systemctl|apt-get)", ended.output), ended.output
