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
        before = {group["InstanceGroupName"]: group for group in record.fields["InstanceGroups"]}
        after = {group["InstanceGroupName"]: group for group in _groups(changed["InstanceGroups"])}
        changed["InstanceGroups"] = [{**before.get(name, {}), **after.get(name, {})} for name in {**before, **after}]
    record.fields.update(changed)
    return {"ClusterArn": record.arn}


@operation("sagemaker", "UpdateClusterSoftware")
def update_cluster_software(backend: Any, request: Request) -> Request:
    record = find(backend, CLUSTER, request["ClusterName"])
    named = [group["InstanceGroupName"] for group in request.get("InstanceGroups", ())]
    for group in record.fields["InstanceGroups"]:
        if not named or group["InstanceGroupName"] in named:
            group["ImageVersionStatus"] = "UpToDate"
    return {"ClusterArn": record.arn}


@operation("sagemaker", "ListClusterNodes")
def list_cluster_nodes(backend: Any, request: Request) -> Request:
    record = find(backend, CLUSTER, request["ClusterName"])
    nodes = [
        {
            "InstanceGroupName": group["InstanceGroupName"],
            "InstanceId": f"i-{index:017x}",
            "InstanceType": group["InstanceType"],
            "LaunchTime": record.fields["CreationTime"],
            "InstanceStatus": {"Status": "Running"},
        }
        for group in record.fields["InstanceGroups"]
        for index in range(group["CurrentCount"])
    ]
    return {"ClusterNodeSummaries": nodes}


@operation("sagemaker", "DeleteCluster")
def delete_cluster(backend: Any, request: Request) -> Request:
    record = find(backend, CLUSTER, request["ClusterName"])
    remove(backend, CLUSTER, record.name)
    return {"ClusterArn": record.arn}
