"""Amazon's registry, ECR, through boto3: credentials come from where the SDK always looks (environment, profile, role).

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shipper.config.backend import Image
from shipper.deliver.repository import Login, Repository
from shipper.errors import ConfigError, HostError

# A release that is pruned on the servers is of no use here for longer than people look back.
_KEPT_IMAGES = 50
_UNTAGGED_DAYS = 7


def find_ecr_repository(image: Image) -> Repository:
    """Return the ECR repository that ship.toml names.

    Raises ConfigError when it is not there or belongs to another account than `expected_account`, and HostError when
    AWS cannot be asked.
    """
    name = image.repository or ""
    with _explained(image):
        client = _client("ecr", image)
        _check_account(image)
        try:
            found = client.describe_repositories(repositoryNames=[name])["repositories"][0]
        except client.exceptions.RepositoryNotFoundException:
            raise ConfigError(
                f"There is no ECR repository '{name}' in {client.meta.region_name}.",
                fix="Make it: inv aws.ecr.create",
            ) from None

    def login() -> Login:
        with _explained(image):
            return _login(client)

    return Repository(found["repositoryUri"], login, "Look who you are: aws sts get-caller-identity")


def create_ecr_repository(image: Image) -> tuple[str, bool]:
    """Make the repository that ship.toml names; return its address, and whether it was made now.

    Tags cannot be overwritten, images are looked through for known weaknesses when they arrive, and what is old goes:
    untagged images after a week, of the others the newest 50 stay. One that is there already is left as it is.
    Raises ConfigError and HostError.
    """
    name = image.repository or ""
    with _explained(image):
        client = _client("ecr", image)
        _check_account(image)
        try:
            made = client.create_repository(
                repositoryName=name,
                imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
            )
        except client.exceptions.RepositoryAlreadyExistsException:
            found = client.describe_repositories(repositoryNames=[name])["repositories"][0]
            return str(found["repositoryUri"]), False
        client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps(_lifecycle()))
        return str(made["repository"]["repositoryUri"]), True


def _lifecycle() -> dict[str, Any]:
    """Return the policy, as https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html has it."""
    untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
    tagged = {"tagStatus": "any", "countType": "imageCountMoreThan"}
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "untagged images go after a week",
                "selection": {**untagged, "countNumber": _UNTAGGED_DAYS},
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"the newest {_KEPT_IMAGES} images stay",
                "selection": {**tagged, "countNumber": _KEPT_IMAGES},
                "action": {"type": "expire"},
            },
        ]
    }


def _client(service: str, image: Image) -> Any:
    import boto3

    return boto3.session.Session().client(service, region_name=image.region)


def _check_account(image: Image) -> None:
    """Refuse to touch another account than the one that is meant: credentials of the wrong one are easily active."""
    if not image.expected_account:
        return
    identity = _client("sts", image).get_caller_identity()
    if identity["Account"] != image.expected_account:
        raise ConfigError(
            f"The AWS credentials belong to the account {identity['Account']}, not to {image.expected_account}.",
            why=f"They are those of {identity['Arn']}.",
            fix="Choose others, for example with AWS_PROFILE, or correct `expected_account` in [backend.image].",
        )


def _login(client: Any) -> Login:
    entry = client.get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(entry["authorizationToken"]).decode().partition(":")
    return {"username": user, "password": password, "serveraddress": entry["proxyEndpoint"]}


@contextmanager
def _explained(image: Image) -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        ProfileNotFound,
        TokenRetrievalError,
    )

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound, TokenRetrievalError) as error:
        raise ConfigError(
            "There are no AWS credentials that can be used.",
            why=str(error),
            fix="Log in (aws sso login, or aws configure), or set AWS_PROFILE; in CI, take the role by OIDC.",
        ) from error
    except NoRegionError as error:
        raise ConfigError(
            "No AWS region is chosen.", fix='Write it into ship.toml: [backend.image] region = "ap-northeast-2".'
        ) from error
    except ClientError as error:
        told = error.response.get("Error", {})
        raise ConfigError(
            f"AWS refuses {error.operation_name}: {told.get('Code', 'unknown')}.",
            why=str(told.get("Message", "")),
            fix="Look who you are: aws sts get-caller-identity   and give that identity the right for it.",
        ) from error
    except BotoCoreError as error:
        raise HostError(
            f"AWS could not be asked about the repository '{image.repository}'.",
            why=str(error),
            fix="Check the network and the region, then repeat.",
        ) from error
