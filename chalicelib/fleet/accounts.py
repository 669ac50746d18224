"""Other accounts and regions: which there are, sessions in them, and the report of one that could not be audited."""

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import AccessFailed
from chalicelib.scope import partition_of

SESSION_NAME = "sagemaker-auditor"
#: What STS says of a role that is not there, does not trust the caller, or lies in a region that is switched off.
REFUSED = ("AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "RegionDisabledException")
#: What AWS says in a region that the account has not enabled.
NOT_ENABLED = ("InvalidClientTokenId", "UnrecognizedClientException", "RegionDisabledException", "OptInRequired")


class NotAllowed(Exception):
    """An account that does not let the auditor in: trying again would not help. ``operation`` is the call refused."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(reason)
        self.operation = operation


def accounts_of_organization(session: boto3.Session) -> list[str]:
    """The ids of the active accounts. Raises AccessFailed when the organization cannot be read."""
    try:
        pages = session.client("organizations", region_name="us-east-1").get_paginator("list_accounts")
        listed = [one for page in pages.paginate() for one in page["Accounts"]]
    except (ClientError, BotoCoreError) as error:
        raise AccessFailed(
            f"the accounts of the organization cannot be listed: {error}; needed is organizations:ListAccounts in "
            "the management account or a delegated administrator, or the accounts as a list"
        ) from error
    return [one["Id"] for one in listed if one.get("Status") == "ACTIVE"]


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
    )


def enabled_regions(session: boto3.Session, region: str) -> list[str]:
    """The regions that the account has enabled, asked in ``region``. Raises NotAllowed when it may not be asked."""
    try:
        listed = session.client("ec2", region_name=region).describe_regions()["Regions"]
    except (ClientError, BotoCoreError) as error:
        raise NotAllowed("ec2:DescribeRegions", str(error)) from error
    return [one["RegionName"] for one in listed]


def answers_in(session: boto3.Session, region: str) -> bool:
    """False in a region that the account has not enabled. The call needs no permission."""
    try:
        session.client("sts", region_name=region).get_caller_identity()
    except ClientError as error:
        return error.response["Error"]["Code"] not in NOT_ENABLED
    except BotoCoreError:
        return False
    return True
