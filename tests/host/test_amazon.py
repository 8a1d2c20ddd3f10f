"""Images through a registry: ECR's interface by moto, a real registry with TLS and tokens behind it."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import boto3
import pytest
from amazon import ACCOUNT, HOST, REGION, Amazon, amazon_registry
from cleaning import clean
from conftest import SANDBOX_NAME, Exec
from corner import Corner
from example_images import load
from gig import load_images, make_gig
from inside import run_inside

from shipper.engine import connect
from shipper.events import discard
from shipper.sandbox import server
from shipper.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("amazon")

IMAGE = "[backend.image]\n"
ECR = f'{IMAGE}delivery = "ecr"\nrepository = "team/gig"\nexpected_account = "{ACCOUNT}"\n'


@pytest.fixture(scope="module")
def second() -> Iterator[Sandbox]:
    """One more practice server, stopped afterwards: two of them take memory from the other tests."""
    made = server.up(f"{SANDBOX_NAME}-second", discard)
    yield made
    server.down(made.name)


@pytest.fixture(scope="module")
def amazon(sandbox: Sandbox, second: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amazon]:
    with (
        pytest.MonkeyPatch.context() as patch,
        amazon_registry(tmp_path_factory.mktemp("amazon"), [sandbox.name, second.name], patch) as made,
    ):
        yield made


@pytest.fixture
def gig(amazon: Amazon, clean_server: Sandbox, tmp_path: Path) -> Corner:
    load_images(clean_server)
    app = make_gig(tmp_path / "gig", clean_server)
    app.edit("ship.toml", IMAGE, ECR)
    ended = app.shipper("env.push")
    assert ended.code == 0, ended.output
    return app


def told(output: str) -> str:
    return " ".join(output.split())


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


def test_credentials_of_another_account_touch_nothing(gig: Corner, amazon: Amazon) -> None:
    gig.edit("ship.toml", ACCOUNT, "999999999999")
    before = list(amazon.requests)
    for words in (("ship", "--yes"), ("aws.ecr.create", "--yes")):
        ended = gig.shipper(*words)
        assert ended.code == 2, ended.output
        assert f"belong to the account {ACCOUNT}, not to 999999999999" in ended.output
    assert amazon.requests == before


def test_without_credentials_it_says_how_to_get_some(gig: Corner, tmp_path: Path) -> None:
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": str(tmp_path / "none")}
    ended = gig.shipper("ship", "--yes", **nothing, AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"))
    assert ended.code == 2, ended.output
    assert "There are no AWS credentials that can be used" in ended.output


def test_a_login_that_is_never_accepted_ends_the_ship_with_the_way_to_another(gig: Corner, amazon: Amazon) -> None:
    gig.shipper("aws.ecr.create", "--yes")
    stir(gig)
    amazon.expire()
    amazon.accepts, before = False, len(amazon.requests)
    try:
        ended = gig.ship()
    finally:
        amazon.accepts = True
    assert ended.code == 1, ended.output
    text = told(ended.output)
    assert f"{HOST}/team/gig does not accept the login" in text
    assert "Look who you are: aws sts get-caller-identity" in text
    assert "... lay" not in ended.output, "nothing was changed on the server"
    assert uploads(amazon.requests[before:]) == []
    for token in amazon.tokens:
        assert token not in ended.output


def test_a_tag_that_is_taken_ends_the_ship_and_the_next_one_pushes_no_layer_again(gig: Corner, amazon: Amazon) -> None:
    gig.shipper("aws.ecr.create", "--yes")
    stir(gig)
    amazon.taken = True
    try:
        ended = gig.shipper("ship", "--yes", "--verbose")
    finally:
        amazon.taken = False
    assert ended.code == 1, ended.output
    text = told(ended.output)
    assert f"The image could not be pushed to {HOST}/team/gig" in text
    assert "cannot be overwritten because the repository is immutable" in text
    assert "Ship again: a new release has a new tag" in text
    assert "... lay" not in ended.output, "nothing was changed on the server"
    layers = re.findall(r"layer ([0-9a-f]{12}): (Pushed|Layer already exists)", ended.output)
    assert "Pushed" in {how for _, how in layers}, "the user sees layer by layer what became of it"

    before = len(amazon.requests)
    again = gig.shipper("ship", "--yes", "--verbose")
    assert again.code == 0, again.output
    there = re.findall(r"layer ([0-9a-f]{12}): Layer already exists", again.output)
    assert sorted(there) == sorted(name for name, _ in layers)
    assert uploads(amazon.requests[before:]) == []


def test_any_other_registry_gets_it_once_by_the_login_of_this_machine_and_each_server_pulls_it_by_its_digest(
    gig: Corner, amazon: Amazon, second: Sandbox, tmp_path: Path
) -> None:
    gig.edit("ship.toml", ECR, f'{IMAGE}delivery = "registry"\nrepository = "{HOST}/team/other"\n')
    stir(gig)
    clean(second.name)
    with connect() as client:
        load(client, second.name, "gig-database:1")
    gig.add_target_of("pair", [gig.sandbox, second])
    assert gig.shipper("env.push").code == 0
    logins = tmp_path / "docker"
    logins.mkdir()
    (logins / "config.json").write_text('{"auths": {}}', encoding="utf-8")
    ended = gig.shipper("ship", "--yes", DOCKER_CONFIG=str(logins))
    assert ended.code == 1, ended.output
    assert f"docker login {HOST}" in ended.output

    login = base64.b64encode(f"AWS:{amazon.mint()}".encode()).decode()
    (logins / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": login}}}), encoding="utf-8")
    before = len(amazon.requests)
    ended = gig.shipper("ship", "--yes", DOCKER_CONFIG=str(logins))
    assert ended.code == 0, ended.output
    assert json.loads(gig.get("/api/health")[1])["version"] == "one"
    requests = amazon.requests[before:]
    digests = uploads(requests)
    assert digests and len(digests) == len(set(digests)), "every layer is pushed once"
    manifests = [request.split("/manifests/") for request in requests if "/manifests/" in request]
    assert [tag for [method, tag] in manifests if method.startswith("PUT")] == [gig.live()]
    pulled = [name for [method, name] in manifests if method.startswith("GET")]
    assert len(set(pulled)) == 1 and pulled[0].startswith("sha256:"), "no server asks for a tag"
    identities = [
        run_inside(name, ["docker", "image", "ls", "--no-trunc", "--format", "{{.ID}}", "gig"])[1]
        for name in (gig.sandbox.name, second.name)
    ]
    assert identities[0] == identities[1] and identities[0].startswith("sha256:")
    for digest in digests:
        assert sum(digest in request and request.startswith("GET") for request in requests) == 2, "one for each server"


def uploads(requests: list[str]) -> list[str]:
    """Return the digests of the contents that were sent to the registry, as often as they were."""
    found = (re.fullmatch(r"PUT /v2/.*/blobs/uploads/.*[?&]digest=(sha256[^&]*).*", request) for request in requests)
    return [unquote(match[1]) for match in found if match]
