"""What endpoints stand on beside SageMaker's own resources, made directly: execution roles and security groups."""

from __future__ import annotations

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroup
from moto.iam.models import iam_backends

_TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)


def make_role(arn: str) -> None:
    """Makes the execution role of this ARN, if there is none yet."""
    _, partition, _, _, account, resource = arn.split(":", 5)
    _, *folders, name = resource.split("/")
    backend = iam_backends[account][partition]
    if arn not in {role.arn for role in backend.roles.values()}:
        backend.create_role(name, _TRUST, "".join(f"/{folder}" for folder in folders) + "/", "", "", [], "3600")


def make_security_group(account: str, region: str, id: str, vpc: str) -> None:
    """Makes the security group of this id."""
    backend = ec2_backends[account][region]
    group = SecurityGroup(backend, id, id, "Containers of models", vpc_id=vpc)  # type: ignore[abstract]  # as in moto
    backend.groups[vpc][id] = group
