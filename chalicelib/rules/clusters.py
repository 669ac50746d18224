"""HyperPod clusters."""

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.plain import Cluster
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Outcome, Severity, failed, not_now, passed
from chalicelib.rules.registry import Params, rule

TOPIC = "clusters"


@rule(
    "cluster-node-recovery-off",
    topic=TOPIC,
    kinds=["cluster"],
    severity=Severity.HIGH,
    reads=[Part.CLUSTERS],
)
def cluster_node_recovery_off(cluster: Cluster, estate: Inventory, params: Params) -> Outcome:
    """``NodeRecovery`` is None: SageMaker neither reboots nor replaces nodes that fail."""
    if cluster.status == "Deleting":
        return not_now("the cluster is being deleted")
    if cluster.node_recovery is None:
        raise Unread(f"DescribeCluster did not tell the node recovery of {cluster.name}")
    if cluster.node_recovery == "None":
        return failed(node_recovery=cluster.node_recovery, status=cluster.status)
    return passed("faulty nodes are replaced", node_recovery=cluster.node_recovery)
