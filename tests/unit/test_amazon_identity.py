"""Whose credentials reach ECR: those of the SDK's own chain, with the role of a profile; the wrong ones are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.config.backend import Image
from shipper.deliver.amazon import create_ecr_repository, find_ecr_repository
from shipper.errors import ConfigError

OTHER_ACCOUNT, REGION = "222222222222", "ap-northeast-2"
PROFILES = f"""
[profile base]
aws_access_key_id = testing
aws_secret_access_key = testing

[profile team]
source_profile = base
role_arn = arn:aws:iam::{OTHER_ACCOUNT}:role/deployer
role_session_name = kim
region = {REGION}
"""


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    """The address of a stand-in for AWS."""
    from moto.server import ThreadedMotoServer

    api = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    api.start()
    host, port = api.get_host_and_port()
    yield f"http://{host}:{port}"
    api.stop()


@pytest.fixture(autouse=True)
def profiles(amazon: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    (tmp_path / "config").write_text(PROFILES, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", amazon)


def image(account: str, region: str | None = None) -> Image:
    return Image(delivery="ecr", repository="team/of-a-role", expected_account=account, region=region)


def test_the_role_of_a_profile_is_taken_and_the_repository_is_that_of_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "team")
    address, made = create_ecr_repository(image(OTHER_ACCOUNT))
    assert (address, made) == (f"{OTHER_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/of-a-role", True)
    found = find_ecr_repository(image(OTHER_ACCOUNT))
    assert found.name == address
    login = found.login()
    assert login["username"] == "AWS" and login["serveraddress"].startswith("https://")
    # Without the role it is another account, which has no such repository.
    monkeypatch.setenv("AWS_PROFILE", "base")
    with pytest.raises(ConfigError, match="There is no ECR repository 'team/of-a-role'"):
        find_ecr_repository(Image(delivery="ecr", repository="team/of-a-role", region=REGION))


def test_who_the_wrong_credentials_belong_to_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "team")
    for use in (find_ecr_repository, create_ecr_repository):
        with pytest.raises(ConfigError) as refused:
            use(image("333333333333"))
        assert refused.value.what.endswith(f"belong to the account {OTHER_ACCOUNT}, not to 333333333333.")
        assert f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/deployer/kim" in refused.value.why
        assert "AWS_PROFILE" in refused.value.fix


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigError) as refused:
        find_ecr_repository(image(OTHER_ACCOUNT, REGION))
    assert "no AWS credentials that can be used" in refused.value.what
    assert "nobody" in refused.value.why
