"""Scaling policies and what they hang on: metrics, alarms, cooldowns, activities, the instances underneath."""

from datetime import timedelta

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.found import INVOCATIONS_PER_INSTANCE
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.endpoints import IN_TRANSITION, NOT_SERVING, Variant, plain
from chalicelib.inventory.kinds.scaling import (
    COPY_DIMENSION,
    INSTANCE_DIMENSION,
    PROVISIONED_DIMENSION,
    Alarm,
    MetricRef,
    ScalableTarget,
    ScalingPolicy,
)
from chalicelib.inventory.parts import Part
from chalicelib.report.findings import Facts, Outcome, Severity, failed, not_applicable, not_now, passed
from chalicelib.rules.autoscaling import TOPIC
from chalicelib.rules.guards import older_than, scaled, variant_with_instances, younger_than
from chalicelib.rules.registry import Params, rule

HOSTING = (Part.ENDPOINTS, Part.CONFIGS, Part.COMPONENTS)

#: Seconds between two scaling actions where a policy sets none, for SageMaker (target tracking guide).
DEFAULT_COOLDOWN = 300
#: ``TargetValue`` of the sample in the developer guide, which is copied more often than it is measured.
SAMPLE_TARGET_VALUE = 70

#: The predefined metrics that fit each dimension.
PREDEFINED = {
    INSTANCE_DIMENSION: (INVOCATIONS_PER_INSTANCE, "SageMakerVariantConcurrentRequestsPerModelHighResolution"),
    COPY_DIMENSION: (
        "SageMakerInferenceComponentInvocationsPerCopy",
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
    ),
    PROVISIONED_DIMENSION: ("SageMakerVariantProvisionedConcurrencyUtilization",),
}
#: What an asynchronous endpoint tells about the requests that wait.
BACKLOG_METRICS = frozenset(
    {"ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity"}
)
WAKE_UP_ASYNC, WAKE_UP_COMPONENT = "HasBacklogWithoutCapacity", "NoCapacityInvocationFailures"


@rule(
    "autoscaling-scale-in-disabled",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.LOW,
    reads=[*HOSTING, Part.TARGETS, Part.POLICIES],
    guards=[scaled],
)
def autoscaling_scale_in_disabled(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """Every target-tracking policy has ``DisableScaleIn``, and no step policy takes capacity away: what a peak adds
    stays."""
    policies = estate.policies_of(target)
    tracking = [one for one in policies if one.target_tracking]
    if not tracking:
        return not_applicable("no target-tracking policy scales it")
    facts: Facts = {"policies": [one.policy_name for one in tracking], "resource_id": target.resource_id}
    if not all(one.disable_scale_in for one in tracking):
        return passed("a policy scales it in", **facts)
    if any(one.steps_in for one in policies):
        return passed("a step policy scales it in", **facts)
    return failed(**facts, scalable_dimension=target.dimension, max_capacity=target.max_capacity)


class Cooldowns(Params):
    max_scale_out: NonNegativeInt = 900
    min_scale_in: NonNegativeInt = 60


def tracks_a_target(policy: ScalingPolicy, estate: Inventory) -> Outcome | None:
    """A target-tracking policy of something in service."""
    return scaled(policy, estate) if policy.target_tracking else not_applicable("not a target-tracking policy")


@rule(
    "autoscaling-cooldown-inverted",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.LOW,
    params=Cooldowns,
    reads=[*HOSTING, Part.POLICIES],
    guards=[tracks_a_target],
)
def autoscaling_cooldown_inverted(policy: ScalingPolicy, estate: Inventory, params: Cooldowns) -> Outcome:
    """A policy takes capacity away sooner than it adds some, waits longer than ``max_scale_out`` seconds to add, or
    less than ``min_scale_in`` to take away."""
    out = policy.scale_out_cooldown if policy.scale_out_cooldown is not None else DEFAULT_COOLDOWN
    back = policy.scale_in_cooldown if policy.scale_in_cooldown is not None else DEFAULT_COOLDOWN
    facts: Facts = {
        "scale_in_cooldown": back,
        "scale_out_cooldown": out,
        "max_scale_out": params.max_scale_out,
        "min_scale_in": params.min_scale_in,
    }
    if back < out or out > params.max_scale_out or back < params.min_scale_in:
        return failed(**facts)
    return passed("adds capacity at least as soon as it takes some away", **facts)


@rule(
    "autoscaling-metric-mismatch",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.POLICIES],
    guards=[tracks_a_target],
)
def autoscaling_metric_mismatch(policy: ScalingPolicy, estate: Inventory, params: Params) -> Outcome:
    """A policy follows a predefined metric of another dimension, or a custom metric of another endpoint, variant or
    component; or no policy of an asynchronous endpoint follows its backlog."""
    what = estate.scaled_by(policy)
    names = [one.name for one in policy.custom_metrics if one.name]
    facts: Facts = {
        "predefined_metric": policy.predefined_metric,
        "custom_metrics": names,
        "scalable_dimension": policy.dimension,
    }
    if policy.predefined_metric and policy.predefined_metric not in PREDEFINED.get(policy.dimension, ()):
        if policy.predefined_metric in {name for group in PREDEFINED.values() for name in group}:
            return failed(**facts, mismatch="the metric belongs to another scalable dimension")
        raise Unread(f"the metric {policy.predefined_metric} is not known")
    if not policy.predefined_metric and not policy.custom_metrics:
        raise Unread("DescribeScalingPolicies gave no metric of the policy")
    for metric in policy.custom_metrics:
        if what is not None and (other := _foreign(metric, what)):
            return failed(**facts, mismatch=f"the metric is that of {other}")
    if isinstance(what, Variant) and what.is_async:
        beside = [one for one in estate.policies_beside(policy) if one.target_tracking]
        if not any(metric.name in BACKLOG_METRICS for one in beside for metric in one.custom_metrics):
            return failed(**facts, mismatch="the endpoint is asynchronous, and no policy follows its backlog")
    return passed("follows a metric of what it scales", **facts)


