"""Target values of scaling policies against the scale of their metric."""

from typing import Any

from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import ScalingPolicy
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Severity
from samples.builders import a_component, a_metric, a_policy, a_step_policy, a_variant, following, following_sum_of
from samples.cases.case import Case, InDemo, does_not_apply, fails, is_unknown, passes

RULE = "autoscaling-target-off-scale"
INSTANCES = "/aws/sagemaker/Endpoints"
OWN = {"EndpointName": "churn", "VariantName": "AllTraffic"}


def on(instance_type: str, **variant: Any) -> Variant:
    """A variant on an instance type."""
    return a_variant(instance_type=instance_type, **variant)


def at_target(of: Any, target: float, metric: str = "CPUUtilization", **specification: Any) -> ScalingPolicy:
    """A policy that tracks a custom metric of the variant."""
    tracking = following(metric, **OWN)
    tracking["CustomizedMetricSpecification"] |= specification
    return a_policy(of, target_value=target, tracking=tracking)


ON_FOUR, ON_TWO = on("ml.m5.xlarge"), on("ml.m5.large")
ON_GPUS, ON_A_GPU = on("ml.g5.12xlarge"), on("ml.g5.xlarge")
NEW = on("ml.p9.48xlarge")
POOLED = a_variant(
    settings={
        "InstanceType": None,
        "InstancePools": [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m5.large"}],
    }
)
COMPONENT = a_component()
MATH = a_policy(ON_FOUR, tracking=following_sum_of(a_metric("CPUUtilization", **OWN)))

CASES: list[Case] = [
    fails(
        RULE,
        "meant as a share of the instance, on four vCPUs",
        at_target(ON_FOUR, 60),
        ON_FOUR,
        severity=Severity.MEDIUM,
        evidence={"problem": "a fraction", "units": 4, "scale": 400, "suggested": 240.0},
        in_demo=[InDemo("scaling-policy stock-alerts/AllTraffic/target-tracking")],
    ),
    fails(
        RULE,
        "more than all vCPUs can give",
        at_target(ON_FOUR, 401),
        ON_FOUR,
        severity=Severity.MEDIUM,
        evidence={"problem": "unreachable", "scale": 400},
    ),
    fails(
        RULE,
        "a fraction of four GPUs",
        at_target(ON_GPUS, 80, "GPUUtilization"),
        ON_GPUS,
        severity=Severity.MEDIUM,
        evidence={"units": 4},
    ),
    fails(RULE, "the vCPUs of a GPU type", at_target(ON_A_GPU, 60), ON_A_GPU, severity=Severity.MEDIUM),
    fails(
        RULE,
        "a normalized metric beyond 100",
        at_target(ON_FOUR, 120, "CPUUtilizationNormalized", Namespace=INSTANCES),
        ON_FOUR,
        severity=Severity.MEDIUM,
        evidence={"problem": "unreachable", "scale": 100},
    ),
    fails(
        RULE,
        "less than one invocation a minute",
        a_policy(ON_FOUR, target_value=0.9),
        ON_FOUR,
        severity=Severity.MEDIUM,
        evidence={"problem": "too low"},
    ),
    passes(RULE, "on the scale of four vCPUs", at_target(ON_FOUR, 240), ON_FOUR),
    passes(RULE, "all of four vCPUs", at_target(ON_FOUR, 400), ON_FOUR),
    passes(RULE, "two vCPUs leave room for doubt", at_target(ON_TWO, 70), ON_TWO),
    passes(RULE, "one GPU", at_target(ON_A_GPU, 70, "GPUUtilization"), ON_A_GPU),
    passes(
        RULE, "a normalized metric", at_target(ON_FOUR, 60, "CPUUtilizationNormalized", Namespace=INSTANCES), ON_FOUR
    ),
    passes(RULE, "a pool of two vCPUs", at_target(POOLED, 60), POOLED),
    passes(RULE, "one invocation a minute", a_policy(ON_FOUR, target_value=1.0), ON_FOUR),
    does_not_apply(RULE, "a step policy", a_step_policy(ON_FOUR), ON_FOUR),
    does_not_apply(RULE, "a memory in percent", at_target(ON_FOUR, 60, "MemoryUtilization"), ON_FOUR),
    does_not_apply(RULE, "a sum has no such scale", at_target(ON_FOUR, 900, Statistic="Sum"), ON_FOUR),
    does_not_apply(RULE, "metric math", MATH, ON_FOUR),
    does_not_apply(
        RULE,
        "another endpoint's metric",
        a_policy(ON_FOUR, target_value=60, tracking=following("CPUUtilization", EndpointName="other", VariantName="A")),
        ON_FOUR,
    ),
    does_not_apply(RULE, "a component's metric", at_target(COMPONENT, 60), COMPONENT, a_variant()),
    is_unknown(RULE, "more than 100 on a type that is new", at_target(NEW, 150), NEW),
    is_unknown(RULE, "the GPUs of a type that is new", at_target(NEW, 60, "GPUUtilization"), NEW),
    is_unknown(RULE, "AWS gave no target value", a_policy(ON_FOUR, tracking={"TargetValue": None}), ON_FOUR),
    is_unknown(RULE, "endpoints were denied", at_target(ON_FOUR, 60), unread=[Part.ENDPOINTS]),
]
