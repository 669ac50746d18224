"""HyperPod clusters."""

from collections.abc import Mapping
from typing import Any

from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence
from samples.builders import a_cluster, a_subnet, ago
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

RECOVERY = "cluster-node-recovery-off"
DEGRADED = "cluster-degraded"
ONE_ZONE = "cluster-single-az"
OUTDATED = "cluster-image-outdated"
UNCHECKED = "cluster-no-deep-health-checks"
PLAN = "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/large"


def a_group(name: str = "workers", **described: Any) -> Mapping[str, Any]:
    """A group of eight GPU instances as DescribeCluster answers it; None: AWS left the member out."""
    group = {
        "InstanceGroupName": name,
        "InstanceType": "ml.p5.48xlarge",
        "CurrentCount": 8,
        "TargetCount": 8,
        "Status": "InService",
        "ImageVersionStatus": "UpToDate",
        "OnStartDeepHealthChecks": ["InstanceStress", "InstanceConnectivity"],
        **described,
    }
    return {member: value for member, value in group.items() if value is not None}


def in_subnets(*ids: str) -> Mapping[str, Any]:
    """A VPC configuration over these subnets."""
    return {"SecurityGroupIds": ["sg-1"], "Subnets": list(ids)}


SHORT = a_cluster(InstanceGroups=[a_group(CurrentCount=7), a_group("login", CurrentCount=1, TargetCount=1)])
NEAR, SAME, FAR = (
    a_subnet("subnet-a"),
    a_subnet("subnet-b"),
    a_subnet("subnet-c", zone="euw1-az2", zone_name="eu-west-1b"),
)