def _foreign(metric: MetricRef, what: Variant | InferenceComponent) -> str | None:
    """The endpoint, variant or component of a metric when it is another's, else None."""
    own = {"EndpointName": what.endpoint_name}
    if isinstance(what, Variant):
        own["VariantName"] = what.name
    else:
        own |= {"InferenceComponentName": what.name, "VariantName": what.variant_name or ""}
    for dimension, name in own.items():
        other = metric.dimension(dimension)
        if other is not None and name and other != name:
            return f"{dimension} {other}"
    return None


class InsufficientData(Params):
    insufficient_data_hours: NonNegativeFloat = 24


@rule(
    "autoscaling-alarm-broken",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.MEDIUM,
    params=InsufficientData,
    reads=[*HOSTING, Part.POLICIES, Part.ALARMS],
    guards=[scaled],
)
def autoscaling_alarm_broken(policy: ScalingPolicy, estate: Inventory, params: InsufficientData) -> Outcome:
    """A scaling policy has no alarm, or one of its alarms is gone, has its actions disabled, or (of a custom metric)
    has lacked data for ``insufficient_data_hours``."""
    if not policy.target_tracking and not policy.step_scaling:
        return not_applicable(f"a policy of type {policy.policy_type} hangs on no alarm")
    names = [one.name for one in policy.alarms]
    facts: Facts = {"alarms": names}
    if not names:
        return failed(**facts, broken={}, no_alarms=True)
    broken = {name: problem for name in names if (problem := _problem(estate.alarm(name), policy, params, estate))}
    if broken:
        return failed(**facts, broken=broken, no_alarms=False)
    return passed("its alarms are there and act", **facts)


def _problem(alarm: Alarm | None, policy: ScalingPolicy, params: InsufficientData, estate: Inventory) -> str | None:
    if alarm is None:
        return "does not exist"
    if not alarm.actions_enabled:
        return "has its actions disabled"
    if not policy.custom_metrics or alarm.state != "INSUFFICIENT_DATA":
        return None
    if any(metric.name in BACKLOG_METRICS for metric in alarm.metrics):
        return None  # the backlog of an endpoint at zero instances has no datapoints
    if not older_than(alarm.state_since, timedelta(hours=params.insufficient_data_hours), estate):
        return None
    return f"has lacked data for more than {params.insufficient_data_hours:g} hours"


class ActivityWindow(Params):
    window_hours: PositiveFloat = 24


@rule(
    "autoscaling-activity-failed",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    params=ActivityWindow,
    reads=[*HOSTING, Part.TARGETS, Part.ACTIVITIES],
    guards=[scaled],
)
def autoscaling_activity_failed(target: ScalableTarget, estate: Inventory, params: ActivityWindow) -> Outcome:
    """A scaling activity of the last ``window_hours`` is Failed or Unfulfilled."""
    window = timedelta(hours=params.window_hours)
    recent = [one for one in estate.activities_of(target) if one.started is None or estate.now - one.started <= window]
    bad = [one for one in recent if plain(one.status) in ("failed", "unfulfilled")]
    if not bad:
        return passed("no scaling activity failed", activities=len(recent), window_hours=params.window_hours)
    return failed(
        activities_failed=len(bad),
        status=bad[0].status,
        message=bad[0].message or bad[0].cause,
        window_hours=params.window_hours,
        resource_id=target.resource_id,
    )


class OrphanGrace(Params):
    grace_hours: NonNegativeFloat = 1


@rule(
    "autoscaling-orphaned-target",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.LOW,
    params=OrphanGrace,
    reads=[*HOSTING, Part.TARGETS],
)
def autoscaling_orphaned_target(target: ScalableTarget, estate: Inventory, params: OrphanGrace) -> Outcome:
    """The endpoint, variant or component of a scalable target does not exist."""
    if estate.scaled_by(target) is not None:
        return passed("what it scales exists")
    kind, _, rest = target.resource_id.partition("/")
    endpoint = estate.endpoints.get(rest.split("/")[0]) if kind == "endpoint" else None
    if endpoint is not None:
        if not endpoint.variants:
            return not_now(f"the endpoint is {endpoint.status} and names no variants")
        if plain(endpoint.status) in IN_TRANSITION | NOT_SERVING:
            return not_now(f"the endpoint is {endpoint.status}; its next event brings it back")
    if younger_than(target.created, timedelta(hours=params.grace_hours), estate):
        return not_applicable(f"younger than {params.grace_hours:g} hours")
    return failed(
        resource_id=target.resource_id, scalable_dimension=target.dimension, endpoint_exists=endpoint is not None
    )


