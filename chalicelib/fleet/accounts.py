"""Accounts and regions: whose credentials are in use and where, which others there are, and sessions in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as AwsConnectionError
from msgspec import Struct

from chalicelib.errors import AccessFailed, InvalidInput
from chalicelib.inventory.service_models import core_session
from chalicelib.policy.policy import Policy, unknown_rule
from chalicelib.scope import ResourceRef, Scope, partition_of

SESSION_NAME = "sagemaker-auditor"
#: For what no audit waits long, also where the network leads nowhere: two tries of five seconds to connect.
_QUICK = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
#: Pages of the tags of an account, which has fifty at most.
_TAG_PAGES = 5
#: What STS says of a role that is not there, does not trust the caller, or lies in a region that is switched off.
REFUSED = ("AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "RegionDisabledException")
#: What AWS says in a region that the account has not enabled.
NOT_ENABLED = ("InvalidClientTokenId", "UnrecognizedClientException", "RegionDisabledException", "OptInRequired")


class Identity(Struct, frozen=True):
    """Whose credentials are in use."""

    account: str
    partition: str
    arn: str


@dataclass
class Caller:
    """Who the process is to AWS, and where: asked once and kept. ``function`` is the ARN under which Lambda runs it,
    which tells account and region without a call and without botocore's lists; empty elsewhere."""

    session: boto3.Session
    function: str = ""

    @property
    def account(self) -> str:
        """The account of the process."""
        return self._of_function(4) or self.identity.account

    @cached_property
    def region(self) -> str:
        """The region of the process. Raises InvalidInput when nothing names one, or it does not exist."""
        region = self.session.region_name
        if not region:
            raise InvalidInput(
                "no AWS region is set; accepted are --region, AWS_DEFAULT_REGION or a profile that names a region",
                field="region",
            )
        return region if region == self._of_function(3) else self.known_region(region)

    def _of_function(self, place: int) -> str:
        parts = self.function.split(":")
        return parts[place] if len(parts) > place else ""

    def known_region(self, region: str) -> str:
        """The region, if SageMaker is there. Raises InvalidInput that lists the regions which would be accepted."""
        partitions = self.session.get_available_partitions()
        known = {
            available for name in partitions for available in self.session.get_available_regions("sagemaker", name)
        }
        if region not in known:
            raise InvalidInput(f"unknown region {region!r}; accepted are {', '.join(sorted(known))}", field="region")
        return region

    @cached_property
    def identity(self) -> Identity:
        """The account of the credentials. Raises AccessFailed when there are none, or AWS refuses them or is away."""
        try:
            answer = self.session.client("sts", region_name=self.region, config=_QUICK).get_caller_identity()
        except (NoCredentialsError, PartialCredentialsError):
            raise AccessFailed(
                "no AWS credentials were found; accepted are --profile, AWS_PROFILE, AWS_ACCESS_KEY_ID with "
                "AWS_SECRET_ACCESS_KEY, or the role of the machine"
            ) from None
        except (AwsConnectionError, HTTPClientError) as error:
            raise AccessFailed(f"AWS cannot be reached: {error}; check the network and AWS_ENDPOINT_URL") from None
        except ClientError as error:
            details = error.response.get("Error", {})
            raise AccessFailed(
                f"AWS refused the credentials ({details.get('Code')}: {details.get('Message')}); "
                "accepted are credentials that sts get-caller-identity takes"
            ) from None
        except (BotoCoreError, ValueError) as error:  # ValueError: AWS_ENDPOINT_URL is no address
            raise AccessFailed(f"the AWS configuration cannot be used: {error}") from None
        return Identity(account=answer["Account"], partition=answer["Arn"].split(":")[1], arn=answer["Arn"])

    def scope(
        self, policy: Policy, region: str | None, resources: Sequence[ResourceRef], rules: Sequence[str]
    ) -> Scope:
        """A scope in the account of the credentials. Raises InvalidInput for a rule that the policy does not know."""
        for id in rules:
            if id not in policy.rules:
                raise InvalidInput(unknown_rule(id, policy.rules), field="rules")
        where = self.region if region is None else self.known_region(region)
        return Scope(
            account=self.identity.account,
            region=where,
            partition=self.identity.partition,
            resources=tuple(resources),
            rules=frozenset(rules),
        )


class NotAllowed(Exception):
    """An account that does not let the auditor in: trying again would not help. ``operation`` is the call refused."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(reason)
        self.operation = operation


def accounts_of_organization(session: boto3.Session) -> list[str]:
    """The ids of the active accounts. Raises AccessFailed when the organization cannot be read."""
    try:
        pages = session.client("organizations", region_name="us-east-1").get_paginator("list_accounts")
        accounts = [account for page in pages.paginate() for account in page["Accounts"]]
    except (ClientError, BotoCoreError) as error:
        raise AccessFailed(
            f"the accounts of the organization cannot be listed: {error}; needed is organizations:ListAccounts in "
            "the management account or a delegated administrator, or the accounts as a list"
        ) from error
    return [account["Id"] for account in accounts if account.get("Status") == "ACTIVE"]


def tags_of_account(session: boto3.Session, account: str) -> dict[str, str]:
    """The tags that Organizations holds of an account. Raises AccessFailed when they cannot be read."""
    try:
        client = session.client("organizations", region_name="us-east-1", config=_QUICK)
        pages = islice(client.get_paginator("list_tags_for_resource").paginate(ResourceId=account), _TAG_PAGES)
        return {str(tag["Key"]): str(tag["Value"]) for page in pages for tag in page["Tags"]}
    except (ClientError, BotoCoreError, KeyError, TypeError, ValueError) as error:  # also what is no such answer
        raise AccessFailed(
            f"the tags of the account {account} cannot be read: {error}; needed is organizations:ListTagsForResource "
            "in the management account or a delegated administrator"
        ) from error


def role_arn(account: str, name: str, region: str) -> str:
    """The ARN of a role by its name (a path may stand before it)."""
    return f"arn:{partition_of(region)}:iam::{account}:role/{name}"


def assumed(session: boto3.Session, role: str, region: str, external_id: str | None = None) -> boto3.Session:
    """A session with the rights of the role with this ARN, for an hour.

    Raises NotAllowed when it cannot be assumed; what may pass by itself (throttling, a network) is raised as it is.
    """
    external: dict[str, Any] = {"ExternalId": external_id} if external_id else {}
    sts = session.client("sts", region_name=region)
    try:
        granted = sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME, **external)["Credentials"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in REFUSED:
            raise NotAllowed("sts:AssumeRole", f"the role {role} cannot be assumed ({code})") from error
        raise
    return type(session)(
        aws_access_key_id=granted["AccessKeyId"],
        aws_secret_access_key=granted["SecretAccessKey"],
        aws_session_token=granted["SessionToken"],
        region_name=region,
        botocore_session=core_session(),
    )


def enabled_regions(session: boto3.Session, region: str) -> list[str]:
    """The regions that the account has enabled, asked in ``region``. Raises NotAllowed when it may not be asked."""
    try:
        regions = session.client("ec2", region_name=region).describe_regions()["Regions"]
    except (ClientError, BotoCoreError) as error:
        raise NotAllowed("ec2:DescribeRegions", str(error)) from error
    return [record["RegionName"] for record in regions]


def answers_in(session: boto3.Session, region: str) -> bool:
    """False in a region that the account has not enabled. The call needs no permission."""
    try:
        session.client("sts", region_name=region).get_caller_identity()
    except ClientError as error:
        return error.response["Error"]["Code"] not in NOT_ENABLED
    except BotoCoreError:
        return False
    return True
