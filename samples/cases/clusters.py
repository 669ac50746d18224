"""HyperPod clusters."""

from chalicelib.report.findings import Severity
from samples.builders import a_cluster
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

RECOVERY = "cluster-node-recovery-off"

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
]