class Burstable(Params):
    families: tuple[str, ...] = ("t2", "t3")


def scales_instances(target: ScalableTarget, estate: Inventory) -> Outcome | None:
    """A target of the instances of a variant in service."""
    return scaled(target, estate) if target.scales_instances else not_applicable("it does not scale instances")


@rule(
    "autoscaling-burstable-instance",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    params=Burstable,
    reads=[*HOSTING, Part.TARGETS],
    guards=[scales_instances],
)
def autoscaling_burstable_instance(target: ScalableTarget, estate: Inventory, params: Burstable) -> Outcome:
    """A scalable target stands on instances of a burstable family, which SageMaker does not scale."""
    what = estate.scaled_by(target)
    types = what.instance_types if isinstance(what, Variant) else ()
    facts: Facts = {"instance_type": ", ".join(one.name for one in types), "families": list(params.families)}
    if any(one.family in params.families for one in types):
        return failed(**facts, resource_id=target.resource_id)
    return passed("not of a burstable family", **facts)


@rule(
    "autoscaling-zero-without-wakeup",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS, Part.POLICIES, Part.ALARMS],
    guards=[scaled],
)
def autoscaling_zero_without_wakeup(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """A target may go down to zero, and no step policy has an alarm that wakes it when a request comes."""
    if target.min_capacity is None:
        raise Unread("DescribeScalableTargets gave no capacity limits")
    if target.min_capacity > 0:
        return not_applicable(f"never goes below {target.min_capacity}")
    what = estate.scaled_by(target)
    if isinstance(what, Variant):
        if not what.is_async:
            return not_applicable("its inference components, not requests, call for instances")
        wanted = WAKE_UP_ASYNC
    else:
        wanted = WAKE_UP_COMPONENT
    facts: Facts = {"min_capacity": 0, "wake_up_metric": wanted, "resource_id": target.resource_id}
    for policy in estate.policies_of(target):
        if not policy.step_scaling:
            continue
        alarms = [estate.alarm(one.name) for one in policy.alarms]
        if any(metric.name == wanted for alarm in alarms if alarm for metric in alarm.metrics):
            return passed("a step policy wakes it", policy=policy.policy_name, **facts)
    return failed(**facts, scalable_dimension=target.dimension)


@rule(
    "inference-component-host-fixed",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS],
    guards=[variant_with_instances],
)
def inference_component_host_fixed(variant: Variant, estate: Inventory, params: Params) -> Outcome:
    """Inference components scale, but the variant under them has neither managed instance scaling nor a target."""
    if not variant.hosts_components:
        return not_applicable("hosts no inference components")
    scaling = [one.name for one in estate.components_of(variant) if estate.target_of(one) is not None]
    if not scaling:
        return not_applicable("none of its inference components scales")
    if variant.managed_scaling or estate.target_of(variant) is not None:
        return passed("its instances scale with its components", components=scaling)
    return failed(components=scaling, desired_instance_count=variant.instance_count, resource_id=variant.resource_id)


class LoadTested(Params):
    tag: str = "load-tested"
    max_age_days: PositiveInt = 180


@rule(
    "autoscaling-untested-target",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.INFO,
    params=LoadTested,
    reads=[*HOSTING, Part.POLICIES, Part.RECOMMENDATIONS, Part.TAGS],
    guards=[tracks_a_target],
)
def autoscaling_untested_target(policy: ScalingPolicy, estate: Inventory, params: LoadTested) -> Outcome:
    """A target value of invocations per instance rests on no load test: neither a completed Inference Recommender job
    of the last ``max_age_days`` days for the model, nor the tag ``tag`` on the endpoint (low when the value is the
    documentation's sample, 70)."""
    variant = estate.scaled_by(policy)
    if policy.predefined_metric != INVOCATIONS_PER_INSTANCE or not isinstance(variant, Variant):
        return not_applicable("does not follow invocations per instance")
    facts: Facts = {"target_value": policy.target_value, "model": variant.settings.model_name, "tag": params.tag}
    if params.tag in (variant.tags or {}):
        return passed(f"the endpoint is tagged {params.tag}", **facts)
    oldest = estate.now - timedelta(days=params.max_age_days)
    for job in estate.load_tests_of(variant.settings.model_name):
        if job.completed is None or job.completed >= oldest:
            return passed("an Inference Recommender job measured the model", job=job.name, **facts)
    if variant.tags is None:
        raise Unread("the tags of the endpoint were not read", "sagemaker:ListTags")
    sample = policy.target_value == SAMPLE_TARGET_VALUE
    return failed(severity=Severity.LOW if sample else None, **facts, max_age_days=params.max_age_days)
