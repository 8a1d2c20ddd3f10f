"""Images through a registry: ECR's interface by moto, a real registry with TLS and tokens behind it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from amazon import ACCOUNT, HOST, REGION, Amazon, amazon_registry
from conftest import Exec
from corner import Corner
from gig import make_gig

from shipper.config.backend import Image
from shipper.deliver import distribution, registry
from shipper.deliver.amazon import find_ecr_repository
from shipper.deliver.repository import Repository
from shipper.engine import connect
from shipper.errors import BuildError
from shipper.events import discard
from shipper.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("amazon")

IMAGE = "[backend.image]\n"
ECR = f'{IMAGE}delivery = "ecr"\nrepository = "team/gig"\nexpected_account = "{ACCOUNT}"\n'


@pytest.fixture(scope="module")
def amazon(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amazon]:
    with (
        pytest.MonkeyPatch.context() as patch,
        amazon_registry(tmp_path_factory.mktemp("amazon"), sandbox.name, patch) as made,
    ):
        yield made


@pytest.fixture
def gig(amazon: Amazon, clean_server: Sandbox, tmp_path: Path) -> Corner:
    app = make_gig(tmp_path / "gig", clean_server)
    app.edit("ship.toml", IMAGE, ECR)
    ended = app.shipper("env.push")
    assert ended.code == 0, ended.output
    return app


def stir(gig: Corner) -> None:
    """Give the image a layer of two megabytes that nobody has seen."""
    (gig.root / "api/noise").write_bytes(os.urandom(2_000_000))
    gig.edit("api/Dockerfile", "COPY main.py migrate.py ./", "COPY main.py migrate.py noise ./")


def test_an_image_goes_through_ecr_and_no_login_stays_anywhere(gig: Corner, amazon: Amazon, sandbox_exec: Exec) -> None:
    refused = gig.ship()
    assert refused.code == 2, refused.output
    assert f"There is no ECR repository 'team/gig' in {REGION}" in refused.output
    assert "inv aws.ecr.create" in refused.output
    made = gig.shipper("aws.ecr.create", "--yes")
    assert made.code == 0 and f"{HOST}/team/gig is made" in made.output.replace("\n", " "), made.output
    again = gig.shipper("aws.ecr.create", "--yes")
    assert again.code == 0 and "is there already" in again.output, again.output
    ecr = boto3.client("ecr")
    [repository] = ecr.describe_repositories(repositoryNames=["team/gig"])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert "expire" in ecr.get_lifecycle_policy(repositoryName="team/gig")["lifecyclePolicyText"]

    ended = gig.ship()
    assert ended.code == 0, ended.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "one"
    release = gig.live()
    tags = amazon.folder / "images/docker/registry/v2/repositories/team/gig/_manifests/tags"
    assert [tag.name for tag in tags.iterdir()] == [release], "the tag is the release's id, and there is no other"
    for token in amazon.tokens:
        assert token not in ended.output
        found = sandbox_exec(["grep", "-rlF", token, "/root", "/srv", "/etc", "/var/lib/docker/image"])[1]
        assert found == "", "the server keeps no login"
    names = sandbox_exec(["docker", "images", "--format", "{{.Repository}}"])[1].split()
    assert HOST not in " ".join(names)

    gig.edit("api/main.py", 'VERSION = "one"', 'VERSION = "two"')
    ended = gig.ship()
    assert ended.code == 0, ended.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "two"
    assert "Nothing to do" in gig.ship().output
    back = gig.shipper("rollback", "--yes")
    assert back.code == 0, back.output
    assert gig.live() == release


def test_what_must_not_be_in_an_image_is_found_before_it_is_pushed(gig: Corner, amazon: Amazon) -> None:
    gig.shipper("aws.ecr.create", "--yes")
    for word in ("one", "two"):
        gig.edit("api/Dockerfile", "CMD", f"RUN echo {word} > /app/.env\nCMD")
        ended = gig.ship()
        assert ended.code == 3, ended.output
        text = " ".join(ended.output.split())
        assert f"The step that put it there: RUN echo {word} > /app/.env" in text
        assert "Looked through" in text
        assert "Image to" not in text
    assert "Looked through" not in gig.ship().output


def test_a_token_that_runs_out_during_the_push_is_replaced(gig: Corner, amazon: Amazon) -> None:
    gig.shipper("aws.ecr.create", "--yes")
    stir(gig)
    amazon.after, amazon.then = 300_000, amazon.expire
    ended = gig.ship()
    assert ended.code == 0, ended.output
    assert "a new one is used" in ended.output


def test_a_registry_that_dies_during_the_push_changes_nothing_and_the_next_ship_goes_on(
    gig: Corner, amazon: Amazon
) -> None:
    gig.shipper("aws.ecr.create", "--yes")
    live = gig.shipped()
    stir(gig)
    amazon.after, amazon.then = 300_000, amazon.kill
    ended = gig.ship()
    assert ended.code == 1, ended.output
    assert "could not be pushed to" in ended.output
    assert "the layers that arrived are not sent a second time" in ended.output
    assert gig.live() == live
    amazon.start()
    assert gig.shipped() != live


def test_credentials_of_another_account_touch_nothing(gig: Corner) -> None:
    gig.edit("ship.toml", ACCOUNT, "999999999999")
    for words in (("ship", "--yes"), ("aws.ecr.create", "--yes")):
        ended = gig.shipper(*words)
        assert ended.code == 2, ended.output
        assert f"belong to the account {ACCOUNT}, not to 999999999999" in ended.output


def test_without_credentials_it_says_how_to_get_some(gig: Corner, tmp_path: Path) -> None:
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": str(tmp_path / "none")}
    ended = gig.shipper("ship", "--yes", **nothing, AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"))
    assert ended.code == 2, ended.output
    assert "There are no AWS credentials that can be used" in ended.output


def test_a_login_that_is_never_accepted_is_an_error_with_the_way_to_another(gig: Corner, amazon: Amazon) -> None:
    gig.shipper("aws.ecr.create", "--yes")
    repository = find_ecr_repository(Image(delivery="ecr", repository="team/gig"))
    with connect() as client:
        image = client.images.get("shipper-test/python:1").id
        digest = repository.push(client, image, "20260101T000000Z-abcdefg", discard)
        assert digest.startswith("sha256:")
        wrong = type(repository)(
            repository.name,
            lambda: {"username": "AWS", "password": "wrong", "serveraddress": HOST},
            "Look who you are: aws sts get-caller-identity",
        )
        with pytest.raises(BuildError) as refused:
            wrong.push(client, image, "20260101T000001Z-abcdefg", discard)
    assert "does not accept the login" in refused.value.what
    assert "get-caller-identity" in refused.value.fix


def test_a_tag_that_is_taken_and_cannot_be_overwritten_is_named(
    gig: Corner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"code": "TAG_INVALID", "message": "The image tag already exists and the repository is immutable."}

    def refuse(handler: Any, name: str, reference: str) -> None:
        """Answer as ECR does for a repository whose tags cannot be overwritten."""
        handler._drop_body()
        body = json.dumps({"errors": [told]}).encode()
        handler.send_response(400)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    monkeypatch.setattr(distribution._Handler, "_take_manifest", refuse)
    with registry.open_registry(tmp_path / "images") as own, connect() as client:
        login = {"username": own.user, "password": own.password}
        repository = Repository(f"{own.address}/team/gig", lambda: login, "")
        with pytest.raises(BuildError) as refused:
            repository.push(client, client.images.get("shipper-test/python:1").id, "20260101T000000Z-abcdefg", discard)
    assert "immutable" in refused.value.why
    assert "a new release has a new tag" in refused.value.fix


def test_any_other_registry_is_used_with_the_login_of_this_machine(gig: Corner, amazon: Amazon, tmp_path: Path) -> None:
    gig.edit("ship.toml", ECR, f'{IMAGE}delivery = "registry"\nrepository = "{HOST}/team/other"\n')
    logins = tmp_path / "docker"
    logins.mkdir()
    (logins / "config.json").write_text('{"auths": {}}', encoding="utf-8")
    ended = gig.shipper("ship", "--yes", DOCKER_CONFIG=str(logins))
    assert ended.code == 1, ended.output
    assert f"docker login {HOST}" in ended.output
    login = base64.b64encode(f"AWS:{amazon.mint()}".encode()).decode()
    (logins / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": login}}}), encoding="utf-8")
    ended = gig.shipper("ship", "--yes", DOCKER_CONFIG=str(logins))
    assert ended.code == 0, ended.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "one"
