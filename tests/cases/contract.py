"""What the catalogue promises of each rule: topic, kinds, severity, parameters with their defaults.

Policies, dashboards and exemptions of others rest on these: a change here is a change for everybody who uses them.
"""

from typing import Any, NamedTuple

from chalicelib.report.findings import Severity


class Promise(NamedTuple):
    """The part of a rule that others rely on."""

    topic: str
    kinds: frozenset[str]
    severity: Severity
    params: dict[str, Any]
    enabled: bool = True


def promise(topic: str, kinds: str, severity: Severity, /, *, enabled: bool = True, **params: Any) -> Promise:
    return Promise(topic, frozenset(kinds.split()), severity, params, enabled)


INSTANCES, ZONES, SCALING = "instances", "availability-zones", "autoscaling"
FIT, SPOT, ACCELERATORS, PIPELINES = "instance-fit", "spot-training", "elastic-inference", "inference-pipelines"
INFO, LOW, MEDIUM, HIGH = Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH

CONTRACT: dict[str, Promise] = {
    "endpoint-single-instance": promise(
        INSTANCES,
        "endpoint-variant",
        HIGH,
        min_instances=2,
        include_zero_weight=False,
        async_severity="low",
    ),
    "endpoint-config-single-instance": promise(INSTANCES, "endpoint-config", MEDIUM, judge_unused=False),
    "endpoint-degraded": promise(INSTANCES, "endpoint", HIGH, grace_minutes=30),
    "inference-component-single-copy": promise(INSTANCES, "inference-component", HIGH, min_copies=2),
    "inference-component-no-az-balance": promise(INSTANCES, "inference-component", LOW, enabled=False),
    "endpoint-az-loss-overload": promise(
        INSTANCES,
        "endpoint-variant",
        INFO,
        enabled=False,
        window_days=14,
        safety_factor=0.5,
        assumed_azs=2,
    ),
    "model-vpc-single-az": promise(ZONES, "model endpoint-config", HIGH, min_azs=2, only_in_use=True),
    "model-vpc-subnet-missing": promise(ZONES, "model", HIGH),
    "model-vpc-low-free-ips": promise(ZONES, "model", MEDIUM, ips_per_instance=2),
    "vpc-single-az": promise(ZONES, "vpc", MEDIUM, used_only=True),
    "training-vpc-single-az": promise(ZONES, "training-job", LOW, spot_severity="medium"),
    "variant-no-autoscaling": promise(SCALING, "endpoint-variant inference-component", MEDIUM, min_age_hours=1),
    "autoscaling-target-without-policy": promise(SCALING, "scalable-target", MEDIUM),
    "autoscaling-min-below-two": promise(SCALING, "scalable-target endpoint-variant", MEDIUM, min_capacity=2),
    "autoscaling-no-headroom": promise(SCALING, "scalable-target", MEDIUM),
    "autoscaling-at-max": promise(SCALING, "scalable-target", MEDIUM, hold_minutes=15),
    "autoscaling-suspended": promise(SCALING, "scalable-target", MEDIUM, grace_hours=4),
    "autoscaling-scale-in-disabled": promise(SCALING, "scalable-target", LOW),
    "autoscaling-cooldown-inverted": promise(SCALING, "scaling-policy", LOW, max_scale_out=900, min_scale_in=60),
    "autoscaling-metric-mismatch": promise(SCALING, "scaling-policy", MEDIUM),
    "autoscaling-alarm-broken": promise(SCALING, "scaling-policy", MEDIUM, insufficient_data_hours=24),
    "autoscaling-activity-failed": promise(SCALING, "scalable-target", MEDIUM, window_hours=24),
    "autoscaling-orphaned-target": promise(SCALING, "scalable-target", LOW, grace_hours=1),
    "autoscaling-burstable-instance": promise(SCALING, "scalable-target", MEDIUM, families=["t2", "t3"]),
    "autoscaling-zero-without-wakeup": promise(SCALING, "scalable-target", MEDIUM),
    "inference-component-host-fixed": promise(SCALING, "endpoint-variant", MEDIUM),
    "autoscaling-untested-target": promise(SCALING, "scaling-policy", INFO, tag="load-tested", max_age_days=180),
    "endpoint-gpu-underutilized": promise(
        FIT,
        "endpoint-variant",
        MEDIUM,
        gpu_percent=20,
        memory_percent=30,
        window_days=7,
        min_age_days=7,
    ),
    "endpoint-gpu-unneeded-by-algorithm": promise(FIT, "endpoint-variant transform-job", MEDIUM),
    "endpoint-idle": promise(FIT, "endpoint-variant", MEDIUM, window_days=14),
    "instance-previous-generation": promise(
        FIT,
        "endpoint-variant training-job tuning-job transform-job notebook-instance",
        LOW,
        medium=["p2", "p3", "p3dn"],
        low=["m4", "c4", "t2"],
    ),
    "training-gpu-for-cpu-algorithm": promise(FIT, "training-job", MEDIUM),
    "training-cpu-for-gpu-algorithm": promise(FIT, "training-job", LOW),
    "training-multi-instance-unsupported": promise(FIT, "training-job", MEDIUM),
    "training-spot-no-checkpoint": promise(SPOT, "training-job tuning-job", HIGH, min_runtime_seconds=900),
    "training-spot-cannot-checkpoint": promise(SPOT, "training-job", LOW, medium_runtime_seconds=1800),
    "training-spot-not-used": promise(SPOT, "training-job tuning-job", LOW, min_instance_hours=4),
    "training-spot-wait-too-short": promise(SPOT, "training-job", LOW, min_slack_seconds=3600),
    "training-spot-interrupted": promise(SPOT, "training-job", MEDIUM, interruptions=2),
    "training-spot-no-savings": promise(SPOT, "training-job", INFO, min_savings_percent=20),
    "endpoint-elastic-inference-retired": promise(ACCELERATORS, "endpoint-variant", HIGH),
    "notebook-elastic-inference-retired": promise(ACCELERATORS, "notebook-instance", MEDIUM),
    "model-elastic-inference-image": promise(ACCELERATORS, "model", LOW),
    "pipeline-container-count": promise(PIPELINES, "model", LOW, max=15, warn_above=5),
    "pipeline-bottleneck-container": promise(
        PIPELINES,
        "endpoint-variant",
        INFO,
        enabled=False,
        share=0.8,
        window_days=7,
    ),
}
