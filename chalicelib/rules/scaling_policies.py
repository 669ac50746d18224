"""Scaling policies and what they lead to: cooldowns, activities, the instances underneath, target values."""

import math
import re
from datetime import timedelta
from itertools import groupby

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from chalicelib.inventory.estate import Inventory
from chalicelib.inventory.facts import Unread
from chalicelib.inventory.kinds.components import InferenceComponent
from chalicelib.inventory.kinds.configs import IN_TRANSITION, NOT_SERVING, plain
from chalicelib.inventory.kinds.endpoints import Variant
from chalicelib.inventory.kinds.scaling import (
    INVOCATIONS_PER_INSTANCE,
    Bounds,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
)
from chalicelib.inventory.parts import Part
from chalicelib.report.concern import Concern
from chalicelib.report.findings import Severity
from chalicelib.report.outcomes import Facts, Outcome, failed, not_applicable, not_now, passed
from chalicelib.rules.autoscaling import HOSTING, TOPIC, managed_bounds
from chalicelib.rules.guards import scaled, variant_with_instances, younger_than
from chalicelib.rules.registry import Params, Window, rule

#: Seconds between two scaling actions where a policy sets none, for SageMaker (target tracking guide).
DEFAULT_COOLDOWN = 300
#: So many activities in a row that failed are told even where a later one succeeded.
FAILURES_IN_A_ROW = 3
#: How the messages of activities say that the endpoint was in the middle of a change, and that AWS has no capacity.
_IN_CHANGE = re.compile(r"\bupdating\b|in-progress endpoint|being updated", re.IGNORECASE)
LACK_OF_CAPACITY = re.compile(r"insufficient ?\w* ?capacity|\bICE\b|not enough capacity", re.IGNORECASE)
#: ``TargetValue`` of the sample in the developer guide, which is copied more often than it is measured.
SAMPLE_TARGET_VALUE = 70


@rule(
    "autoscaling-scale-in-disabled",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.LOW,
    concern=Concern.COSTS,
    reads=[*HOSTING, Part.TARGETS, Part.POLICIES, Part.SCHEDULES],
    guards=[scaled],
)
def autoscaling_scale_in_disabled(target: ScalableTarget, estate: Inventory, params: Params) -> Outcome:
    """Every target-tracking policy has ``DisableScaleIn``, no step policy takes capacity away, and no scheduled action
    lowers the maximum: what a peak adds stays."""
    policies = estate.policies_of(target)
    tracking = [policy for policy in policies if policy.target_tracking]
    if not tracking:
        return not_applicable("no target-tracking policy scales it")
    facts: Facts = {"policies": [policy.policy_name for policy in tracking], "resource_id": target.resource_id}
    if not all(policy.disable_scale_in for policy in tracking):
        return passed("a policy scales it in", **facts)
    if any(policy.steps_in for policy in policies):
        return passed("a step policy scales it in", **facts)
    highest = max(bounds.maximum for bounds in estate.bounds_of(target))
    lowering = [
        action.name
        for action in estate.live_schedules_of(target)
        if action.max_capacity is not None and action.max_capacity < highest
    ]
    if lowering:
        return passed("a scheduled action lowers the maximum", **facts, scheduled_actions=lowering)
    return failed(**facts, scalable_dimension=target.dimension, max_capacity=target.shown("max_capacity"))


class Cooldowns(Params):
    max_scale_out: NonNegativeInt = 900
    min_scale_in: NonNegativeInt = 60


def tracks_a_target(policy: ScalingPolicy, estate: Inventory) -> Outcome | None:
    """A target-tracking policy of something in service."""
    return scaled(policy, estate) if policy.target_tracking else not_applicable("not a target-tracking policy")


def has_cooldowns(policy: ScalingPolicy, estate: Inventory) -> Outcome | None:
    """A target-tracking or step policy of something in service."""
    if policy.target_tracking or policy.step_scaling:
        return scaled(policy, estate)
    return not_applicable(f"a policy of type {policy.policy_type} has no cooldowns")


