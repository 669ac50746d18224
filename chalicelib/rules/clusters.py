"""HyperPod clusters."""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.instances import InstanceType
from chalicelib.inventory.kinds.plain import Cluster, ClusterGroup
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Confidence, Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.guards import older_than
from chalicelib.rules.registry import Params, rule

TOPIC = "clusters"
#: What ``ImageVersionStatus`` says of an image that is not the newest, and how bad that is.
OUTDATED = {
    "UpdateAvailable": Severity.LOW,
    "SecurityUpdateRequired": Severity.MEDIUM,
    "EndOfLife": Severity.HIGH,
}
UP_TO_DATE = "UpToDate"
BROKEN = ("Failed", "RollingBack")


class Grace(Params):
    grace_minutes: PositiveInt = 60


def not_deleted(cluster: Cluster, estate: Inventory) -> Outcome | None:
    """Nothing is asked of a cluster that is being deleted."""
    return not_now("the cluster is being deleted") if cluster.status == "Deleting" else None


def has_groups(cluster: Cluster, estate: Inventory) -> Outcome | None:
    """A cluster without instance groups has no nodes to judge."""
    return None if cluster.groups else not_applicable("the cluster has no instance groups")


@rule(
    "cluster-node-recovery-off",
    topic=TOPIC,
    kinds=["cluster"],
    severity=Severity.HIGH,
    reads=[Part.CLUSTERS],
    guards=[not_deleted],
)
def cluster_node_recovery_off(cluster: Cluster, estate: Inventory, params: Params) -> Outcome:
    """``NodeRecovery`` is None: SageMaker neither reboots nor replaces nodes that fail."""
    if cluster.node_recovery is None:
        raise Unread(f"DescribeCluster did not tell the node recovery of {cluster.name}")
    if cluster.node_recovery == "None":
        return failed(node_recovery=cluster.node_recovery, status=cluster.status)
    return passed("faulty nodes are replaced", node_recovery=cluster.node_recovery)


@rule(
    "cluster-degraded",
    topic=TOPIC,
    kinds=["cluster"],
    severity=Severity.HIGH,
    concern=Concern.BROKEN,
    params=Grace,
    reads=[Part.CLUSTERS],
    guards=[not_deleted],
)
def cluster_degraded(cluster: Cluster, estate: Inventory, params: Grace) -> Outcome:
    """The cluster is Failed or RollingBack; or (medium) in service with fewer instances in a group than it wants for
    longer than ``grace_minutes``, seen so before where a ledger remembers it."""
    if cluster.status in BROKEN:
        return failed(status=cluster.status, failure_reason=cluster.failure_message)
    if cluster.status != "InService":
        return passed(f"the cluster is {cluster.status}", status=cluster.status).passing()
    short = {
        group.name: {"current": group.current_count, "target": group.target_count}
        for group in cluster.groups
        if group.current_count is not None
        and group.target_count is not None
        and group.current_count < group.target_count
    }
    if not short:
        _know_counts(cluster.groups)
        return passed("in service with the instances that it wants", status=cluster.status)
    grace = timedelta(minutes=params.grace_minutes)
    young = not older_than(cluster.created, grace, estate)
    if young or estate.seen_for("cluster-degraded", cluster.arn, grace) is False:
        return passed(f"short of instances for less than {params.grace_minutes} minutes", groups=short).passing().seen()
    return failed(
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH if estate.remembers else Confidence.LOW,
        status=cluster.status,
        groups=short,
        grace_minutes=params.grace_minutes,
    ).seen()


def _know_counts(groups: Iterable[ClusterGroup]) -> None:
    for group in groups:
        if group.current_count is None or group.target_count is None:
            raise Unread(f"DescribeCluster did not tell the instance counts of {group.name or 'a group'}")


@rule(
    "cluster-single-az",
    topic=TOPIC,
    kinds=["cluster"],
    severity=Severity.MEDIUM,
    reads=[Part.CLUSTERS, Part.SUBNETS],
    guards=[not_deleted],
)
def cluster_single_az(cluster: Cluster, estate: Inventory, params: Params) -> Outcome:
    """The subnets of the cluster and of its groups lie in one Availability Zone. A training plan binds its group to the
    zone of the reservation."""
    if not cluster.subnets:
        return not_applicable("runs in no VPC of the account")
    plans = sorted({group.training_plan_arn for group in cluster.groups if group.training_plan_arn})
    if plans:
        return not_applicable("a training plan binds it to the zone of its reservation")
    existing, missing = estate.subnets_of(cluster.subnets)
    if not existing:
        return not_applicable("all its subnets are gone")
    zones = estate.zones_of(cluster.subnets)
    facts: Facts = {"availability_zones": list(zones), "subnets": list(cluster.subnets), "subnets_missing": missing}
    if len(zones) >= 2:
        return passed(f"its subnets lie in {len(zones)} Availability Zones", **facts)
    return failed(**facts, vpc=existing[0].shown("vpc_id"))


@rule(
    "cluster-image-outdated",
    topic=TOPIC,
    kinds=["cluster"],
    severity=Severity.LOW,
    concern=Concern.STYLE,
    reads=[Part.CLUSTERS],
    guards=[not_deleted, has_groups],
)
def cluster_image_outdated(cluster: Cluster, estate: Inventory, params: Params) -> Outcome:
    """``ImageVersionStatus`` of an instance group: UpdateAvailable, SecurityUpdateRequired (medium) or EndOfLife
    (high)."""
    outdated = {
        group.name: group.image_version_status for group in cluster.groups if group.image_version_status in OUTDATED
    }
    if outdated:
        worst = max((OUTDATED[status] for status in outdated.values() if status), key=lambda severity: severity.rank)
        return failed(severity=worst, groups=outdated)
    for group in cluster.groups:
        if group.image_version_status != UP_TO_DATE:
            raise Unread(f"DescribeCluster did not tell whether the image of {group.name} is the newest")
    return passed("every group runs the newest image")


@rule(
    "cluster-no-deep-health-checks",
    topic=TOPIC,
    kinds=["cluster"],
    severity=Severity.LOW,
    reads=[Part.CLUSTERS],
    guards=[not_deleted, has_groups],
)
def cluster_no_deep_health_checks(cluster: Cluster, estate: Inventory, params: Params) -> Outcome:
    """An instance group with accelerators starts its nodes without deep health checks
    (``OnStartDeepHealthChecks``)."""
    accelerated = [group for group in cluster.groups if _accelerated(group)]
    if not accelerated:
        return not_applicable("no group has accelerators; deep health checks are for GPUs and Trainium")
    unchecked = {group.name: ", ".join(group.types) for group in accelerated if not group.deep_health_checks}
    if unchecked:
        return failed(groups=unchecked)
    return passed("every group with accelerators is checked when its nodes start")


def _accelerated(group: ClusterGroup) -> bool:
    if not group.types:
        raise Unread(f"DescribeCluster did not tell the instance type of {group.name or 'a group'}")
    return any(InstanceType.parse(name).accelerated for name in group.types)
