"""Filters of jq for the commands of a fix: they turn what AWS answered into what it takes, with one change."""

import json
from collections.abc import Sequence

#: What the describe operations answer beside what the create operations take.
ONLY_ANSWERED = {
    "EndpointConfig": ("EndpointConfigArn", "CreationTime"),
    "Model": ("ModelArn", "CreationTime", "DeploymentRecommendation"),
}
POLICY = "del(.PolicyARN, .Alarms, .CreationTime)"
SCHEDULED_ACTION = "del(.ScheduledActionARN, .CreationTime)"
TARGET = "{ServiceNamespace, ResourceId, ScalableDimension, MinCapacity, MaxCapacity, SuspendedState}"

#: DescribeModel may answer the place of an archive twice; CreateModel takes it once.
_ONE_PLACE = (
    "(.PrimaryContainer, .Containers[]? | select(.ModelDataUrl and .ModelDataSource)) |= "
    '(if .ModelDataSource.S3DataSource.CompressionType == "Gzip" then del(.ModelDataSource) '
    "else del(.ModelDataUrl) end)"
)


def copied(kind: str, change: str) -> str:
    """A copy of an endpoint config (``EndpointConfig``) or model (``Model``), with ``change`` made to it.

    Its name is the old one with the time in it, within 63 characters; its tags are those of ``$tags``, the answer of
    ListTags, without the ones that only AWS may set.
    """
    dropped = ", ".join(f".{member}" for member in ONLY_ANSWERED[kind])
    name = f'.{kind}Name |= (sub("-[0-9]{{14}}$"; "")[:48] + (now | strftime("-%Y%m%d%H%M%S")))'
    tags = '.Tags = [$tags[0].Tags[] | select(.Key | startswith("aws:") | not)]'
    steps = (f"del({dropped})", name, tags, *((_ONE_PLACE,) if kind == "Model" else ()), change)
    return " | ".join(steps)


def variant(name: str, change: str) -> str:
    """Changes the production variant of that name; ``change`` sees the variant."""
    return f"(.ProductionVariants[] | select(.VariantName == {json.dumps(name)})) |= ({change})"


#: What UpdateCluster takes of an instance group, from what DescribeCluster answers.
_CLUSTER_GROUP = (
    "{InstanceGroupName, InstanceType, InstanceRequirements: (if .InstanceRequirements then "
    "{InstanceTypes: .InstanceRequirements.DesiredInstanceTypes} else null end), InstanceCount: .TargetCount, "
    "MinInstanceCount: .MinCount, LifeCycleConfig, ExecutionRole, ThreadsPerCore, InstanceStorageConfigs, "
    "OnStartDeepHealthChecks, TrainingPlanArn, OverrideVpcConfig, ScheduledUpdateConfig, SlurmConfig, NetworkInterface}"
)


def cluster_groups(names: Sequence[str], change: str) -> str:
    """What UpdateCluster takes: every instance group as it is, those of these names with ``change`` made to them."""
    chosen = f".InstanceGroupName | IN({', '.join(json.dumps(name) for name in names)})"
    group = f"{_CLUSTER_GROUP} | (if {chosen} then {change} else . end) | with_entries(select(.value != null))"
    return f"{{ClusterName, InstanceGroups: [.InstanceGroups[] | {group}]}}"


#: Puts the model ``$new`` in the place of the model ``$old``, wherever an endpoint config names it.
OTHER_MODEL = " | ".join(
    f"(.. | objects | select(.{member} == $old)).{member} = $new" for member in ("ModelName", "ModelNameOverride")
)


def at_least(minimum: int) -> str:
    """Raises the minimum of a scalable target; the maximum follows where it would lie below."""
    limits = ", ".join(f"{member}: ([.{member}, {minimum}] | max)" for member in ("MinCapacity", "MaxCapacity"))
    return f"{{ServiceNamespace, ResourceId, ScalableDimension, {limits}}}"


def scheduled_at_least(minimum: int) -> str:
    """Raises the minimum that a scheduled action sets; its maximum follows where it would lie below."""
    return (
        f".ScalableTargetAction |= (.MinCapacity |= ([., {minimum}] | max) | "
        f"if .MaxCapacity then .MaxCapacity |= ([., {minimum}] | max) else . end)"
    )


#: The specification of an inference component as its update takes it.
_SPECIFICATION = (
    "(if .ModelName then del(.Container) "
    "elif .Container then .Container |= (.Image = .DeployedImage.SpecifiedImage | del(.DeployedImage)) else . end)"
)


def specification(change: str) -> str:
    """What UpdateInferenceComponent takes, from what DescribeInferenceComponent answers, with ``change`` made to each
    specification."""
    changed = f"({_SPECIFICATION} | {change})"
    return (
        "{InferenceComponentName} + (if .Specifications then {Specifications: [.Specifications[] | "
        f"{changed}]}} else {{Specification: (.Specification | {changed})}} end)"
    )