@rule(
    "autoscaling-cooldown-inverted",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.LOW,
    params=Cooldowns,
    reads=[*HOSTING, Part.POLICIES],
    guards=[has_cooldowns],
)
def autoscaling_cooldown_inverted(policy: ScalingPolicy, estate: Inventory, params: Cooldowns) -> Outcome:
    """A policy takes capacity away sooner than it adds some, waits longer than ``max_scale_out`` seconds to add, or
    less than ``min_scale_in`` to take away; a step policy has one cooldown, for the direction in which it scales."""
    out, back = _cooldowns(policy)
    facts: Facts = {
        "scale_in_cooldown": back,
        "scale_out_cooldown": out,
        "max_scale_out": params.max_scale_out,
        "min_scale_in": params.min_scale_in,
    }
    inverted = out is not None and back is not None and back < out
    if inverted or (out or 0) > params.max_scale_out or (back is not None and back < params.min_scale_in):
        return failed(**facts)
    return passed("adds capacity at least as soon as it takes some away", **facts)


def _cooldowns(policy: ScalingPolicy) -> tuple[int | None, int | None]:
    """The seconds between scale-outs, and between scale-ins; None where the policy does not scale that way."""
    if policy.step_scaling:
        seconds = policy.step_cooldown if policy.step_cooldown is not None else DEFAULT_COOLDOWN
        return (seconds if policy.steps_out else None), (seconds if policy.steps_in else None)
    out, back = policy.scale_out_cooldown, policy.scale_in_cooldown
    return (DEFAULT_COOLDOWN if out is None else out), (DEFAULT_COOLDOWN if back is None else back)


class ActivityWindow(Params):
    window_hours: PositiveFloat = 24


@rule(
    "autoscaling-activity-failed",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.MEDIUM,
    concern=Concern.BROKEN,
    params=ActivityWindow,
    reads=[*HOSTING, Part.TARGETS, Window(Part.ACTIVITIES, "window_hours")],
    guards=[scaled],
)
def autoscaling_activity_failed(target: ScalableTarget, estate: Inventory, params: ActivityWindow) -> Outcome:
    """The newest scaling activity of the last ``window_hours`` is Failed or Unfulfilled, or three in a row were.
    Activities that were not scaled for a reason, or met an endpoint in the middle of a change, do not count."""
    window = timedelta(hours=params.window_hours)
    recent = [
        activity
        for activity in estate.activities_of(target)
        if (activity.started is None or estate.now - activity.started <= window) and not _meant(activity)
    ]
    bad = [plain(activity.status) in ("failed", "unfulfilled") for activity in recent]
    runs = [len(list(run)) for failing, run in groupby(bad) if failing]
    if not (bad and bad[0]) and max(runs, default=0) < FAILURES_IN_A_ROW:
        return passed("scaling goes on", activities=len(recent), window_hours=params.window_hours)
    newest = recent[bad.index(True)]
    text = newest.message or newest.cause
    return failed(
        activities_failed=sum(bad),
        status=newest.status,
        message=text,
        lacks_capacity=bool(text and LACK_OF_CAPACITY.search(text)),
        window_hours=params.window_hours,
        resource_id=target.resource_id,
    )


def _meant(activity: ScalingActivity) -> bool:
    """True for what is no failure: Application Auto Scaling did not want to scale, or the endpoint was Updating."""
    if activity.not_scaled_reasons:
        return True
    text = " ".join(filter(None, (activity.message, activity.cause, activity.description)))
    return plain(activity.status) in ("failed", "unfulfilled") and _IN_CHANGE.search(text) is not None


class OrphanGrace(Params):
    grace_hours: NonNegativeFloat = 1


