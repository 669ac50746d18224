"""The same account in another partition of AWS: ARNs, names of regions and zones, and hosts of registries rewritten."""

import re
from dataclasses import replace
from typing import Any

from chalicelib.tables import read_facts
from tests.accounts.door import State

#: A region of each partition, how the ids of its zones begin, and what the names of its hosts end in (botocore's
#: ``partitions.json``; zone ids from the pages on Availability Zones of each partition).
PARTITIONS = {
    "aws-cn": ("cn-north-1", "cnn1", "amazonaws.com.cn"),
    "aws-us-gov": ("us-gov-west-1", "usgw1", "amazonaws.com"),
    "aws-eusc": ("eusc-de-east-1", "euscde1", "amazonaws.eu"),
    "aws-iso-e": ("eu-isoe-west-1", "euiw1", "cloud.adc-e.uk"),
}
_HOME, _HOST = "eu-west-1", re.compile(r"(\d{12})\.dkr\.ecr\.eu-west-1\.amazonaws\.com/(.*)")


def in_partition(state: State, partition: str) -> State:
    """The account as it would stand in a region of another partition."""
    region, zone, suffix = PARTITIONS[partition]

    def text(value: str) -> str:
        if (image := _HOST.fullmatch(value)) is not None:
            return f"{registry(image[1], region)}.dkr.ecr.{region}.{suffix}/{image[2]}"
        return value.replace("arn:aws:", f"arn:{partition}:").replace(_HOME, region).replace("euw1-", f"{zone}-")

    def rewritten(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, dict):
            return {key: rewritten(inner) for key, inner in value.items()}
        return [rewritten(inner) for inner in value] if isinstance(value, list) else value

    return replace(
        state.mapped(lambda record: dict(rewritten(record))),
        tags={text(arn): tags for arn, tags in state.tags.items()},
    )


def registry(account: str, region: str) -> str:
    """The account that publishes in ``region`` what this one publishes at home; itself where that is nobody of AWS's,
    or publishes nothing there."""
    facts = read_facts("registries.yaml")
    for accounts in (*facts["groups"].values(), facts["deep_learning_containers"]):
        if accounts.get(_HOME) == account:
            return str(accounts.get(region, account))
    return account


def publishes(account: str, region: str) -> bool:
    """Whether what this account publishes at home is published in ``region`` too."""
    return registry(account, region) != account