CASES: list[Case] = [
    fails(
        RECOVERY,
        "nodes are left to people",
        a_cluster(recovery="None"),
        severity=Severity.HIGH,
        evidence={"node_recovery": "None", "status": "InService"},
        in_demo=[InDemo("cluster research-pretraining")],
    ),
    fails(
        RECOVERY,
        "in the middle of a change",
        a_cluster(recovery="None", ClusterStatus="Updating"),
        severity=Severity.HIGH,
        evidence={"status": "Updating"},
    ),
    passes(RECOVERY, "faulty nodes are replaced", a_cluster(recovery="Automatic")),
    does_not_apply(RECOVERY, "a cluster that is being deleted", a_cluster(recovery="None", ClusterStatus="Deleting")),
    is_unknown(RECOVERY, "AWS did not tell", a_cluster(recovery=None)),
    fails(
        DEGRADED,
        "it failed",
        a_cluster(ClusterStatus="Failed", FailureMessage="no capacity"),
        severity=Severity.HIGH,
        evidence={"status": "Failed", "failure_reason": "no capacity"},
    ),
    fails(DEGRADED, "going back", a_cluster(ClusterStatus="RollingBack"), severity=Severity.HIGH),
    fails(
        DEGRADED,
        "a node lacks, and nobody remembers since when",
        SHORT,
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"groups": {"workers": {"current": 7, "target": 8}}, "grace_minutes": 60},
        in_demo=[InDemo("cluster research-pretraining")],
    ),
    fails(
        DEGRADED,
        "a node of a restricted group lacks",
        a_cluster(RestrictedInstanceGroups=[a_group("nova", CurrentCount=3, TargetCount=4)]),
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        evidence={"groups": {"nova": {"current": 3, "target": 4}}},
    ),
    fails(
        DEGRADED,
        "a node lacks, seen so by an audit longer ago than the grace",
        SHORT,
        severity=Severity.MEDIUM,
        boundary="grace_minutes",
        first_seen={(DEGRADED, SHORT.arn): ago(minutes=60, seconds=1)},
    ),
    passes(
        DEGRADED,
        "a node lacks, seen so for just the grace",
        SHORT,
        boundary="grace_minutes",
        first_seen={(DEGRADED, SHORT.arn): ago(minutes=60)},
    ),
    passes(
        DEGRADED,
        "a longer grace",
        SHORT,
        params={"grace_minutes": 90},
        first_seen={(DEGRADED, SHORT.arn): ago(minutes=60, seconds=1)},
    ),
    passes(DEGRADED, "a node lacks, which no audit has seen before", SHORT, first_seen={}),
    passes(
        DEGRADED,
        "a young cluster that still grows",
        a_cluster(CreationTime=ago(minutes=59), InstanceGroups=[a_group(CurrentCount=0)]),
    ),
    passes(DEGRADED, "in the middle of a change", a_cluster(ClusterStatus="Updating", InstanceGroups=[a_group()])),
    passes(DEGRADED, "every node is there", a_cluster(InstanceGroups=[a_group()])),
    passes(DEGRADED, "no groups at all", a_cluster()),
    does_not_apply(DEGRADED, "a cluster that is being deleted", a_cluster(ClusterStatus="Deleting")),
    is_unknown(DEGRADED, "AWS did not tell the counts", a_cluster(InstanceGroups=[a_group(CurrentCount=None)])),
    fails(
        ONE_ZONE,
        "two subnets in one zone",
        a_cluster(VpcConfig=in_subnets("subnet-a", "subnet-b")),
        NEAR,
        SAME,
        severity=Severity.MEDIUM,
        evidence={"availability_zones": ["euw1-az1"], "subnets": ["subnet-a", "subnet-b"], "vpc": "vpc-1"},
        in_demo=[InDemo("cluster research-pretraining")],
    ),
    fails(
        ONE_ZONE,
        "every group overrides the cluster's subnets with one",
        a_cluster(
            VpcConfig=in_subnets("subnet-a", "subnet-c"),
            InstanceGroups=[a_group(OverrideVpcConfig=in_subnets("subnet-a"))],
        ),
        NEAR,
        FAR,
        severity=Severity.MEDIUM,
    ),
    passes(ONE_ZONE, "subnets in two zones", a_cluster(VpcConfig=in_subnets("subnet-a", "subnet-c")), NEAR, FAR),
    passes(
        ONE_ZONE,
        "a group in another zone than the cluster's",
        a_cluster(
            VpcConfig=in_subnets("subnet-a"),
            InstanceGroups=[a_group(), a_group("far", OverrideVpcConfig=in_subnets("subnet-c"))],
        ),
        NEAR,
        FAR,
    ),
    does_not_apply(ONE_ZONE, "the VPC of AWS", a_cluster(InstanceGroups=[a_group()])),
    does_not_apply(
        ONE_ZONE,
        "a training plan lies in one zone",
        a_cluster(VpcConfig=in_subnets("subnet-a"), InstanceGroups=[a_group(TrainingPlanArn=PLAN)]),
        NEAR,
    ),
    does_not_apply(ONE_ZONE, "its subnet is gone", a_cluster(VpcConfig=in_subnets("subnet-gone"))),
    does_not_apply(
        ONE_ZONE, "being deleted", a_cluster(ClusterStatus="Deleting", VpcConfig=in_subnets("subnet-a")), NEAR
    ),
    is_unknown(ONE_ZONE, "subnets unread", a_cluster(VpcConfig=in_subnets("subnet-a")), unread=[Part.SUBNETS]),
    fails(
        OUTDATED,
        "a newer image is there",
        a_cluster(InstanceGroups=[a_group(ImageVersionStatus="UpdateAvailable")]),
        severity=Severity.LOW,
        evidence={"groups": {"workers": "UpdateAvailable"}},
        in_demo=[InDemo("cluster llm-finetuning")],
    ),
    fails(
        OUTDATED,
        "security updates are missing",
        a_cluster(InstanceGroups=[a_group(ImageVersionStatus="SecurityUpdateRequired")]),
        severity=Severity.MEDIUM,
    ),
    fails(
        OUTDATED,
        "the worst of the groups counts",
        a_cluster(
            InstanceGroups=[
                a_group("a", ImageVersionStatus="UpdateAvailable"),
                a_group("b", ImageVersionStatus="EndOfLife"),
                a_group("c", ImageVersionStatus=None),
            ]
        ),
        severity=Severity.HIGH,
        evidence={"groups": {"a": "UpdateAvailable", "b": "EndOfLife"}},
    ),
    passes(OUTDATED, "the newest image", a_cluster(InstanceGroups=[a_group()])),
    does_not_apply(OUTDATED, "no groups", a_cluster()),
    does_not_apply(
        OUTDATED,
        "being deleted",
        a_cluster(ClusterStatus="Deleting", InstanceGroups=[a_group(ImageVersionStatus="EndOfLife")]),
    ),
    is_unknown(OUTDATED, "AWS did not tell", a_cluster(InstanceGroups=[a_group(ImageVersionStatus=None)])),
    is_unknown(OUTDATED, "a word that is new", a_cluster(InstanceGroups=[a_group(ImageVersionStatus="Recalled")])),
    fails(
        UNCHECKED,
        "GPU nodes start unchecked",
        a_cluster(InstanceGroups=[a_group(OnStartDeepHealthChecks=None)]),
        severity=Severity.LOW,
        evidence={"groups": {"workers": "ml.p5.48xlarge"}},
        in_demo=[InDemo("cluster research-pretraining")],
    ),
    fails(
        UNCHECKED,
        "one of several types has accelerators",
        a_cluster(
            InstanceGroups=[
                a_group(
                    InstanceType=None,
                    InstanceRequirements={"CurrentInstanceTypes": ["ml.m5.large", "ml.trn1.32xlarge"]},
                    OnStartDeepHealthChecks=[],
                )
            ]
        ),
        severity=Severity.LOW,
        evidence={"groups": {"workers": "ml.m5.large, ml.trn1.32xlarge"}},
    ),
    passes(UNCHECKED, "checked at their start", a_cluster(InstanceGroups=[a_group()])),
    does_not_apply(
        UNCHECKED,
        "no accelerators",
        a_cluster(InstanceGroups=[a_group(InstanceType="ml.m5.large", OnStartDeepHealthChecks=None)]),
    ),
    does_not_apply(UNCHECKED, "no groups", a_cluster()),
    is_unknown(UNCHECKED, "AWS did not tell the type", a_cluster(InstanceGroups=[a_group(InstanceType=None)])),
]
