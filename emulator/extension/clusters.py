"""HyperPod clusters: named by name or ARN, which ends in an id of its own."""

from __future__ import annotations

from typing import Any

from emulator.extension.records import CLUSTER, add, find, remove
from emulator.extension.registry import operation

Request = dict[str, Any]
_CHANGEABLE = frozenset({"InstanceGroups", "NodeRecovery", "NodeProvisioningMode", "ClusterRole", "AutoScaling"})


def _groups(asked: list[Request]) -> list[Request]:
    """Instance groups as the description shows them, at the size that was asked for."""
    return [
        {
            **{member: value for member, value in group.items() if member != "InstanceCount"},
            "CurrentCount": group["InstanceCount"],
            "TargetCount": group["InstanceCount"],
            "Status": "InService",
        }
        for group in asked
    ]


@operation("sagemaker", "CreateCluster")
def create_cluster(backend: Any, request: Request) -> Request:
    groups = _groups(request.get("InstanceGroups", []))
    recovery = request.get("NodeRecovery", "Automatic")
    record = add(backend, CLUSTER, request, ClusterStatus="InService", InstanceGroups=groups, NodeRecovery=recovery)
    return {"ClusterArn": record.arn}


@operation("sagemaker", "DescribeCluster")
def describe_cluster(backend: Any, request: Request) -> Request:
    return find(backend, CLUSTER, request["ClusterName"]).described()


@operation("sagemaker", "UpdateCluster")
def update_cluster(backend: Any, request: Request) -> Request:
    record = find(backend, CLUSTER, request["ClusterName"])
    changed = {member: value for member, value in request.items() if member in _CHANGEABLE}
    if "InstanceGroups" in changed:
        changed["InstanceGroups"] = _groups(changed["InstanceGroups"])
    record.fields.update(changed)
    return {"ClusterArn": record.arn}


@operation("sagemaker", "DeleteCluster")
def delete_cluster(backend: Any, request: Request) -> Request:
    record = find(backend, CLUSTER, request["ClusterName"])
    remove(backend, CLUSTER, record.name)
    return {"ClusterArn": record.arn}