@rule(
    "autoscaling-orphaned-target",
    topic=TOPIC,
    kinds=["scalable-target"],
    severity=Severity.LOW,
    concern=Concern.STYLE,
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
        return not_now(f"younger than {params.grace_hours:g} hours")
    return failed(
        resource_id=target.resource_id, scalable_dimension=target.dimension, endpoint_exists=endpoint is not None
    )


class Burstable(Params):
    families: tuple[str, ...] = ("t2",)


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
    facts: Facts = {"instance_type": ", ".join(type.name for type in types), "families": list(params.families)}
    if any(type.family in params.families for type in types):
        return failed(**facts, resource_id=target.resource_id)
    return passed("not of a burstable family", **facts)


@rule(
    "inference-component-host-fixed",
    topic=TOPIC,
    kinds=["endpoint-variant"],
    severity=Severity.MEDIUM,
    reads=[*HOSTING, Part.TARGETS, Part.SCHEDULES],
    guards=[variant_with_instances],
)
def inference_component_host_fixed(variant: Variant, estate: Inventory, params: Params) -> Outcome:
    """Inference components scale, but the instances under them do not: there is neither managed instance scaling nor a
    target, or its minimum equals its maximum, or its maximum has too few accelerators for the components' maxima; or
    (low) every component may reach zero and the instances may not."""
    if not variant.hosts_components:
        return not_applicable("hosts no inference components")
    components = [component for component in estate.components_of(variant) if component.base_component is None]
    scaling = [component.name for component in components if estate.target_of(component) is not None]
    if not scaling:
        return not_applicable("none of its inference components scales")
    facts: Facts = {
        "components": scaling,
        "resource_id": variant.resource_id,
        "desired_instance_count": variant.shown("instance_count"),
        "managed": variant.managed_scaling is not None,
        "instances_wanted": _instances_for_all_copies(variant, components, estate),
    }
    bounds = _host_bounds(variant, estate)
    if bounds is None:
        return failed(**facts, problem="fixed")
    minimum, maximum = min(pair.minimum for pair in bounds), max(pair.maximum for pair in bounds)
    facts |= {"min_capacity": minimum, "max_capacity": maximum}
    if all(pair.minimum == pair.maximum for pair in bounds):
        return failed(**facts, problem="pinned")
    needed = sum(component.accelerators * _most_copies(component, estate) for component in components)
    room = _accelerators(variant) * maximum if needed else 0
    if needed > room:
        return failed(**facts, problem="too small", accelerators_needed=needed, accelerators_at_most=room)
    if minimum > 0 and all(_reaches_zero(component, estate) for component in components):
        return failed(severity=Severity.LOW, **facts, problem="never at zero")
    return passed("its instances scale with its components", **facts)


def _instances_for_all_copies(variant: Variant, components: list[InferenceComponent], estate: Inventory) -> int | None:
    """How many instances hold all copies that the components may have; None where that cannot be told."""
    try:
        needed = sum(component.accelerators * _most_copies(component, estate) for component in components)
        each = _accelerators(variant)
    except Unread:
        return None
    return math.ceil(needed / each) if needed and each else None


def _host_bounds(variant: Variant, estate: Inventory) -> list[Bounds] | None:
    """The limits between which instances scale, by managed scaling or by a target and its scheduled actions."""
    if variant.managed_scaling is not None:
        return [Bounds(*managed_bounds(variant))]
    target = estate.target_of(variant)
    return estate.bounds_of(target) if target is not None else None


def _most_copies(component: InferenceComponent, estate: Inventory) -> int:
    target = estate.target_of(component)
    if target is not None:
        return max(bounds.maximum for bounds in estate.bounds_of(target))
    if component.desired_copy_count is None:
        raise Unread("DescribeInferenceComponent gave no copy count")
    return component.desired_copy_count


def _reaches_zero(component: InferenceComponent, estate: Inventory) -> bool:
    target = estate.target_of(component)
    return target is not None and min(bounds.minimum for bounds in estate.bounds_of(target)) == 0


def _accelerators(variant: Variant) -> int:
    """The accelerators of an instance, of pools those of the largest type. Raises Unread where they are not known."""
    counts = [kind.gpu_count for kind in variant.instance_types]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise Unread("how many accelerators the instance type has is not known")
    return max(known)


class LoadTested(Params):
    tag: str = "load-tested"
    max_age_days: PositiveInt = 180


@rule(
    "autoscaling-untested-target",
    topic=TOPIC,
    kinds=["scaling-policy"],
    severity=Severity.INFO,
    concern=Concern.STYLE,
    params=LoadTested,
    reads=[*HOSTING, Part.POLICIES, Window(Part.RECOMMENDATIONS, "max_age_days"), Part.BENCHMARKS, Part.TAGS],
    guards=[tracks_a_target],
)
def autoscaling_untested_target(policy: ScalingPolicy, estate: Inventory, params: LoadTested) -> Outcome:
    """A target value of invocations per instance rests on no load test: neither a completed Inference Recommender job
    of the last ``max_age_days`` days for the model, nor an AI benchmark job for the endpoint, nor the tag ``tag`` on it
    (low when the value is the documentation's sample, 70)."""
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
    if not estate.whole:
        return not_now("AI benchmark jobs are listed in sweeps only", **facts)
    for benchmark in estate.benchmarks_of(variant.endpoint_name):
        if benchmark.completed is None or benchmark.completed >= oldest:
            return passed("an AI benchmark job measured the endpoint", job=benchmark.name, **facts)
    if variant.tags is None:
        raise Unread("the tags of the endpoint were not read", "sagemaker:ListTags")
    sample = policy.target_value == SAMPLE_TARGET_VALUE
    return failed(severity=Severity.LOW if sample else None, **facts, max_age_days=params.max_age_days)
